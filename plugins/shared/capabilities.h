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

// What an operator allows unless told otherwise, and what a task has unless it asks (N-022: of those, nothing that makes
// devices, sets capabilities of files or changes roots).
[[nodiscard]] CapabilityMask default_allowed_capabilities();
[[nodiscard]] CapabilityMask default_capabilities();

struct CapabilityRequest {
  std::vector<std::string> add, drop;
  bool is_root = false;                 // the task runs as uid 0
  CapabilityMask allowed = 0;
  bool is_allowed_explicitly = false;   // the operator wrote allow_caps
};
// (defaults ∩ allowed) − drop + add. Root has what it always had with this driver, up to AUDIT_READ, unless the operator says
// what is allowed; drop and add count for it too.
[[nodiscard]] Result<CapabilityMask> task_capabilities(const CapabilityRequest& request);

}  // namespace drover
