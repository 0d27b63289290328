// The command `fmt` over its recorded rows, and over files in a folder.
#include <doctest/doctest.h>

#include <iostream>
#include <sstream>

#include "cli/commands.h"
#include "sdk/base/file.h"
#include "tests/unit/support/golden.h"

using namespace drover;

namespace {

struct Answer {
  int code = 0;
  cli::Ui::Capture text;
};

Answer run(const std::vector<std::string>& words, const std::string& input = "") {
  std::istringstream stream(input);
  auto* before = std::cin.rdbuf(stream.rdbuf());
  Answer out;
  cli::Ui ui(&out.text);
  out.code = cli::run_command_line(words, ui);
  std::cin.rdbuf(before);
  std::cin.clear();
  return out;
}

}  // namespace

TEST_CASE("fmt: every recorded text is laid out alike, or refused with the recorded words") {
  if (!golden::has("fmt")) return;
  golden::Tally tally("fmt");
  int number = 0;
  for (const auto& row : golden::read_json(golden::topic("fmt") / "fmt.json")) {
    const Answer answer = run({"fmt", "-"}, row["stdin"]);
    const nlohmann::json got{{"exit", answer.code}, {"stdout", answer.text.out}, {"stderr", answer.text.err}, {"stdin", row["stdin"]}};
    tally.report("row-" + std::to_string(number++), golden::differences(got, row));
  }
}

TEST_CASE("fmt: what is laid out stays as it is") {
  if (!golden::has("fmt")) return;
  for (const auto& row : golden::read_json(golden::topic("fmt") / "fmt.json")) {
    const Answer once = run({"fmt", "-"}, row["stdin"]);
    if (once.code != 0) continue;
    CHECK(run({"fmt", "-"}, once.text.out).text.out == once.text.out);
  }
}

TEST_CASE("fmt: files are listed, checked and written") {
  auto folder = TempDir::make();
  REQUIRE(folder);
  const std::string root = folder->path();
  REQUIRE(make_directories(root + "/below"));
  REQUIRE(write_file(root + "/a.nomad.hcl", "a=1\n"));
  REQUIRE(write_file(root + "/b.txt", "a=1\n"));
  REQUIRE(write_file(root + "/below/c.hcl", "a=1\n"));
  const std::string a = root + "/a.nomad.hcl";

  Answer answer = run({"fmt", "-check", root});
  CHECK(answer.code == 1);
  CHECK(answer.text.out == a + "\n");
  CHECK(*read_file(a) == "a=1\n");

  answer = run({"fmt", "-write=false", "-list=false", a});
  CHECK(answer.code == 0);
  CHECK(answer.text.out == "a = 1\n");

  answer = run({"fmt", root});
  CHECK(answer.code == 0);
  CHECK(*read_file(a) == "a = 1\n");
  CHECK(*read_file(root + "/b.txt") == "a=1\n");
  CHECK(*read_file(root + "/below/c.hcl") == "a=1\n");
  CHECK(run({"fmt", root}).text.out.empty());

  CHECK(run({"fmt", "-recursive", root}).text.out == root + "/below/c.hcl\n");
  answer = run({"fmt", root + "/none.hcl"});
  CHECK(answer.code == 1);
  CHECK(answer.text.err.starts_with("1 error occurred:\n\t* No file or directory at " + root + "/none.hcl\n\n"));
}

TEST_CASE("fmt: -check for programs names the first line that differs, and what does not parse") {
  auto folder = TempDir::make();
  REQUIRE(folder);
  const std::string path = folder->path() + "/a.hcl";
  REQUIRE(write_file(path, "a = 1\nb=2\n"));
  Answer answer = run({"fmt", "-check", "-format=github", path});
  CHECK(answer.code == 1);
  CHECK(answer.text.out.find("::error file=" + path + ",line=2,endLine=2,col=1,endColumn=4,title=the file is not in the canonical layout::run: drover fmt " + path + "\n") != std::string::npos);
  answer = run({"fmt", "-check", "-format=json", path});
  CHECK(nlohmann::json::parse(answer.text.out, nullptr, false)["diagnostics"][0]["id"] == "format");
  REQUIRE(write_file(path, "a {\n"));
  answer = run({"fmt", "-check", "-format=json", path});
  CHECK(answer.code == 1);
  CHECK(nlohmann::json::parse(answer.text.out, nullptr, false)["diagnostics"][0]["id"] == "parse");
  REQUIRE(write_file(path, "a = 1\n"));
  answer = run({"fmt", "-check", "-format=json", path});
  CHECK(answer.code == 0);
  CHECK(nlohmann::json::parse(answer.text.out, nullptr, false).value("valid", false));
}

TEST_CASE("golden misc: counts of bytes") {
  if (!golden::has("misc")) return;
  golden::Tally tally("misc", "bytes");
  for (const auto& row : golden::read_json(golden::topic("misc") / "bytes.json")) {
    tally.report(row["bytes"].dump(), golden::differences(cli::format_bytes(row["bytes"]), row["iec"]));
  }
}
