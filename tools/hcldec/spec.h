// What a spec file of hcldec says: how a body becomes a value. Internal to tools/hcldec.
//
// A Spec is a tree; `decode` walks it beside a body, `variables` finds what the body's expressions refer to.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lib/hcl/body.h"

namespace drover::hcldec {

enum class SpecKind { object, array, attr, block, block_list, block_set, block_map, block_attrs, literal, fallback, transform };

struct Spec {
  SpecKind kind = SpecKind::literal;
  std::string name;                   // of an attribute, or a block's type
  hcl::Type type;                     // of an attribute, or of a block's attributes
  bool required = false;
  std::size_t min_items = 0;
  std::size_t max_items = 0;          // 0: any number
  std::vector<std::string> labels;    // of a block_map
  std::vector<std::string> names;     // of an object's nested specs
  std::vector<Spec> nested;
  hcl::Value value;                   // of a literal
  hcl::ExprPtr result;                // of a transform
};

struct SpecFile {
  std::map<std::string, hcl::Value, std::less<>> variables;
  hcl::FunctionTable functions;  // what the input may call
  Spec root;
};

// `functions` is what spec files themselves may call; it must outlive the result.
[[nodiscard]] SpecFile read_spec(const hcl::SourcePtr& file, const hcl::FunctionTable& functions, hcl::Diagnostics& diagnostics);

[[nodiscard]] hcl::Type implied_type(const Spec& spec);
[[nodiscard]] hcl::Value decode(const hcl::Body& body, const Spec& spec, const hcl::EvalContext& context, const hcl::FunctionTable& functions,
                                hcl::Diagnostics& diagnostics);
[[nodiscard]] std::vector<hcl::Reference> variables(const hcl::Body& body, const Spec& spec);

}  // namespace drover::hcldec
