// `variable`, `variables` and `locals` blocks: declarations, values from all sources, checks. Internal to lib/jobspec.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lib/hcl/body.h"
#include "lib/jobspec/parse.h"

namespace drover::jobspec {

struct ValidationRule {
  hcl::ExprPtr condition;
  std::string message;
  hcl::Range range;
};

// A value somebody gave, kept to say where it came from.
struct VariableValue {
  hcl::Value value;
  std::string from;  // default, env, varfile, cmd
  hcl::Range range;
};

struct Variable {
  std::string name;
  hcl::Type type;  // dynamic: any
  bool typed = false;
  bool sensitive = false;  // messages do not show its value
  std::optional<VariableValue> value;  // of the source that wins
  std::vector<ValidationRule> rules;
};

class Variables {
 public:
  // Reads the declarations of a file's top level.
  void declare(const hcl::Content& top, const hcl::EvalContext& context, hcl::Diagnostics& diagnostics);
  // Values from environment, files and flags, in this order.
  void collect(const ParseInput& input, hcl::Diagnostics& diagnostics);
  // Variables without a value; then each rule against the final value.
  void check(const hcl::EvalContext& context, hcl::Diagnostics& diagnostics) const;
  // The object `var`.
  [[nodiscard]] hcl::Value object() const;

 private:
  void declare_block(const hcl::Block& block, const hcl::EvalContext& context, hcl::Diagnostics& diagnostics);
  void declare_rule(Variable& variable, const hcl::Block& block, const hcl::EvalContext& context, hcl::Diagnostics& diagnostics);
  void add(Variable variable, hcl::Diagnostics& diagnostics);
  void read_text(const std::string& name, const std::string& text, bool strict, hcl::Diagnostics& diagnostics);
  void set_from_text(Variable& variable, const std::string& text, const std::string& from, hcl::Diagnostics& diagnostics);
  [[nodiscard]] Variable* find(const std::string& name);

  std::vector<Variable> all_;
};

// The object `local`: every `locals` block, evaluated until nothing new comes out.
[[nodiscard]] hcl::Value evaluate_locals(const hcl::Content& top, const hcl::EvalContext& context, hcl::Diagnostics& diagnostics);

}  // namespace drover::jobspec
