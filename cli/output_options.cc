#include "cli/output_options.h"

#include "cli/sprig.h"
#include "lib/gotemplate/template.h"

namespace drover::cli {

int write_formatted(Context& context, const OutputOptions& options, const gotemplate::Value& value, std::string_view step) {
  if (options.json && !options.format.empty()) return context.failed("Both json and template formatting are not allowed");
  if (options.format.empty()) {
    context.ui.out(pretty_json(value_json(value)));
    return 0;
  }
  gotemplate::Functions functions = gotemplate::builtin_functions();
  add_sprig(functions);
  auto parsed = gotemplate::Template::parse("", options.format, std::move(functions));
  auto text = parsed ? parsed->execute(value) : Result<std::string>(fail(parsed.error()));
  if (!text) return context.failed(fmt::format("{}Error formatting the data: {}", step, text.error().message()));
  context.ui.out(*text);
  return 0;
}

gotemplate::Value record(const char* type, std::vector<std::pair<std::string, gotemplate::Value>> fields) {
  return gotemplate::Value::structure(std::make_shared<const gotemplate::StructData>(gotemplate::StructData{.type = type, .fields = std::move(fields)}), true);
}

}  // namespace drover::cli
