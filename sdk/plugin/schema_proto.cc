#include "sdk/plugin/schema_proto.h"

namespace drover::plugin {
namespace {
namespace pb = hashicorp::nomad::plugins::shared::hclspec;

struct Writer {
  pb::Spec& out;
  void operator()(const ObjectSpec& kind) const {
    auto& attributes = *out.mutable_object()->mutable_attributes();
    for (const auto& [key, child] : kind.attributes) to_proto(child, attributes[key]);
  }
  void operator()(const ArraySpec& kind) const {
    auto& message = *out.mutable_array();
    for (const Spec& child : kind.values) to_proto(child, *message.add_values());
  }
  void operator()(const AttrSpec& kind) const { attribute(*out.mutable_attr(), kind); }
  void operator()(const BlockAttrsSpec& kind) const { attribute(*out.mutable_block_attrs(), kind); }
  void operator()(const BlockSpec& kind) const {
    auto& message = *out.mutable_block_value();
    message.set_name(kind.name);
    message.set_required(kind.required);
    to_proto(kind.nested, *message.mutable_nested());
  }
  void operator()(const BlockListSpec& kind) const { items(*out.mutable_block_list(), kind); }
  void operator()(const BlockSetSpec& kind) const { items(*out.mutable_block_set(), kind); }
  void operator()(const BlockMapSpec& kind) const {
    auto& message = *out.mutable_block_map();
    message.set_name(kind.name);
    for (const auto& label : kind.labels) message.add_labels(label);
    to_proto(kind.nested, *message.mutable_nested());
  }
  void operator()(const DefaultSpec& kind) const {
    to_proto(kind.primary, *out.mutable_default_()->mutable_primary());
    to_proto(kind.fallback, *out.mutable_default_()->mutable_default_());
  }
  void operator()(const LiteralSpec& kind) const { out.mutable_literal()->set_value(kind.value); }

  template <class Message, class Kind>
  static void attribute(Message& message, const Kind& kind) {
    message.set_name(kind.name);
    message.set_type(kind.type);
    message.set_required(kind.required);
  }
  template <class Message, class Kind>
  static void items(Message& message, const Kind& kind) {
    message.set_name(kind.name);
    message.set_min_items(kind.min_items);
    message.set_max_items(kind.max_items);
    to_proto(kind.nested, *message.mutable_nested());
  }
};

// protobuf refuses messages nested deeper than 100, so the recursion here is bounded.
Spec read(const pb::Spec& in) {
  switch (in.block_case()) {
    case pb::Spec::kObject: {
      ObjectSpec out;
      for (const auto& [key, child] : in.object().attributes()) out.attributes.emplace(key, read(child));
      return Spec({std::move(out)});
    }
    case pb::Spec::kArray: {
      ArraySpec out;
      for (const auto& child : in.array().values()) out.values.push_back(read(child));
      return Spec({std::move(out)});
    }
    case pb::Spec::kAttr: return attr(in.attr().name(), in.attr().type(), in.attr().required());
    case pb::Spec::kBlockValue: return block(in.block_value().name(), read(in.block_value().nested()), in.block_value().required());
    case pb::Spec::kBlockAttrs: return block_attrs(in.block_attrs().name(), in.block_attrs().type(), in.block_attrs().required());
    case pb::Spec::kBlockList: {
      const auto& list = in.block_list();
      return block_list(list.name(), read(list.nested()), list.min_items(), list.max_items());
    }
    case pb::Spec::kBlockSet: {
      const auto& set = in.block_set();
      return block_set(set.name(), read(set.nested()), set.min_items(), set.max_items());
    }
    case pb::Spec::kBlockMap: {
      const auto& map = in.block_map();
      return block_map(map.name(), {map.labels().begin(), map.labels().end()}, read(map.nested()));
    }
    case pb::Spec::kDefault: return default_spec(read(in.default_().primary()), read(in.default_().default_()));
    case pb::Spec::kLiteral: return literal(in.literal().value());
    case pb::Spec::BLOCK_NOT_SET: return {};
  }
  return {};
}
}  // namespace

void to_proto(const Spec& spec, pb::Spec& out) {
  if (spec) std::visit(Writer{out}, spec.node().kind);
}

Result<Spec> from_proto(const pb::Spec& spec) {
  Spec out = read(spec);
  DROVER_TRY(check_schema(out));
  return out;
}

}  // namespace drover::plugin
