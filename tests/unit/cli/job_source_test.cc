#include "cli/job_source.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>

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

  // What `job validate` says about the text on stderr, called as `program`, the folder's path taken out. No agent listens.
  std::string refusal(const std::string& text, std::vector<std::string> flags = {}, const char* program = "drover") {
    REQUIRE(write_file(folder + "/job.hcl", text));
    flags.insert(flags.begin(), {"job", "validate", "-address=http://127.0.0.1:1"});
    flags.push_back(folder + "/job.hcl");
    return run(flags, program).err;
  }
  Ui::Capture run(const std::vector<std::string>& words, const char* program = "drover") {
    Ui::Capture capture;
    Ui ui(&capture);
    ui.set_program(program);
    code = run_command_line(words, ui);
    for (std::string* message : {&capture.err, &capture.out}) {
      for (std::size_t at = 0; (at = message->find(folder + "/")) != std::string::npos;) message->erase(at, folder.size() + 1);
    }
    return capture;
  }
  int code = 0;
};

constexpr const char* misspelt = "job \"a\" {\n  group \"g\" {\n    tsk \"t\" {\n    }\n  }\n}\n";
}  // namespace

TEST_CASE("job file: a mistake shows file, line, column, the line with a caret and what would be accepted") {
  JobFile file;
  CHECK(file.refusal(misspelt) ==
        "Error getting job struct: Error parsing job file from job.hcl:\n"
        "job.hcl:3,5-8: Unsupported block type; Blocks of type \"tsk\" are not expected here. Did you mean \"task\"?\n\n"
        "  on job.hcl line 3, column 5:\n  3 |     tsk \"t\" {\n    |     ^^^\n");
  CHECK(file.code == 1);
}

TEST_CASE("job file: scripts get the reference's text alone") {
  JobFile file;
  CHECK(file.refusal(misspelt, {}, "nomad") ==
        "Error getting job struct: Error parsing job file from job.hcl:\n"
        "job.hcl:3,5-8: Unsupported block type; Blocks of type \"tsk\" are not expected here. Did you mean \"task\"?\n");
}

TEST_CASE("job file: an undeclared name of a variable file is shown where it stands, though the text names no place") {
  JobFile file;
  REQUIRE(write_file(file.folder + "/vars.hcl", "zz = 1\n"));
  const std::string text = file.refusal("job \"a\" {}\n", {"-var-file", file.folder + "/vars.hcl"});
  CHECK(text.find("<nil>: Undefined variable; A \"zz\" variable was set") != std::string::npos);
  CHECK(text.ends_with("  on vars.hcl line 1, column 1:\n  1 | zz = 1\n    | ^^^^^^\n"));
}

TEST_CASE("job file: every mistake of a run is told, also those the reference only counts") {
  JobFile file;
  const std::string text = file.refusal("job \"a\" {\n  x = [1\n}\njob \"b\" {\n  y = \"\n}\n");
  CHECK(text.find("other diagnostic(s)") != std::string::npos);
  CHECK(text.find("\n\nError: ") != std::string::npos);
}

TEST_CASE("job file: a variable without a value does not hide misspelt blocks") {
  JobFile file;
  const std::string text = file.refusal("variable \"x\" {}\njob \"a\" {\n  nme = var.x\n  group \"g\" {\n    tsk \"t\" {}\n    constraint {\n      atribute = \"x\"\n    }\n  }\n}\n");
  CHECK(text.find("Unset variable \"x\"") != std::string::npos);
  for (const char* place : {"line 3, column 3", "line 5, column 5", "line 7, column 7"}) CHECK(text.find(place) != std::string::npos);
  const std::string alone = file.refusal(misspelt);
  CHECK(alone.find("Unsupported block type") == alone.rfind("Unsupported block type"));
}

TEST_CASE("job file: without an agent it is validated here, and mistakes are shown at their lines") {
  JobFile file;
  const std::string text = file.refusal("job \"a\" {\n  type = \"servce\"\n  group \"g\" {\n    task \"t\" {}\n  }\n}\n", {"-no-lint"});
  CHECK(file.code == 1);
  CHECK(text.starts_with("Job validation errors:\n"));
  CHECK(text.find("job.hcl line 2, column 3:\n  2 |   type = \"servce\"\n    |   ^^^^^^^^^^^^^^^\n  type takes \"service\", \"batch\", \"system\" or \"sysbatch\". Did you mean \"service\"?") != std::string::npos);
  CHECK(text.find("Missing task driver\n  on job.hcl line 4, column 5:") != std::string::npos);
  CHECK(file.refusal("job \"a\" {\n  group \"g\" {\n    task \"t\" {}\n  }\n}\n", {}, "nomad") ==
        "Job validation errors:\n1 error occurred:\n\t* Task group g validation failed: 1 error occurred:\n\t* Task t validation failed: 1 error occurred:\n\t* Missing task driver\n\n\n\n\n\n\n");
}

namespace {
constexpr const char* careless = "job \"a\" {\n  group \"g\" {\n    task \"t\" {\n      driver = \"raw_exec\"\n    }\n  }\n}\n";
}

TEST_CASE("job file: warnings are said, switched off, and made to count") {
  JobFile file;
  std::string text = file.refusal(careless);
  CHECK(file.code == 0);
  CHECK(text.find("(DL001)\n  on job.hcl line 3") != std::string::npos);
  CHECK(text.find("(DL002)") != std::string::npos);
  for (const char* flag : {"-no-lint", "-lint=off"}) CHECK(file.refusal(careless, {flag}).find("(DL") == std::string::npos);
  text = file.refusal(careless, {"-lint-ignore=DL002"});
  CHECK(text.find("(DL001)") != std::string::npos);
  CHECK(text.find("(DL002)") == std::string::npos);
  CHECK(file.refusal(careless, {"-lint-ignore=DL001,DL002", "-lint=error"}).find("(DL") == std::string::npos);
  CHECK(file.code == 0);
  CHECK(file.refusal(careless, {"-lint=error"}).find("(DL001)") != std::string::npos);
  CHECK(file.code == 1);
  CHECK(file.refusal(careless, {}, "nomad").find("(DL") == std::string::npos);
}

TEST_CASE("job file: flags with values that are none") {
  JobFile file;
  CHECK(file.refusal(careless, {"-format=sariff"}).starts_with("invalid value \"sariff\" for flag -format: it takes text, json, sarif or github. Did you mean \"sarif\"?\n"));
  CHECK(file.code == 1);
  CHECK(file.refusal(careless, {"-lint=of"}).find("Did you mean \"on\"?") != std::string::npos);
  CHECK(file.refusal(careless, {"-lint-ignore=DL9"}).find("ids of warnings: DL000, DL001") != std::string::npos);
}

TEST_CASE("job file: json and sarif are all of stdout; github's lines are added to it") {
  JobFile file;
  REQUIRE(write_file(file.folder + "/job.hcl", careless));
  const auto validate = [&](const char* format) { return file.run({"job", "validate", "-address=http://127.0.0.1:1", format, file.folder + "/job.hcl"}); };
  auto ran = validate("-format=json");
  CHECK(file.code == 0);
  auto document = nlohmann::json::parse(ran.out, nullptr, false);
  CHECK(document.value("valid", false));
  CHECK(document.value("warning_count", 0) == 2);
  CHECK(ran.err.find("Job validation successful") != std::string::npos);
  ran = validate("-format=sarif");
  document = nlohmann::json::parse(ran.out, nullptr, false);
  CHECK(document["runs"][0]["results"].size() == 2);
  ran = validate("-format=github");
  CHECK(ran.out.find("Job validation successful\n::warning file=") != std::string::npos);
  REQUIRE(write_file(file.folder + "/job.hcl", misspelt));
  ran = validate("-format=json");
  CHECK(file.code == 1);
  CHECK(nlohmann::json::parse(ran.out, nullptr, false)["diagnostics"][0]["range"]["start"]["line"] == 3);
  for (const char* command : {"plan", "run"}) {
    ran = file.run({"job", command, "-address=http://127.0.0.1:1", "-format=json", file.folder + "/job.hcl"});
    CHECK(file.code == (std::string(command) == "plan" ? 255 : 1));
    CHECK(nlohmann::json::parse(ran.out, nullptr, false).value("error_count", 0) == 1);
  }
}

TEST_CASE("job file: an agent that is not there is an error without a place") {
  JobFile file;
  REQUIRE(write_file(file.folder + "/job.hcl", careless));
  const auto ran = file.run({"job", "run", "-address=http://127.0.0.1:1", "-format=json", file.folder + "/job.hcl"});
  CHECK(file.code == 1);
  const auto document = nlohmann::json::parse(ran.out, nullptr, false);
  CHECK(document["diagnostics"][0]["id"] == "server");
  CHECK_FALSE(document["diagnostics"][0].contains("range"));
}

TEST_CASE("job file: a missing file, a variable without a value, JSON that is none") {
  JobFile file;
  lint::Findings findings;
  const auto missing = read_job_source("/nonexistent/job.hcl", {}, findings);
  REQUIRE_FALSE(missing);
  CHECK(missing.error().message() ==
        "Error getting job struct: Error getting jobfile from \"/nonexistent/job.hcl\": source path error: stat /nonexistent/job.hcl: no such file or directory");
  CHECK(file.refusal("job \"a\" {}\n", {"-var", "x"}).find("must be a variable name and value separated by an equals sign") != std::string::npos);
  CHECK(file.refusal("[]", {"-json"}).find("is not a JSON object") != std::string::npos);
}

TEST_CASE("job file: functions read files of its folder, and others only when the user says so (A-35)") {
  JobFile file;
  REQUIRE(write_file(file.folder + "/name.txt", "beside"));
  REQUIRE(write_file(file.folder + "/job.hcl", "job \"a\" {\n  name = file(\"name.txt\")\n}\n"));
  lint::Findings findings;
  auto source = read_job_source(file.folder + "/job.hcl", {}, findings);
  REQUIRE(source);
  CHECK(source->text("Name") == "beside");
  const std::string outside = "job \"a\" {\n  name = trimspace(file(\"/proc/sys/kernel/ostype\"))\n}\n";
  CHECK(file.refusal(outside).find("outside the job file's folder") != std::string::npos);
  CHECK(file.refusal(outside, {"-files-anywhere"}).find("outside the job file's folder") == std::string::npos);
}

TEST_CASE("job file: the submission does not keep values of sensitive variables") {
  JobFile file;
  REQUIRE(write_file(file.folder + "/job.hcl", "variable \"p\" {\n  sensitive = true\n}\nvariable \"q\" {\n  sensitive = true\n}\nvariable \"n\" {}\njob \"a\" {\n  name = \"${var.p}${var.q}${var.n}\"\n}\n"));
  REQUIRE(write_file(file.folder + "/vars.hcl", "q = \"hunter2\"\nn = \"3\"\n"));
  REQUIRE(write_file(file.folder + "/vars.json", "{\"q\": \"hunter3\"}"));
  lint::Findings findings;
  const auto source = read_job_source(file.folder + "/job.hcl", {.vars = {"p=hunter1"}, .var_files = {file.folder + "/vars.hcl", file.folder + "/vars.json"}}, findings);
  REQUIRE(source);
  CHECK(source->text("Name") == "hunter1hunter33");
  CHECK(source->submission.variable_flags.empty());
  CHECK(source->submission.variables == "\nn = \"3\"\n");
  CHECK(source->sensitive == std::set<std::string>{"p", "q"});
}

TEST_CASE("job file: JSON of the API has places, and a broken one a line") {
  JobFile file;
  REQUIRE(write_file(file.folder + "/job.json", "{\n  \"ID\": \"a\",\n  \"Type\": \"batch\"\n}\n"));
  lint::Findings findings;
  const auto source = read_job_source(file.folder + "/job.json", {.json = true}, findings);
  REQUIRE(source);
  REQUIRE(source->tree() != nullptr);
  CHECK(source->tree()->blocks.at(0).body->attributes.at(1).range.start.line == 3);
  REQUIRE(write_file(file.folder + "/bad.json", "{\n  \"ID\": \"a\"\n  \"Type\": \"batch\"\n}\n"));
  CHECK_FALSE(read_job_source(file.folder + "/bad.json", {.json = true}, findings));
  REQUIRE(findings.size() == 1);
  REQUIRE(findings[0].place);
  CHECK(findings[0].detail == "syntax error while parsing object - unexpected string literal; expected '}'");
  CHECK(findings[0].place->start.line == 3);
}

TEST_CASE("job file: the submission keeps the source and the variables") {
  JobFile file;
  REQUIRE(write_file(file.folder + "/job.hcl", "variable \"n\" {\n}\njob \"a\" {\n  priority = var.n\n}\n"));
  lint::Findings findings;
  const auto source = read_job_source(file.folder + "/job.hcl", {.vars = {"n=7"}}, findings);
  REQUIRE(source);
  CHECK(source->text("ID") == "a");
  CHECK(source->submission.format == "hcl2");
  CHECK(source->submission.source.starts_with("variable"));
  CHECK(source->submission.variable_flags.at("n") == "7");
}
