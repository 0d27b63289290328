#include "cli/complete.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "sdk/base/file.h"

using namespace drover;
using namespace drover::cli;

namespace {
std::vector<std::string> nobody(Completes, const std::string&) { return {}; }

std::vector<std::string> known(Completes kind, const std::string& prefix) {
  std::vector<std::string> out;
  if (kind != Completes::jobs) return out;
  for (const char* name : {"web", "worker", "db"}) {
    if (std::string(name).starts_with(prefix)) out.emplace_back(name);
  }
  return out;
}

bool has(const std::vector<std::string>& words, const std::string& word) { return std::find(words.begin(), words.end(), word) != words.end(); }

// A home directory of its own that goes with the test.
struct Home {
  std::string path;
  Home() {
    std::string name = (std::filesystem::temp_directory_path() / "drover-complete-XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~Home() { std::filesystem::remove_all(path); }
};
}  // namespace

TEST_CASE("completion: words of commands, without hidden ones") {
  const auto top = complete("nomad ", nobody);
  CHECK(has(top, "job"));
  CHECK(has(top, "run"));
  CHECK_FALSE(has(top, "alloc-status"));
  CHECK(complete("nomad job st", nobody) == std::vector<std::string>{"start", "status", "stop"});
  CHECK(complete("nomad operator scheduler ", nobody) == std::vector<std::string>{"get-config", "set-config"});
  CHECK(complete("nomad nosuch ", nobody).empty());
}

TEST_CASE("completion: flags of the command and the general ones") {
  CHECK(complete("nomad job stop -pu", nobody) == std::vector<std::string>{"-purge"});
  CHECK(has(complete("nomad stop -", nobody), "-namespace"));
  CHECK_FALSE(has(complete("nomad version -", nobody), "-namespace"));
}

TEST_CASE("completion: arguments by what they stand for") {
  CHECK(complete("nomad job status w", known) == std::vector<std::string>{"web", "worker"});
  CHECK(complete("nomad job status -short ", known) == std::vector<std::string>{"db", "web", "worker"});
  CHECK(complete("nomad node status w", known).empty());
}

TEST_CASE("completion: job files by their names") {
  const Home home;
  for (const char* name : {"a.nomad.hcl", "a.txt", "b.nomad"}) REQUIRE(write_file(home.path + "/" + name, ""));
  CHECK(complete("nomad job run " + home.path + "/", nobody) == std::vector<std::string>{home.path + "/a.nomad.hcl", home.path + "/b.nomad"});
  CHECK(complete("nomad job run " + home.path + "/a", nobody) == std::vector<std::string>{home.path + "/a.nomad.hcl"});
}

TEST_CASE("completion is written into the files of the shells in use, once, and taken out again") {
  const Home home;
  REQUIRE(write_file(home.path + "/.bashrc", "alias ll='ls -l'"));
  REQUIRE(write_file(home.path + "/.zshrc", ""));
  const auto changed = install_completion(home.path, "/usr/bin/nomad");
  REQUIRE(changed);
  CHECK(*changed == std::vector<std::string>{home.path + "/.bashrc", home.path + "/.zshrc"});
  CHECK(*read_file(home.path + "/.bashrc") == "alias ll='ls -l'\ncomplete -C /usr/bin/nomad nomad\n");
  CHECK(read_file(home.path + "/.zshrc")->find("complete -o nospace -C /usr/bin/nomad nomad") != std::string::npos);
  CHECK_FALSE(install_completion(home.path, "/usr/bin/nomad"));
  REQUIRE(uninstall_completion(home.path, "/usr/bin/nomad"));
  CHECK(*read_file(home.path + "/.bashrc") == "alias ll='ls -l'\n");
}
