#include "cli/job_source.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>

#include "sdk/base/file.h"

using namespace drover;
using namespace drover::cli;

namespace {
// A job file that goes with the test; `refusal` is what reading it says, the folder's path taken out.
struct JobFile {
  std::string folder;
  JobFile() {
    std::string name = (std::filesystem::temp_directory_path() / "drover-source-XXXXXX").string();
    folder = ::mkdtemp(name.data());
  }
  ~JobFile() { std::filesystem::remove_all(folder); }

  std::string refusal(const std::string& text, JobSourceOptions options = {}) {
    REQUIRE(write_file(folder + "/job.hcl", text));
    const auto source = read_job_source(folder + "/job.hcl", options);
    if (source) return "";
    std::string message = source.error().message();
    for (std::size_t at = 0; (at = message.find(folder + "/")) != std::string::npos;) message.erase(at, folder.size() + 1);
    return message;
  }
};

constexpr const char* misspelt = "job \"a\" {\n  group \"g\" {\n    tsk \"t\" {\n    }\n  }\n}\n";
}  // namespace

TEST_CASE("job file: a mistake shows file, line, column, the line with a caret and what would be accepted") {
  JobFile file;
  CHECK(file.refusal(misspelt, {.excerpts = true}) ==
        "Error getting job struct: Error parsing job file from job.hcl:\n"
        "job.hcl:3,5-8: Unsupported block type; Blocks of type \"tsk\" are not expected here. Did you mean \"task\"?\n\n"
        "  on job.hcl line 3, column 5:\n  3 |     tsk \"t\" {\n    |     ^^^");
}

TEST_CASE("job file: scripts get the reference's text alone") {
  JobFile file;
  CHECK(file.refusal(misspelt) ==
        "Error getting job struct: Error parsing job file from job.hcl:\n"
        "job.hcl:3,5-8: Unsupported block type; Blocks of type \"tsk\" are not expected here. Did you mean \"task\"?");
}

TEST_CASE("job file: an undeclared name of a variable file is shown where it stands, though the text names no place") {
  JobFile file;
  REQUIRE(write_file(file.folder + "/vars.hcl", "zz = 1\n"));
  const std::string text = file.refusal("job \"a\" {}\n", {.var_files = {file.folder + "/vars.hcl"}, .excerpts = true});
  CHECK(text.find("<nil>: Undefined variable; A \"zz\" variable was set") != std::string::npos);
  CHECK(text.ends_with("  on vars.hcl line 1, column 1:\n  1 | zz = 1\n    | ^^^^^^"));
}

TEST_CASE("job file: a missing file, a variable without a value, JSON that is none") {
  JobFile file;
  const auto missing = read_job_source("/nonexistent/job.hcl", {});
  REQUIRE_FALSE(missing);
  CHECK(missing.error().message() ==
        "Error getting job struct: Error getting jobfile from \"/nonexistent/job.hcl\": source path error: stat /nonexistent/job.hcl: no such file or directory");
  CHECK(file.refusal("job \"a\" {}\n", {.vars = {"x"}}).find("must be a variable name and value separated by an equals sign") != std::string::npos);
  CHECK(file.refusal("[]", {.json = true}).find("is not a JSON object") != std::string::npos);
}

TEST_CASE("job file: the submission keeps the source and the variables") {
  JobFile file;
  REQUIRE(write_file(file.folder + "/job.hcl", "variable \"n\" {\n}\njob \"a\" {\n  priority = var.n\n}\n"));
  const auto source = read_job_source(file.folder + "/job.hcl", {.vars = {"n=7"}});
  REQUIRE(source);
  CHECK(source->text("ID") == "a");
  CHECK(source->submission.format == "hcl2");
  CHECK(source->submission.source.starts_with("variable"));
  CHECK(source->submission.variable_flags.at("n") == "7");
}
