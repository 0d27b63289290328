// Variables of job files: where their values come from, in which order, and what is said of wrong ones.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "lib/jobspec/parse.h"

using namespace drover;

namespace {

std::string job_with(const std::string& declarations, const std::string& value) {
  return declarations + "\njob \"x\" {\n  meta {\n    v = " + value + "\n  }\n}\n";
}

std::string answer(const jobspec::ParseInput& input) {
  const auto job = jobspec::parse(input);
  return job ? (*job)["Meta"]["v"].get<std::string>() : job.error().message();
}

std::string answer(const std::string& source) {
  jobspec::ParseInput input;
  input.source = source;
  return answer(input);
}

}  // namespace

TEST_CASE("variables: flags over request text over files over environment over the default") {
  jobspec::ParseInput input;
  input.source = job_with("variable \"v\" {\n  default = \"default\"\n}\n", "var.v");
  CHECK(answer(input) == "default");
  input.environment["NOMAD_VAR_v"] = "environment";
  CHECK(answer(input) == "environment");
  input.variable_files = {{"one.hcl", "v = \"first file\"\n"}, {"two.hcl", "v = \"second file\"\n"}};
  CHECK(answer(input) == "second file");
  input.variables = "v = \"request\"\n";
  CHECK(answer(input) == "request");
  input.flags = {{"v", "flag"}, {"v", "last flag"}};
  CHECK(answer(input) == "last flag");
}

TEST_CASE("variables: text is taken literally for strings, numbers and what has no type, else read as an expression") {
  jobspec::ParseInput input;
  input.source = job_with("variable \"v\" {}\n", "var.v");
  input.flags = {{"v", "[1, 2]"}};
  CHECK(answer(input) == "[1, 2]");
  input.source = job_with("variable \"v\" {\n  type = list(number)\n}\n", "jsonencode(var.v)");
  CHECK(answer(input) == "[1,2]");
  input.source = job_with("variable \"v\" {\n  type = number\n}\n", "var.v + 1");
  input.flags = {{"v", "41"}};
  CHECK(answer(input) == "42");
  input.flags = {{"v", "many"}};
  CHECK(answer(input).find("Invalid argument value for -var variable; The received arg value for v is not compatible with the variable's type constraint: a number is required.") != std::string::npos);
  input.flags.clear();
  input.environment["NOMAD_VAR_v"] = "many";
  CHECK(answer(input).find("Invalid value for variable; The value for v is not compatible with the variable's type constraint: a number is required.") != std::string::npos);
}

TEST_CASE("variables: names nobody declared are errors in files and flags, unless told otherwise, and nothing in the environment") {
  jobspec::ParseInput input;
  input.source = job_with("", "\"x\"");
  input.environment["NOMAD_VAR_nosuch"] = "1";
  CHECK(answer(input) == "x");
  input.flags = {{"nosuch", "1"}};
  CHECK(answer(input) == "<nil>: Undefined -var variable; A \"nosuch\" variable was passed in the command line but was not found in known variables. To declare variable \"nosuch\", place this block in your job file");
  input.flags.clear();
  input.variable_files = {{"some.hcl", "nosuch = 1\n"}};
  CHECK(answer(input).starts_with("<nil>: Undefined variable; A \"nosuch\" variable was set but was not found in known variables."));
  hcl::Diagnostics diagnostics;
  CHECK_FALSE(jobspec::parse(input, diagnostics));
  // The wire form names no place; the rich form does.
  CHECK(hcl::render(diagnostics.items()[0]).find("on some.hcl line 1") != std::string::npos);
  input.strict = false;
  CHECK(answer(input) == "x");
}

TEST_CASE("variables: validation sees only the value that counts in the end") {
  const std::string declaration =
      "variable \"v\" {\n  type    = string\n  default = \"\"\n  validation {\n    condition     = length(split(\"\", var.v)) > 2\n    error_message = \"Too short.\"\n  }\n}\n";
  jobspec::ParseInput input;
  input.file_name = "job.hcl";
  input.source = job_with(declaration, "var.v");
  CHECK(answer(input) == "job.hcl:3,13-15: Invalid value for default variable; Too short.\n\nThis was checked by the validation rule at job.hcl:4,3-13.");
  input.flags = {{"v", "long enough"}};
  CHECK(answer(input) == "long enough");
  input.flags = {{"v", "x"}};
  CHECK(answer(input).find("Invalid value for cmd variable; Too short.") != std::string::npos);
  CHECK(answer(job_with("variable \"v\" {\n  default = 1\n  validation {\n    condition     = true\n    error_message = \"m\"\n  }\n}\n", "var.v")).find("The condition for variable \"v\" must refer to var.v in order to test incoming values.") != std::string::npos);
  CHECK(answer(job_with("variable \"v\" {\n  default = 1\n  validation {\n    condition     = var.v == local.x\n    error_message = \"m\"\n  }\n}\n", "var.v")).find("The condition for variable \"v\" can only refer to the variable itself, using var.v.") != std::string::npos);
  CHECK(answer(job_with("variable \"v\" {\n  default = 1\n  validation {\n    condition     = var.v > 0\n    error_message = \" \"\n  }\n}\n", "var.v")).find("An empty or blank string is not a valid nor useful error message.") != std::string::npos);
  CHECK(answer(job_with("variable \"v\" {\n  default = 1\n  validation {\n    condition     = [var.v]\n    error_message = \"m\"\n  }\n}\n", "var.v")).find("Invalid validation condition result value: bool required, but have tuple.") != std::string::npos);
}

TEST_CASE("variables: a sensitive value is used and never shown") {
  const std::string declaration = "variable \"v\" {\n  type      = list(number)\n  sensitive = true\n  validation {\n    condition     = length(var.v) > 1\n    error_message = \"Too short.\"\n  }\n}\n";
  const auto shown = [](const jobspec::ParseInput& input) {
    hcl::Diagnostics diagnostics;
    CHECK_FALSE(jobspec::parse(input, diagnostics));
    std::string out;
    for (const hcl::Diagnostic& one : diagnostics.items()) out += hcl::to_line(one) + "\n" + hcl::render(one);
    return out;
  };
  jobspec::ParseInput input;
  input.file_name = "job.hcl";
  input.source = job_with(declaration, "jsonencode(var.v)");
  input.flags = {{"v", "[417, 418]"}};
  CHECK(answer(input) == "[417,418]");
  for (const char* wrong : {"[417", "417", "[417]", "{a = \"417\"}"}) {
    CAPTURE(wrong);
    input.flags = {{"v", wrong}};
    input.variable_files.clear();
    CHECK(shown(input).find("417") == std::string::npos);
    CHECK(shown(input).find("**") != std::string::npos);
    if (std::string(wrong) == "[417") continue;  // a file that does not parse is told as one
    input.flags.clear();
    input.variable_files = {{"secret.hcl", "v = " + std::string(wrong) + "\n"}};
    CHECK(shown(input).find("417") == std::string::npos);
    CHECK(shown(input).find("on secret.hcl line 1") != std::string::npos);
  }
  CHECK(answer(job_with("variable \"v\" {\n  default   = 1\n  sensitive = \"maybe\"\n}\n", "var.v")).find("Unsuitable value: a bool is required") != std::string::npos);
}

TEST_CASE("variables: declarations that are wrong") {
  CHECK(answer(job_with("variable \"v\" {}\n", "\"x\"")).starts_with("<nil>: Unset variable \"v\"; A used variable must be set or have a default value;"));
  CHECK(answer(job_with("variable \"1v\" {\n  default = 1\n}\n", "\"x\"")).find("Invalid variable name; ") != std::string::npos);
  CHECK(answer(job_with("variable \"v\" {\n  default = 1\n}\nvariables {\n  v = 2\n}\n", "var.v")).find("Duplicate variable; Duplicate v variable definition found.") != std::string::npos);
  CHECK(answer(job_with("variable \"v\" {\n  type    = number\n  default = \"x\"\n}\n", "var.v")).find("This default value is not compatible with the variable's type constraint: a number is required.") != std::string::npos);
  CHECK(answer(job_with("variable \"v\" {\n  type = any\n}\n", "var.v")).find("The keyword \"any\" cannot be used in this type specification: an exact type is required.") != std::string::npos);
  CHECK(answer(job_with("variable \"v\" {\n  type = object({ a = optional(string) })\n}\n", "var.v")).find("Optional attribute modifier is only for type constraints, not for exact types.") != std::string::npos);
  jobspec::ParseInput input;
  input.source = job_with("variable \"v\" {\n  default = 1\n}\n", "var.v");
  input.variable_files = {{"some.hcl", "variable \"v\" {\n  default = 2\n}\n"}};
  CHECK(answer(input).find("Variable declaration in a .var file; ") != std::string::npos);
  input.variable_files = {{"some.hcl", "v = "}};
  CHECK(answer(input).starts_with("unable to parse var content: some.hcl:1,5-5: Missing expression; "));
}

TEST_CASE("variables: the short block, locals in any order, and JSON declarations") {
  CHECK(answer(job_with("variables {\n  a = \"x\"\n}\nlocals {\n  two = \"${local.one}!\"\n  one = upper(var.a)\n}\n", "local.two")) == "X!");
  CHECK(answer(job_with("locals {\n  a = local.b\n  b = local.a\n}\n", "local.a")).find("This object does not have an attribute named") != std::string::npos);
  CHECK(answer(job_with("locals {\n  a = \"first\"\n}\nlocals {\n  a = \"second\"\n}\n", "local.a")) == "second");
  CHECK(answer(R"json({"variable": {"v": {"type": "list(string)", "default": ["a"]}}, "job": {"x": {"meta": {"v": "${jsonencode(var.v)}"}}}})json") == "[\"a\"]");
}
