#include "lib/jobspec/reference_language.h"

#include <fmt/format.h>

#include <vector>

#include "lib/hcl/functions.h"

namespace drover::jobspec {

namespace {

struct Row {
  const char* name;
  const char* takes;
};

std::string section(const char* title, const char* text, const std::vector<Row>& rows) {
  std::string out = fmt::format("\n## {}\n\n{}\n", title, text);
  if (rows.empty()) return out;
  out += "\n| Name | What it takes |\n|---|---|\n";
  for (const Row& row : rows) out += fmt::format("| `{}` | {} |\n", row.name, row.takes);
  return out;
}

std::string type_name(const hcl::Type& type) { return type.is_dynamic() ? "any" : type.constraint_name(); }

std::string arguments_of(const hcl::Function& function) {
  std::string out;
  for (const hcl::Parameter& parameter : function.parameters) out += fmt::format("{}`{}` {}", out.empty() ? "" : ", ", parameter.name, type_name(parameter.type));
  if (function.rest) out += fmt::format("{}any number of `{}` {}", out.empty() ? "" : ", ", function.rest->name, type_name(function.rest->type));
  return out.empty() ? "none" : out;
}

}  // namespace

std::string language_sections() {
  std::string out;
  out += section("variable", "At the top of the file; its label is the variable's name, which the file refers to as `var.<name>`. A value comes from, later ones winning: "
                             "`default`, the environment (`NOMAD_VAR_<name>`), `-var-file` in their order, `-var`.",
                 {{"type", "a type: `string`, `number`, `bool`, `list()`, `set()`, `map()`, `object({})`, `tuple([])`"},
                  {"default", "a value of that type"},
                  {"description", "text"},
                  {"sensitive", "true or false; true keeps its value out of messages and of the source that is stored with the job. Only here: the reference refuses the word"},
                  {"validation", "block, any number"}});
  out += section("validation", "In `variable`. The rule is held against the value that counts in the end.",
                 {{"condition", "true or false, from `var.<name>` alone, required"}, {"error_message", "text, required"}});
  out += section("variables", "At the top of the file; each attribute is a variable of that name with that default, and of its type.", {});
  out += section("locals", "At the top of the file; each attribute is a value the file refers to as `local.<name>`. They may refer to variables and to each other.", {});
  out += section("dynamic", "Wherever blocks may stand below `job`; its label is the type of the blocks it makes, one for each element of a collection.",
                 {{"for_each", "a list, set, map, tuple or object, required"},
                  {"iterator", "the name for `<name>.key` and `<name>.value` in `labels` and `content`; the label if not given"},
                  {"labels", "list of texts, as many as the blocks have labels; required if they have any"},
                  {"content", "block, exactly one"}});
  out += section("content", "In `dynamic`. What each of the blocks holds.", {});
  out += "\n## Functions\n\nThose that read files do so relative to the job file's folder, and not at all in the API.\n\n| Name | Arguments |\n|---|---|\n";
  for (const auto& [name, function] : hcl::standard_functions({})) out += fmt::format("| `{}` | {} |\n", name, arguments_of(function));
  return out;
}

}  // namespace drover::jobspec
