// Schemas of configuration blocks as values (protocol 4.1): what a plugin declares and a host evaluates.
//
//   const Spec schema = object({{"command", attr("command", "string", true)},
//                               {"args", attr("args", "list(string)")},
//                               {"mode", default_value(attr("mode", "string"), "\"host\"")},
//                               {"mount", block_list("mount", object({...}))}});
// A Spec is an immutable value: copying shares the tree. An empty Spec says "no configuration".
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "sdk/base/error.h"

namespace drover::plugin {

struct SpecNode;

class Spec {
 public:
  Spec() = default;
  explicit Spec(SpecNode node);
  [[nodiscard]] explicit operator bool() const { return node_ != nullptr; }
  // Not for an empty Spec.
  [[nodiscard]] const SpecNode& node() const { return *node_; }
  friend bool operator==(const Spec& a, const Spec& b);

 private:
  std::shared_ptr<const SpecNode> node_;
};

struct ObjectSpec { std::map<std::string, Spec> attributes; bool operator==(const ObjectSpec&) const = default; };
struct ArraySpec { std::vector<Spec> values; bool operator==(const ArraySpec&) const = default; };
struct AttrSpec { std::string name, type; bool required = false; bool operator==(const AttrSpec&) const = default; };
struct BlockSpec { std::string name; bool required = false; Spec nested; bool operator==(const BlockSpec&) const = default; };
struct BlockAttrsSpec { std::string name, type; bool required = false; bool operator==(const BlockAttrsSpec&) const = default; };
struct BlockListSpec { std::string name; std::uint64_t min_items = 0, max_items = 0; Spec nested; bool operator==(const BlockListSpec&) const = default; };
struct BlockSetSpec { std::string name; std::uint64_t min_items = 0, max_items = 0; Spec nested; bool operator==(const BlockSetSpec&) const = default; };
struct BlockMapSpec { std::string name; std::vector<std::string> labels; Spec nested; bool operator==(const BlockMapSpec&) const = default; };
struct DefaultSpec { Spec primary, fallback; bool operator==(const DefaultSpec&) const = default; };
struct LiteralSpec { std::string value; bool operator==(const LiteralSpec&) const = default; };

struct SpecNode {
  std::variant<ObjectSpec, ArraySpec, AttrSpec, BlockSpec, BlockAttrsSpec, BlockListSpec, BlockSetSpec, BlockMapSpec, DefaultSpec, LiteralSpec> kind;
  bool operator==(const SpecNode&) const = default;
};

[[nodiscard]] Spec object(std::map<std::string, Spec> attributes);
[[nodiscard]] Spec array(std::vector<Spec> values);
// `type` is a type expression: string, number, bool, any, list(T), set(T), map(T), object({a=T}), tuple([T, U]).
[[nodiscard]] Spec attr(std::string name, std::string type, bool required = false);
[[nodiscard]] Spec block(std::string name, Spec nested, bool required = false);
[[nodiscard]] Spec block_attrs(std::string name, std::string type, bool required = false);
[[nodiscard]] Spec block_list(std::string name, Spec nested, std::uint64_t min_items = 0, std::uint64_t max_items = 0);
[[nodiscard]] Spec block_set(std::string name, Spec nested, std::uint64_t min_items = 0, std::uint64_t max_items = 0);
[[nodiscard]] Spec block_map(std::string name, std::vector<std::string> labels, Spec nested);
// `literal` is an HCL expression of the attribute's own type, as text: "5", "\"host\"", "[\"a\"]".
[[nodiscard]] Spec default_value(Spec primary, std::string literal);
[[nodiscard]] Spec default_spec(Spec primary, Spec fallback);
[[nodiscard]] Spec literal(std::string expression);

// P-25: a schema comes from a plugin and is hostile input: depth <= 32, at most 10,000 nodes, names and types well formed.
[[nodiscard]] Result<> check_schema(const Spec& spec);

}  // namespace drover::plugin
