// Linux capabilities as names, and which of them a task gets (client contract 5.4).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sdk/base/error.h"

namespace drover {

using CapabilityMask = std::uint64_t;

// Any case, with or without CAP_; "all" is every capability this kernel knows. An unknown name is an error that says so.
[[nodiscard]] Result<CapabilityMask> parse_capability(std::string_view name);
[[nodiscard]] Result<CapabilityMask> parse_capabilities(const std::vector<std::string>& names);
// Lower case without cap_, in the order of their numbers.
[[nodiscard]] std::vector<std::string> capability_names(CapabilityMask mask);
[[nodiscard]] bool has_capability(CapabilityMask mask, int number);
// What this kernel knows.
[[nodiscard]] CapabilityMask known_capabilities();

// What an operator allows unless told otherwise.
[[nodiscard]] CapabilityMask default_allowed_capabilities();

struct CapabilityRequest {
  std::vector<std::string> add, drop;
  bool is_root = false;                 // the task runs as uid 0
  CapabilityMask allowed = 0;
  bool is_allowed_explicitly = false;   // the operator wrote allow_caps
};
// N-022: an ordinary user has none but those it asks for. Root has what it always had with this driver, up to AUDIT_READ; where the
// operator says what is allowed, of that the defaults but for making devices, capabilities of files and roots. Both: − drop + add.
[[nodiscard]] Result<CapabilityMask> task_capabilities(const CapabilityRequest& request);

}  // namespace drover
