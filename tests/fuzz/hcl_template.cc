// Z-03: any template of the language is refused or evaluates, within its budget; a value that is known and no error give JSON.
#include <cstddef>
#include <cstdint>
#include <string>

#include "lib/hcl/evaluator.h"
#include "lib/hcl/parser.h"

using namespace drover::hcl;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // bcrypt is slow by design.
  static const FunctionTable functions = [] {
    FunctionTable table = standard_functions({});
    table.erase("bcrypt");
    return table;
  }();
  Diagnostics diagnostics;
  Budget budget{.steps = 20'000, .bytes = 1 << 20};
  EvalContext context;
  context.functions = &functions;
  context.budget = &budget;
  context.undefined = keep_source_text;
  context.variables["v"] = Value::object({{"list", Value::list(Type::string(), {Value::string("x")})}, {"n", Value::number(1)}, {"nul", Value::null()}});
  const ExprPtr expression = parse_template(make_source("fuzz.hcl", std::string(reinterpret_cast<const char*>(data), size)), diagnostics);
  if (diagnostics.has_errors()) return 0;
  (void)evaluate(*expression, context, diagnostics);
  for (const auto& one : diagnostics.items()) {
    if (render(one).empty()) __builtin_trap();
  }
  return 0;
}
