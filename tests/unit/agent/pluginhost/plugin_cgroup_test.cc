#include "agent/pluginhost/plugin_cgroup.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>

#include "sdk/base/file.h"

using namespace drover;
using namespace drover::pluginhost;

namespace {
std::map<std::string, std::string> files(const PluginLimits& limits, bool device) {
  std::map<std::string, std::string> out;
  for (const auto& [name, value] : limit_files(limits, device)) out[name] = value;
  return out;
}
}  // namespace

TEST_CASE("P_20 plugin cgroup: a device plugin has limits, a driver has those that somebody wrote") {
  const auto device = files({}, true);
  CHECK(device.at("memory.max") == "536870912");
  CHECK(device.at("memory.high") == "469762048");
  CHECK(device.at("pids.max") == "512");
  CHECK(device.at("memory.oom.group") == "1");
  CHECK(device.at("cpu.weight") == "100");
  // Executors and log collectors of its tasks live with it.
  const auto driver = files({}, false);
  for (const char* name : {"memory.max", "memory.high", "pids.max"}) CHECK(driver.at(name) == "max");
  CHECK(driver.at("memory.oom.group") == "0");
  const auto written = files({.memory_mb = 1024, .pids = 4096, .cpu_weight = 50}, false);
  CHECK(written.at("memory.max") == "1073741824");
  CHECK(written.at("pids.max") == "4096");
  CHECK(written.at("cpu.weight") == "50");
  CHECK(written.at("memory.oom.group") == "0");
  const auto none = files({.memory_mb = 0, .pids = 0}, true);
  CHECK(none.at("memory.max") == "max");
  CHECK(none.at("memory.high") == "max");
  CHECK(none.at("pids.max") == "max");
}

TEST_CASE("P_20 plugin cgroup: the kernel takes a plugin before the agent, and another's tasks like any process") {
  CHECK(plugin_oom_score(-1000, true) == -500);
  CHECK(plugin_oom_score(-1000, false) == 0);
  CHECK(plugin_oom_score(0, true) == 0);
  CHECK(plugin_oom_score(300, true) == 300);
  CHECK(plugin_oom_score(300, false) == 300);
}

TEST_CASE("P_20 plugin cgroup: each agent's plugins have their own, and none where there is no hierarchy") {
  CHECK(plugin_cgroup("", "a", "/run/a").empty());
  const std::string one = plugin_cgroup("/c/nomad.slice", "a", "/run/a");
  CHECK(one.starts_with("/c/nomad.slice/plugins.slice/a-"));
  CHECK(one.ends_with(".scope"));
  CHECK(one == plugin_cgroup("/c/nomad.slice", "a", "/run/a"));
  CHECK(one != plugin_cgroup("/c/nomad.slice", "a", "/run/b"));
  CHECK(one != plugin_cgroup("/c/nomad.slice", "b", "/run/a"));
}

TEST_CASE("P_20 plugin cgroup: what nobody uses any more goes, and nothing else") {
  const auto directory = TempDir::make();
  REQUIRE(directory);
  const std::string slice = directory->path(), empty = slice + "/plugins.slice/a.scope", used = slice + "/plugins.slice/b.scope";
  REQUIRE(make_directories(empty));
  REQUIRE(make_directories(used + "/process"));
  REQUIRE(make_directories(slice + "/plugins.slice/other"));
  struct stat info {};
  REQUIRE(::stat(empty.c_str(), &info) == 0);
  sweep_plugin_cgroups(slice, info.st_ctim.tv_sec + 299, 300);
  CHECK(::access(empty.c_str(), F_OK) == 0);
  sweep_plugin_cgroups(slice, info.st_ctim.tv_sec + 400, 300);
  CHECK(::access(empty.c_str(), F_OK) != 0);
  CHECK(::access(used.c_str(), F_OK) == 0);
  CHECK(::access((slice + "/plugins.slice/other").c_str(), F_OK) == 0);
}

TEST_CASE("P_20 plugin cgroup: what cannot be limited is said, and what need not be is not") {
  const auto directory = TempDir::make();
  REQUIRE(directory);
  const std::string path = directory->path() + "/plugins.slice/a.scope";
  REQUIRE(make_directories(path));
  CHECK(set_plugin_limits(path, {}, false).empty());
  CHECK(set_plugin_limits(path, {}, true).size() == 4);
  REQUIRE(write_file(path + "/memory.max", ""));
  const auto problems = set_plugin_limits(path, {.memory_mb = 3}, false);
  REQUIRE(problems.size() == 1);
  CHECK(problems.front() == "memory.high: this machine's cgroups lack the controller");
  CHECK(read_file(path + "/memory.max").value_or("") == "3145728");
  CHECK(oom_kills_in(path) == 0);
  REQUIRE(write_file(path + "/memory.events", "low 0\noom 3\noom_kill 2\noom_group_kill 1\n"));
  CHECK(oom_kills_in(path) == 2);
}
