#include "sdk/plugin/schema.h"

#include "sdk/plugin/type.h"

namespace drover::plugin {

Spec::Spec(SpecNode node) : node_(std::make_shared<const SpecNode>(std::move(node))) {}

bool operator==(const Spec& a, const Spec& b) {
  if (a.node_ == b.node_) return true;
  return a.node_ && b.node_ && *a.node_ == *b.node_;
}

Spec object(std::map<std::string, Spec> attributes) { return Spec({ObjectSpec{std::move(attributes)}}); }
Spec array(std::vector<Spec> values) { return Spec({ArraySpec{std::move(values)}}); }
Spec attr(std::string name, std::string type, bool required) { return Spec({AttrSpec{std::move(name), std::move(type), required}}); }
Spec block(std::string name, Spec nested, bool required) { return Spec({BlockSpec{std::move(name), required, std::move(nested)}}); }
Spec block_attrs(std::string name, std::string type, bool required) {
  return Spec({BlockAttrsSpec{std::move(name), std::move(type), required}});
}
Spec block_list(std::string name, Spec nested, std::uint64_t min_items, std::uint64_t max_items) {
  return Spec({BlockListSpec{std::move(name), min_items, max_items, std::move(nested)}});
}
Spec block_set(std::string name, Spec nested, std::uint64_t min_items, std::uint64_t max_items) {
  return Spec({BlockSetSpec{std::move(name), min_items, max_items, std::move(nested)}});
}
Spec block_map(std::string name, std::vector<std::string> labels, Spec nested) {
  return Spec({BlockMapSpec{std::move(name), std::move(labels), std::move(nested)}});
}
Spec default_value(Spec primary, std::string text) { return default_spec(std::move(primary), literal(std::move(text))); }
Spec default_spec(Spec primary, Spec fallback) { return Spec({DefaultSpec{std::move(primary), std::move(fallback)}}); }
Spec literal(std::string expression) { return Spec({LiteralSpec{std::move(expression)}}); }

namespace {
constexpr int max_depth = 32;
constexpr int max_nodes = 10'000;

class Checker {
 public:
  Result<> check(const Spec& spec, int depth, bool has_name) {
    if (!spec) return fail(Code::invalid_argument, "nil spec given");
    if (depth > max_depth) return fail(Code::invalid_argument, "the schema is nested deeper than {}", max_depth);
    if (++nodes_ > max_nodes) return fail(Code::invalid_argument, "the schema has more than {} parts", max_nodes);
    return std::visit([&](const auto& kind) { return check_kind(kind, depth, has_name); }, spec.node().kind);
  }

 private:
  static Result<> name(const std::string& given, bool implied, const char* what) {
    if (given.empty() && !implied) return fail(Code::invalid_argument, "Missing name in {} spec", what);
    return {};
  }
  static Result<> type(const std::string& text) {
    const auto parsed = parse_type(text);
    if (!parsed) return fail(parsed.error());
    return {};
  }
  Result<> check_kind(const ObjectSpec& kind, int depth, bool) {
    for (const auto& [key, child] : kind.attributes) {
      if (auto result = check(child, depth + 1, true); !result) return fail(result.error(), "attribute \"{}\"", key);
    }
    return {};
  }
  Result<> check_kind(const ArraySpec& kind, int depth, bool) {
    for (const Spec& child : kind.values) DROVER_TRY(check(child, depth + 1, false));
    return {};
  }
  Result<> check_kind(const AttrSpec& kind, int, bool implied) {
    DROVER_TRY(name(kind.name, implied, "attribute"));
    return type(kind.type);
  }
  Result<> check_kind(const BlockSpec& kind, int depth, bool implied) {
    DROVER_TRY(name(kind.name, implied, "block"));
    return check(kind.nested, depth + 1, false);
  }
  Result<> check_kind(const BlockAttrsSpec& kind, int, bool implied) {
    DROVER_TRY(name(kind.name, implied, "block attributes"));
    return type(kind.type);
  }
  Result<> check_kind(const BlockListSpec& kind, int depth, bool implied) {
    DROVER_TRY(name(kind.name, implied, "block list"));
    return check(kind.nested, depth + 1, false);
  }
  Result<> check_kind(const BlockSetSpec& kind, int depth, bool implied) {
    DROVER_TRY(name(kind.name, implied, "block set"));
    return check(kind.nested, depth + 1, false);
  }
  Result<> check_kind(const BlockMapSpec& kind, int depth, bool implied) {
    DROVER_TRY(name(kind.name, implied, "block map"));
    if (kind.labels.empty()) return fail(Code::invalid_argument, "block map \"{}\" has no labels", kind.name);
    return check(kind.nested, depth + 1, false);
  }
  Result<> check_kind(const DefaultSpec& kind, int depth, bool) {
    DROVER_TRY(check(kind.primary, depth + 1, false));
    return check(kind.fallback, depth + 1, false);
  }
  Result<> check_kind(const LiteralSpec&, int, bool) { return {}; }

  int nodes_ = 0;
};
}  // namespace

Result<> check_schema(const Spec& spec) { return Checker().check(spec, 0, false); }

}  // namespace drover::plugin
