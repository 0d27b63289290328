// What a device plugin is told of who holds its devices (plugin protocol 6.4).
#include <doctest/doctest.h>

#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <csignal>

#include "agent/pluginhost/driver_manager.h"
#include "sdk/async/scope.h"
#include "sdk/base/file.h"
#include "sdk/base/text.h"
#include "tests/unit/agent/pluginhost/scenario.h"

using namespace drover;
using namespace drover::pluginhost;
using drover::testing::run;
using namespace std::chrono_literals;

namespace {
struct Node {
  Node() : directory(std::move(*TempDir::make())) {
    REQUIRE(make_directories(directory.path() + "/plugins"));
    REQUIRE(make_directories(directory.path() + "/state"));
    REQUIRE(make_directories(directory.path() + "/greeters"));
    for (const char* name : {"ann", "bob"}) REQUIRE(write_file(directory.path() + "/greeters/" + name, "hello"));
    REQUIRE(::symlink(DROVER_HELLO_DEVICE, (directory.path() + "/plugins/greeters").c_str()) == 0);
    REQUIRE(::symlink(DROVER_PLANTED_PLUGIN, (directory.path() + "/plugins/planted").c_str()) == 0);
  }
  [[nodiscard]] Options options() const {
    Options out;
    out.directories = {directory.path() + "/plugins", ""};
    out.blocks = {{"greeters", {.args = {}, .config_json = R"({"directory": ")" + directory.path() + R"(/greeters"})"}}, {"planted", {.args = {"device"}, .config_json = {}}}};
    out.socket_dir = directory.path() + "/run";
    out.environment = {{"PATH", "/usr/bin:/bin"}, {"DROVER_STATE_DIR", directory.path() + "/state"}};
    return out;
  }
  // How often the plugin without such calls was asked.
  [[nodiscard]] std::size_t asked(const std::string& call) const {
    const auto text = read_file(directory.path() + "/state/" + call, 1000);
    return text ? text->size() : 0;
  }
  TempDir directory;
};

device::Owner task(const std::string& alloc) { return {.namespace_ = "default", .job_id = "job", .task_group = "g", .alloc_id = alloc, .task = "t"}; }
device::DeviceSet greeter(const std::string& id) { return {"drover", "greeter", "file", {id}}; }
device::DeviceSet gpu(const std::string& id) { return {"acme", "gpu", "m1", {id}}; }

Async<> follow(PluginLogRing& log, Condition& changed) {
  for (;;) {
    co_await log.wait();
    changed.notify_all();
  }
}
// A manager, and whatever it or its greeters tell.
struct Watched {
  DriverManager manager;
  Condition changed;
  Scope scope;
  Watched(const Node& node, const Executor& executor) : manager(executor, Logger(), system_clock(), node.options()), changed(executor), scope(executor) {
    manager.on_change([this](const std::string&) { changed.notify_all(); });
    manager.on_reattach_change([this] { changed.notify_all(); });
  }
  Async<> start() {
    co_await manager.start("");
    scope.spawn(follow(*manager.log_of("greeters"), changed));
  }
  Async<> until(std::function<bool()> holds) {
    while (!holds()) co_await changed.wait();
  }
  Async<> until_listed() {
    co_await until([this] { return manager.devices().size() == 2; });
  }
  Async<> end() {
    co_await manager.shutdown();
    co_await scope.close();
  }
};
// What the hello device says it was told, as "held ann first" or "free ann first".
std::vector<std::string> told(const DriverManager& manager) {
  std::uint64_t after = 0;
  std::vector<std::string> out;
  const auto value = [](const std::string& line, const std::string& key) {
    const auto at = line.find(" " + key + "=");
    return at == std::string::npos ? "" : line.substr(at + key.size() + 2, line.find(' ', at + 1) - at - key.size() - 2);
  };
  for (const std::string& line : split(manager.log_of("greeters")->read_after(after), '\n')) {
    for (const char* what : {"held", "free"}) {
      if (line.find(std::string("greeters are ") + what) != std::string::npos) out.push_back(what + (" " + value(line, "ids")) + " " + value(line, "alloc_id"));
    }
  }
  return out;
}
std::ptrdiff_t count(const DriverManager& manager, const std::string& what) { return std::ranges::count(told(manager), what); }
int pid_of(const DriverManager& manager, const std::string& name) {
  for (const auto& status : manager.plugins()) {
    if (status.name == name) return status.pid;
  }
  return 0;
}
Async<> kill_and_wait(Watched& w, std::string name) {
  const int before = pid_of(w.manager, name);
  REQUIRE(Process::open(before)->signal(SIGKILL));
  co_await w.until([&w, name, before] { return pid_of(w.manager, name) != before && pid_of(w.manager, name) != 0; });
  co_await w.until_listed();
}

Async<> told_in_order(Node& node, Executor executor, bool& finished) {
  Watched w(node, executor);
  DriverManager& manager = w.manager;
  co_await w.start();
  co_await w.until_listed();
  const auto reserved = co_await manager.reserve(task("first"), greeter("ann"));
  REQUIRE(reserved);
  CHECK(reserved->envs.at("HELLO_GREETERS") == "ann");
  // The release is asked for and not waited for: the next owner of the device is told of after it all the same.
  Scope scope(executor);
  Result<> released;
  const auto release = [](DriverManager& of, Result<>& out) -> Async<> { out = co_await of.release(task("first"), greeter("ann")); };
  scope.spawn(release(manager, released));
  co_await asio::post(executor, asio::use_awaitable);
  const auto again = co_await manager.reserve(task("second"), greeter("ann"));
  REQUIRE(again);
  co_await scope.join();
  CHECK(released);
  co_await w.until([&] { return count(manager, "held ann second") == 1; });
  CHECK(told(manager) == std::vector<std::string>{"held ann first", "free ann first", "held ann second"});
  co_await w.end();
  finished = true;
}

Async<> told_again(Node& node, Executor executor, bool& finished) {
  Watched w(node, executor);
  DriverManager& manager = w.manager;
  // Of an earlier agent's task, before any plugin runs.
  manager.hold(task("old"), greeter("bob"));
  co_await w.start();
  co_await w.until([&] { return count(manager, "held bob old") == 1; });
  const auto reserved = co_await manager.reserve(task("new"), greeter("ann"));
  REQUIRE(reserved);
  co_await kill_and_wait(w, "hello-device");
  co_await w.until([&] { return count(manager, "held bob old") == 2 && count(manager, "held ann new") == 2; });
  // Released while the plugin is away.
  const int before = pid_of(manager, "hello-device");
  REQUIRE(Process::open(before)->signal(SIGKILL));
  const auto released = co_await manager.release(task("old"), greeter("bob"));
  CHECK(released);
  co_await w.until([&] { return count(manager, "free bob old") == 1; });
  // What is released twice is told twice; what nobody has reserved as well.
  const auto twice = co_await manager.release(task("old"), greeter("bob"));
  CHECK(twice);
  co_await w.until([&] { return count(manager, "free bob old") == 2; });
  co_await w.end();
  finished = true;
}

Async<> not_offered(Node& node, Executor executor, bool& finished) {
  Watched w(node, executor);
  DriverManager& manager = w.manager;
  co_await w.start();
  co_await w.until_listed();
  for (const char* alloc : {"first", "second", "third"}) {
    const auto reserved = co_await manager.reserve(task(alloc), gpu("d0"));
    CHECK(reserved);
    const auto released = co_await manager.release(task(alloc), gpu("d0"));
    CHECK(released);
  }
  CHECK(node.asked("OwnerHint") == 1);
  CHECK(node.asked("Release") == 1);
  // The next process may be of a newer version.
  co_await kill_and_wait(w, "planted-device");
  const auto released = co_await manager.release(task("fourth"), gpu("d0"));
  CHECK(released);
  CHECK(node.asked("Release") == 2);
  // A group that no plugin has: nobody to be told, and nobody to be waited for.
  const auto nobody = co_await manager.release(task("fifth"), {"acme", "gpu", "gone", {"d0"}});
  CHECK(nobody);
  co_await w.end();
  finished = true;
}
}  // namespace

TEST_CASE("device owners: who holds a device is told before it is reserved, and its release before the next owner") { run(told_in_order); }
TEST_CASE("device owners: a new process is told of those who hold devices, and of what was freed while there was none") { run(told_again); }
TEST_CASE("device owners: a plugin without these calls is asked once a process") { run(not_offered); }
