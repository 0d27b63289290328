// What a constraint, affinity or spread looks at: `${node.datacenter}`, `${attr.cpu.arch}`, `${meta.rack}` or plain text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lib/model/node.h"
#include "sdk/base/error.h"

namespace drover::scheduler {

class Target {
 public:
  explicit Target(std::string_view text);
  // None when the node has no such value or the name is unknown. Views into the node or this target.
  [[nodiscard]] std::optional<std::string_view> resolve(const model::Node& node) const;
  // True when nodes of one computed class may differ in it.
  [[nodiscard]] bool escapes_class() const { return escapes_; }

 private:
  enum class Kind : std::uint8_t { literal, id, name, datacenter, node_class, pool, attribute, meta, unknown };
  Kind kind_ = Kind::literal;
  bool escapes_ = false;
  std::string key_;
};

}  // namespace drover::scheduler
