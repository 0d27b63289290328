// The parsed form of a filter. Private to lib/bexpr.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace re2 {
class RE2;
}

namespace drover::bexpr {

using Path = std::vector<std::string>;

struct Node {
  enum class Type : std::uint8_t { all_of, any_of, negate, match, any_element, all_elements };
  enum class Op : std::uint8_t { equal, in, matches, empty, nil };

  Type type = Type::match;
  // all_of, any_of: left to right; negate and collections: one.
  std::vector<std::shared_ptr<const Node>> children;

  // match: `negated` is `!=`, `not in`, ...
  Op op = Op::equal;
  bool negated = false;
  Path selector;
  std::string selector_text;
  std::string value;
  std::shared_ptr<const re2::RE2> regex;
  std::string regex_error;

  // Collections: names bound to key or index, and to the value; empty for `_`.
  std::string key_name;
  std::string value_name;
  // `as x` alone: the key of a map, the element of a list.
  bool single_name = false;
};

}  // namespace drover::bexpr
