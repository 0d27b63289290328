// Every recorded row of tests/golden/hcl-functions: an expression and the JSON text or the error it gives.
#include <doctest/doctest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "lib/hcl/parser.h"
#include "lib/hcl/evaluator.h"
#include "sdk/base/file.h"
#include "tests/unit/support/golden.h"

using namespace drover::hcl;

namespace {

using drover::golden::read;

// What the recorded job file does with the expression: jsonencode() around it, from column 1 of line 4 on.
std::pair<bool, std::string> answer(const std::string& expression, const FunctionTable& functions, const std::string& name) {
  Diagnostics diagnostics;
  const SourcePtr file = make_source(name, "job \"x\" {\n  meta {\n    v = jsonencode(\n" + expression + "\n)\n  }\n}\n");
  const auto body = parse_native(file, diagnostics);
  if (diagnostics.has_errors()) return {false, diagnostics.first_line()};
  Budget budget;
  EvalContext context;
  context.functions = &functions;
  context.budget = &budget;
  context.undefined = keep_source_text;
  context.variables["var"] = Value::object({});
  context.variables["local"] = Value::object({});
  const Expression& value = *body->blocks[0].body->blocks[0].body->attributes[0].expression;
  const Value result = evaluate(value, context, diagnostics);
  if (!result.is_known()) diagnostics.add("Unsuitable value type", "Unsuitable value: value must be known", value.start_range());
  if (diagnostics.has_errors()) return {false, diagnostics.lines()};
  return {true, result.as_string()};
}

}  // namespace

TEST_CASE("functions: every recorded row gives the recorded text or error") {
  if (!drover::golden::has("hcl-functions")) return;
  const FunctionTable functions = standard_functions({});
  CHECK(functions.size() == 83);
  drover::golden::Tally tally("hcl-functions");
  for (const auto& stem : drover::golden::stems(drover::golden::topic("hcl-functions"), ".json")) {
    if (stem.filename() == "files-cli") continue;
    for (const auto& row : drover::golden::read_json(stem.string() + ".json")) {
      const std::string expression = row["expr"];
      const auto [good, text] = answer(expression, functions, "input.hcl");
      tally.report(stem.filename().string() + " " + expression, drover::golden::differences({{good ? "text" : "error", text}}, {{row.contains("text") ? "text" : "error", row.value(row.contains("text") ? "text" : "error", "")}}));
    }
  }
}

TEST_CASE("functions: file functions read the job file's folder as recorded, and nothing else (A-35)") {
  if (!drover::golden::has("hcl-functions")) return;
  // A folder as the recorded one: named job, with the job file in it.
  const auto temporary = drover::TempDir::make();
  REQUIRE(temporary);
  const std::filesystem::path folder = std::filesystem::path(temporary->path()) / "job";
  std::filesystem::copy(drover::golden::topic("hcl-functions") / "files", folder, std::filesystem::copy_options::recursive);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_directory()) std::filesystem::permissions(entry.path(), std::filesystem::perms{0755});
  }
  REQUIRE(drover::write_file((folder / "job.nomad.hcl").string(), "job \"x\" {}\n"));
  const FunctionTable functions = standard_functions({true, folder.string()});
  drover::golden::Tally tally("hcl-functions", "files");
  for (const auto& row : drover::golden::read_json(drover::golden::topic("hcl-functions") / "files-cli.json")) {
    const std::string expression = row["expr"];
    auto [good, text] = answer(expression, functions, "job.nomad.hcl");
    if (!good) text = "Error getting job struct: Error parsing job file from job.nomad.hcl:\n" + text + "\n";
    const char* what = row.contains("text") ? "text" : "stderr";
    tally.report("files-cli " + expression, drover::golden::differences({{good ? "text" : "stderr", text}}, {{what, row.value(what, "")}}));
  }
  const auto [good, text] = answer("file(\"../outside.txt\")", functions, "x");
  CHECK_FALSE(good);
  CHECK(text.find("outside the job file's folder") != std::string::npos);
}
