// HCL version 1 and its JSON form, as agent configurations are written, parsed to a tree with positions. Pure.
//
// A labelled block `a "b" { ... }` becomes the member a = { b = { ... } }; repeated members stay separate, in order.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sdk/base/error.h"

namespace drover::agent {

struct Tree;
struct Member {
  std::string key;
  int line = 0;
  std::vector<Tree> value;  // exactly one; a vector because Tree is incomplete here
  [[nodiscard]] const Tree& tree() const;
};

struct Tree {
  enum class Kind { null, text, number, boolean, list, object };
  Kind kind = Kind::null;
  std::string text;             // text, or a number or boolean as written
  std::vector<Tree> items;      // list
  std::vector<Member> members;  // object
  int line = 0;
};
inline const Tree& Member::tree() const { return value.front(); }

// The file's object. Errors read `name:line: what, what would be accepted`.
[[nodiscard]] Result<Tree> parse_hcl1(std::string_view text, const std::string& name);
[[nodiscard]] Result<Tree> parse_json_tree(std::string_view text, const std::string& name);

// As JSON text; objects of repeated blocks become lists, as HCL1's decoder makes them.
[[nodiscard]] std::string to_json_text(const Tree& tree);

}  // namespace drover::agent
