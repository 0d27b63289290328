#include "cli/command.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "sdk/base/file.h"
#include "sdk/base/text.h"
#include "tests/unit/source_dir.h"

using namespace drover;
using namespace drover::cli;

namespace {
struct Ran {
  int code = 0;
  std::string out, err;
};

Ran run(const std::vector<std::string>& words, const char* program = "nomad") {
  Ui::Capture capture;
  Ui ui(&capture);
  ui.set_program(program);
  const int code = run_command_line(words, ui);
  return {code, capture.out, capture.err};
}
}  // namespace

TEST_CASE("command line: what is unknown, and where help goes") {
  CHECK(run({}).code == 127);
  CHECK(run({"nosuch"}).code == 127);
  CHECK(run({"nosuch"}).out.starts_with("Usage: nomad [-version]"));
  CHECK(run({"job"}).code == 1);
  CHECK(run({"job", "nosuch"}).code == 1);
  CHECK(run({"job", "-help"}).code == 0);
  CHECK(run({"job", "run", "-h"}).code == 0);
  CHECK(run({"job", "run", "-h"}).out.starts_with("Usage: nomad job run [options] <path>"));
  CHECK(run({"-address=x", "status"}).code == 1);
  CHECK(run({"-address=x", "status"}).out.starts_with("Invalid flags before the subcommand."));
}

TEST_CASE("command line: an unknown flag is said on stderr, the help on stdout") {
  const auto ran = run({"job", "stop", "-zz", "web"});
  CHECK(ran.code == 1);
  CHECK(ran.err == "flag provided but not defined: -zz\n");
  CHECK(ran.out.starts_with("Usage: nomad job stop"));
}

TEST_CASE("command line: wrong argument counts say so and where help is") {
  const auto ran = run({"run"});
  CHECK(ran.code == 1);
  CHECK(ran.err == "This command takes one argument: <path>\nFor additional help try 'nomad job run -help'\n");
}

TEST_CASE("command line: the version by either name") {
  CHECK(run({"-version"}).out.starts_with("Nomad v2.0."));
  CHECK(run({"version"}, "/usr/local/bin/drover").out.starts_with("Drover v"));
}

TEST_CASE("the table is sorted; every command has a help text, every alias a command, every group a line") {
  const auto& all = all_commands();
  CHECK(std::is_sorted(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.words < b.words; }));
  for (const CommandEntry& entry : all) {
    CAPTURE(entry.words);
    if (!entry.alias_of.empty()) {
      CHECK(find_command(entry.words) != nullptr);
      continue;
    }
    CHECK_FALSE(entry.synopsis.empty());
    CHECK_FALSE(entry.help.empty());
    CHECK(run({entry.words.substr(0, entry.words.find(' ')), "-help"}).code == 0);
    for (std::size_t at = entry.words.find(' '); at != std::string::npos; at = entry.words.find(' ', at + 1)) {
      const std::string group = entry.words.substr(0, at);
      CAPTURE(group);
      CHECK(std::any_of(command_groups().begin(), command_groups().end(), [&](const auto& one) { return one.first == group; }));
    }
  }
}

TEST_CASE("the manual page has every command and its line") {
  const auto page = read_file(source_dir() + "/docs/man/drover.1");
  REQUIRE(page);
  for (const CommandEntry& entry : all_commands()) {
    if (entry.hidden || !entry.alias_of.empty()) continue;
    CAPTURE(entry.words);
    CHECK(page->find(fmt::format("\n.B {}\n{}.\n", replace_all(entry.words, "-", "\\-"), entry.synopsis)) != std::string::npos);
  }
}

TEST_CASE("every flag of every command has a help text") {
  for (const CommandEntry& entry : all_commands()) {
    if (!entry.alias_of.empty()) continue;
    CAPTURE(entry.words);
    FlagSet flags;
    const auto command = entry.make();
    command->flags(flags);
    for (const std::string& name : flags.names()) {
      CAPTURE(name);
      CHECK(flags.help().find("  " + name) != std::string::npos);
    }
  }
}

TEST_CASE("an address that cannot be asked is an error that names it") {
  const auto ran = run({"job", "status", "-address=http://127.0.0.1:1"});
  CHECK(ran.code == 1);
  CHECK(ran.err.find("127.0.0.1:1") != std::string::npos);
}
