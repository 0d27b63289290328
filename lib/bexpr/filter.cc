#include "lib/bexpr/filter.h"

#include <charconv>
#include <optional>

#include "lib/bexpr/parser.h"
#include "lib/bexpr/regex.h"
#include "lib/bexpr/unquote.h"
#include "sdk/base/text.h"

namespace drover::bexpr {

namespace {
constexpr std::size_t max_expression = 4096;

class TextDatum final : public Datum {
 public:
  explicit TextDatum(std::string text) : text_(std::move(text)) {}
  [[nodiscard]] Kind kind() const override { return Kind::string; }
  [[nodiscard]] std::string_view text() const override { return text_; }

 private:
  std::string text_;
};

class IndexDatum final : public Datum {
 public:
  explicit IndexDatum(std::size_t index) : index_(static_cast<std::int64_t>(index)) {}
  [[nodiscard]] Kind kind() const override { return Kind::integer; }
  [[nodiscard]] std::int64_t integer() const override { return index_; }

 private:
  std::int64_t index_;
};

std::string_view kind_name(Kind kind) {
  switch (kind) {
    case Kind::nil: return "invalid";
    case Kind::string: return "string";
    case Kind::integer: return "int";
    case Kind::unsigned_integer: return "uint64";
    case Kind::floating: return "float64";
    case Kind::boolean: return "bool";
    case Kind::list: return "slice";
    case Kind::map: return "map";
    case Kind::structure: return "struct";
  }
  return "invalid";
}

// Names bound by the collections around, innermost last.
struct Binding {
  std::string_view name;
  const Datum* value;
  const Binding* outer;
};

// A value found, borrowed or made on the way.
struct Found {
  std::unique_ptr<Datum> owned;
  const Datum* value = nullptr;
  // The last part is a key that its map lacks.
  bool missing_key = false;
};

std::string pointer_text(const Path& path) {
  std::string out;
  for (const auto& part : path) out += "/" + replace_all(replace_all(part, "~", "~0"), "/", "~1");
  return out;
}

Result<Found> step(const Path& path, std::size_t at, const Datum& from) {
  const auto& part = path[at];
  Found out;
  switch (from.kind()) {
    case Kind::structure:
      out.owned = from.field(part);
      if (!out.owned) {
        return fail(Code::invalid_argument, "error finding value in datum: {} at part {}: couldn't find key: struct field with name {}",
                    pointer_text(path), at, quote(part));
      }
      break;
    case Kind::map:
      out.owned = from.field(part);
      if (!out.owned) {
        if (at + 1 == path.size()) {
          out.missing_key = true;
          return out;
        }
        return fail(Code::invalid_argument, "error finding value in datum: {} at part {}: couldn't find key {}", pointer_text(path), at,
                    quote(part));
      }
      break;
    case Kind::list: {
      std::int64_t index = 0;
      const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), index);
      if (part.empty() || error != std::errc() || end != part.data() + part.size()) {
        return fail(Code::invalid_argument, "error finding value in datum: {} at part {}: couldn't convert value {} to type int",
                    pointer_text(path), at, quote(part));
      }
      if (index < 0 || static_cast<std::size_t>(index) >= from.size()) {
        return fail(Code::invalid_argument, "error finding value in datum: {} at part {}: index {} is out of range (length = {})",
                    pointer_text(path), at, index, from.size());
      }
      out.owned = from.element(static_cast<std::size_t>(index));
      break;
    }
    default:
      return fail(Code::invalid_argument, "error finding value in datum: {}: at part {}, invalid value kind: {}", pointer_text(path), at,
                  kind_name(from.kind()));
  }
  out.value = out.owned.get();
  return out;
}

Result<Found> find(const Path& path, const Datum& root, const Binding* bound) {
  Found at;
  at.value = &root;
  std::size_t next = 0;
  for (const auto* binding = bound; binding != nullptr; binding = binding->outer) {
    if (!binding->name.empty() && binding->name == path[0]) {
      at.value = binding->value;
      next = 1;
      break;
    }
  }
  for (; next < path.size(); ++next) {
    auto found = step(path, next, *at.value);
    if (!found || found->missing_key) return found;
    at = std::move(*found);
  }
  return at;
}

Unexpected value_error(const Error& error) { return fail(error, "error getting match value in expression"); }

// `raw`, read as `value`'s kind, equals it. Containers are told apart by `what`.
Result<bool> equals(const std::string& raw, const Datum& value, std::string_view what) {
  switch (value.kind()) {
    case Kind::string: return raw == value.text();
    case Kind::boolean: {
      const auto wanted = parse_bool(raw);
      if (!wanted) return value_error(wanted.error());
      return *wanted == value.boolean();
    }
    case Kind::integer: {
      const auto wanted = parse_int(raw);
      if (!wanted) return value_error(wanted.error());
      return *wanted == value.integer();
    }
    case Kind::unsigned_integer: {
      const auto wanted = parse_uint(raw);
      if (!wanted) return value_error(wanted.error());
      return *wanted == value.unsigned_integer();
    }
    case Kind::floating: {
      const auto wanted = parse_float(raw);
      if (!wanted) return value_error(wanted.error());
      if (value.bits() == 32) return static_cast<float>(*wanted) == static_cast<float>(value.floating());
      return *wanted == value.floating();
    }
    default: return fail(Code::invalid_argument, "unable to find suitable primitive comparison function for {}", what);
  }
}

Result<bool> contains(const Node& node, const Datum& value) {
  switch (value.kind()) {
    case Kind::string: return value.text().find(node.value) != std::string_view::npos;
    case Kind::map: return value.field(node.value) != nullptr;
    case Kind::list:
      for (std::size_t i = 0; i < value.size(); ++i) {
        const auto element = value.element(i);
        const auto same = equals(node.value, *element, "\"in\" comparison");
        if (!same || *same) return same;
      }
      return false;
    default:
      return fail(Code::invalid_argument, "cannot perform in/contains operations on type {} for selector: {}", kind_name(value.kind()),
                  quote(node.selector_text));
  }
}

Result<bool> is_empty(const Node& node, const Datum& value) {
  switch (value.kind()) {
    case Kind::string: return value.text().empty();
    case Kind::map:
    case Kind::list: return value.size() == 0;
    default:
      return fail(Code::invalid_argument, "cannot perform is-empty operations on type {} for selector: {}", kind_name(value.kind()),
                  quote(node.selector_text));
  }
}

Result<bool> matches_regex(const Node& node, const Datum& value) {
  if (value.kind() != Kind::string) {
    return fail(Code::invalid_argument, "value of type {} is not convertible to []byte", kind_name(value.kind()));
  }
  if (!node.regex) return fail(Code::invalid_argument, "{}", node.regex_error);
  return regex_matches(node, value.text());
}

Result<bool> match_node(const Node& node, const Datum& root, const Binding* bound) {
  const auto found = find(node.selector, root, bound);
  if (!found) return fail(found.error());
  // What a missing key means: nothing equals it, so `!=`, `not in`, `is empty` and `is nil` hold.
  if (found->missing_key) return node.op == Node::Op::empty || node.op == Node::Op::nil ? !node.negated : node.negated;
  const auto& value = *found->value;
  Result<bool> out = false;
  switch (node.op) {
    case Node::Op::equal: out = equals(node.value, value, "matching"); break;
    case Node::Op::in: out = contains(node, value); break;
    case Node::Op::matches: out = matches_regex(node, value); break;
    case Node::Op::empty: out = is_empty(node, value); break;
    case Node::Op::nil: out = value.is_nil(); break;
  }
  if (!out) return out;
  return *out != node.negated;
}

Result<bool> evaluate(const Node& node, const Datum& root, const Binding* bound);

Result<bool> collection_node(const Node& node, const Datum& root, const Binding* bound) {
  const auto found = find(node.selector, root, bound);
  if (!found) return fail(found.error());
  const bool wants_all = node.type == Node::Type::all_elements;
  if (found->missing_key) return wants_all;
  const auto& value = *found->value;
  const bool is_map = value.kind() == Kind::map;
  if (!is_map && value.kind() != Kind::list) {
    return fail(Code::invalid_argument, "cannot perform collection operations on type {} for selector: {}", kind_name(value.kind()),
                quote(node.selector_text));
  }
  const auto keys = is_map ? value.keys() : std::vector<std::string>();
  const auto count = is_map ? keys.size() : value.size();
  for (std::size_t i = 0; i < count; ++i) {
    std::unique_ptr<Datum> key;
    if (is_map) {
      key = std::make_unique<TextDatum>(keys[i]);
    } else {
      key = std::make_unique<IndexDatum>(i);
    }
    const auto element = is_map ? value.field(keys[i]) : value.element(i);
    const Datum& first = node.single_name && !is_map ? *element : *key;
    const Binding outer{node.key_name, &first, bound};
    const Binding inner{node.value_name, element.get(), &outer};
    const auto held = evaluate(*node.children[0], root, node.single_name ? &outer : &inner);
    if (!held) return held;
    if (*held != wants_all) return !wants_all;
  }
  return wants_all;
}

Result<bool> evaluate(const Node& node, const Datum& root, const Binding* bound) {
  switch (node.type) {
    case Node::Type::match: return match_node(node, root, bound);
    case Node::Type::any_element:
    case Node::Type::all_elements: return collection_node(node, root, bound);
    case Node::Type::negate: {
      const auto inner = evaluate(*node.children[0], root, bound);
      if (!inner) return inner;
      return !*inner;
    }
    case Node::Type::all_of:
    case Node::Type::any_of: {
      const bool decides = node.type == Node::Type::any_of;
      for (const auto& child : node.children) {
        const auto held = evaluate(*child, root, bound);
        if (!held || *held == decides) return held;
      }
      return !decides;
    }
  }
  return false;
}
}  // namespace

Result<Filter> Filter::parse(std::string_view text) {
  if (text.size() > max_expression) {
    return fail(Code::invalid_argument, "expression has {} bytes, more than {} are not accepted", text.size(), max_expression);
  }
  auto root = Parser(text).parse();
  if (!root) return fail(root.error());
  return Filter(std::move(*root));
}

Result<bool> Filter::match(const Datum& object) const { return evaluate(*root_, object, nullptr); }

}  // namespace drover::bexpr
