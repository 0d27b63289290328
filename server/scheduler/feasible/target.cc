#include "server/scheduler/feasible/target.h"

namespace drover::scheduler {

Target::Target(std::string_view text) : key_(text) {
  for (const auto prefix : {"${node.unique.", "${attr.unique.", "${meta.unique.", "${unique."}) escapes_ |= text.starts_with(prefix);
  if (!text.starts_with("${")) return;
  const auto inner = [&](std::string_view prefix) {
    auto rest = text.substr(prefix.size());
    if (rest.ends_with('}')) rest.remove_suffix(1);
    return std::string(rest);
  };
  if (text == "${node.unique.id}") kind_ = Kind::id;
  else if (text == "${node.unique.name}") kind_ = Kind::name;
  else if (text == "${node.datacenter}") kind_ = Kind::datacenter;
  else if (text == "${node.class}") kind_ = Kind::node_class;
  else if (text == "${node.pool}") kind_ = Kind::pool;
  else if (text.starts_with("${attr.")) { kind_ = Kind::attribute; key_ = inner("${attr."); }
  else if (text.starts_with("${meta.")) { kind_ = Kind::meta; key_ = inner("${meta."); }
  else kind_ = Kind::unknown;
}

std::optional<std::string_view> Target::resolve(const model::Node& node) const {
  const auto look_up = [&](const model::Map<std::string>& map) -> std::optional<std::string_view> {
    const auto* value = map.get(key_);
    return value == nullptr ? std::nullopt : std::optional<std::string_view>(*value);
  };
  switch (kind_) {
    case Kind::literal: return key_;
    case Kind::id: return node.id;
    case Kind::name: return node.name;
    case Kind::datacenter: return node.datacenter;
    case Kind::node_class: return node.node_class;
    case Kind::pool: return node.node_pool;
    case Kind::attribute: return look_up(node.attributes);
    case Kind::meta: return look_up(node.meta);
    case Kind::unknown: break;
  }
  return std::nullopt;
}

}  // namespace drover::scheduler
