// Z-02: any JSON text gives a body, whose attributes and blocks can be read through a schema, and diagnostics that can be shown.
#include <cstddef>
#include <cstdint>
#include <string>

#include "lib/hcl/body.h"

using namespace drover::hcl;

namespace {

void read(const Body& body, const BodySchema& schema, const EvalContext& context, Diagnostics& diagnostics, int depth) {
  const Content content = body.expanded(schema, context, diagnostics);
  for (const auto& [name, attribute] : content.attributes) (void)evaluate(*attribute.expression, context, diagnostics);
  if (depth > 4) return;
  for (const Block& block : content.blocks) read(*block.body, schema, block.scope ? *block.scope : context, diagnostics, depth + 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const FunctionTable functions = standard_functions({});
  static const BodySchema schema = expandable({{{"a"}, {"b", true}}, {{"c", {}}, {"d", {"name"}}}});
  Diagnostics diagnostics;
  Budget budget{.steps = 20'000, .bytes = 1 << 20};
  EvalContext context;
  context.functions = &functions;
  context.budget = &budget;
  context.undefined = keep_source_text;
  context.variables["v"] = Value::tuple({Value::string("x"), Value::number(1)});
  const auto body = parse_json(make_source("fuzz.json", std::string(reinterpret_cast<const char*>(data), size)), diagnostics);
  if (!body) __builtin_trap();
  read(*body, schema, context, diagnostics, 0);
  for (const auto& one : diagnostics.items()) {
    if (render(one).empty()) __builtin_trap();
  }
  return 0;
}
