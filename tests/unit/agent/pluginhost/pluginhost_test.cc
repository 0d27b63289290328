#include <doctest/doctest.h>

#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <csignal>
#include <nlohmann/json.hpp>

#include "agent/pluginhost/driver_manager.h"
#include "agent/pluginhost/reattach_record.h"
#include "agent/pluginhost/restart_policy.h"
#include "sdk/async/scope.h"
#include "sdk/base/file.h"
#include "sdk/plugin/config.h"
#include "tests/unit/agent/pluginhost/scenario.h"

using namespace drover;
using namespace drover::pluginhost;
using drover::testing::run;
using namespace std::chrono_literals;

namespace {
// A plugin directory with the real hello driver and one that breaks.
struct Node {
  Node() : directory(std::move(*TempDir::make())) {
    REQUIRE(make_directories(plugins()));
    REQUIRE(make_directories(libexec()));
    REQUIRE(::symlink(DROVER_HELLO_DRIVER, (plugins() + "/hello-file").c_str()) == 0);
    REQUIRE(write_file(plugins() + "/broken", "#!/bin/sh\necho my reason >&2\nexit 3\n", 0755));
    REQUIRE(write_file(plugins() + "/unnamed", "#!/bin/sh\nexit 1\n", 0755));
    REQUIRE(write_file(plugins() + "/plain", "", 0644));
  }
  std::string plugins() const { return directory.path() + "/plugins"; }
  std::string libexec() const { return directory.path() + "/libexec"; }
  Options options() const {
    Options out;
    out.directories = {plugins(), libexec()};
    out.blocks = {{"hello-file", {.args = {}, .config_json = R"({"shout": true})"}}, {"broken", {}}, {"plain", {}}, {"missing", {}}};
    out.socket_dir = directory.path() + "/run";
    out.environment = {{"PATH", "/usr/bin:/bin"}};
    return out;
  }
  TempDir directory;
};

const PluginStatus* find(const std::vector<PluginStatus>& all, const std::string& name) {
  for (const auto& status : all) {
    if (status.name == name) return &status;
  }
  return nullptr;
}

Async<> broken_and_good(Node& node, Executor executor, bool& finished) {
  DriverManager manager(executor, Logger(), system_clock(), node.options());
  int stored = 0;
  manager.on_reattach_change([&] { ++stored; });
  co_await manager.start("");
  const auto all = manager.plugins();
  REQUIRE(find(all, "hello") != nullptr);
  CHECK(find(all, "hello")->phase == Phase::running);
  REQUIRE(find(all, "broken") != nullptr);
  CHECK(find(all, "broken")->phase == Phase::backoff);
  CHECK(find(all, "broken")->reason.find("exit status 3") != std::string::npos);
  CHECK(find(all, "broken")->reason.find("my reason") != std::string::npos);
  CHECK(find(all, "unnamed")->reason == "no plugin block names it");
  CHECK(find(all, "plain")->remedy.starts_with("chmod +x "));
  CHECK(find(all, "missing")->phase == Phase::skipped);
  CHECK(stored > 0);
  const auto fingerprint = co_await manager.wait_fingerprint("hello", 30s);
  REQUIRE(fingerprint);
  CHECK(fingerprint->health == driver::Health::healthy);
  CHECK(manager.capabilities("hello")->exec);
  CHECK(manager.schema("hello"));
  CHECK(manager.driver("exec").error().message() == "no driver \"exec\" on this node; drivers here: broken, hello");
  CHECK(manager.driver("broken").error().code() == Code::unavailable);
  CHECK(manager.fingerprint("broken").health == driver::Health::undetected);
  co_await manager.shutdown();
  CHECK(decode_reattach(manager.reattach_json()).empty());
  finished = true;
}

driver::DriverClient* driver_of(DriverManager& manager, const std::string& name) {
  const auto found = manager.driver(name);
  if (!found) FAIL(found.error().message());
  return *found;
}

driver::TaskConfig a_task(const Node& node) {
  driver::TaskConfig task;
  task.id = "a/b/1";
  task.driver_config = plugin::to_msgpack({{"greeting", "hi"}, {"seconds", 3600}});
  task.stdout_path = node.directory.path() + "/log";
  REQUIRE(write_file(task.stdout_path, ""));
  return task;
}

Async<> restart_and_reattach(Node& node, Executor executor, bool& finished) {
  std::string stored;
  int pid = 0;
  {
    DriverManager manager(executor, Logger(), system_clock(), node.options());
    Event recover(executor);
    manager.on_recover([&](const std::string& name) {
      if (name == "hello") recover.set();
    });
    co_await manager.start("");
    driver::DriverClient* client = driver_of(manager, "hello");
    const auto started = co_await client->start_task(a_task(node));
    REQUIRE(started);
    // F_10: the plugin dies; the client stays the same, and the owner is told to recover.
    pid = find(manager.plugins(), "hello")->pid;
    REQUIRE(Process::open(pid)->signal(SIGKILL));
    const auto lost = co_await client->wait_task("a/b/1");
    CHECK(lost.error().message() == "plugin is shut down");
    co_await recover.wait();
    CHECK(driver_of(manager, "hello") == client);
    auto done = co_await client->recover_task(started->handle.encoded);
    CHECK(done);
    CHECK(find(manager.plugins(), "hello")->restarts == 1);
    pid = find(manager.plugins(), "hello")->pid;
    stored = manager.reattach_json();
    co_await manager.detach();
  }
  // The agent is another one now; the plugin is the same.
  DriverManager manager(executor, Logger(), system_clock(), node.options());
  co_await manager.start(stored);
  CHECK(find(manager.plugins(), "hello")->pid == pid);
  driver::DriverClient* client = driver_of(manager, "hello");
  const auto status = co_await client->inspect_task("a/b/1");
  CHECK(status);
  co_await manager.shutdown();
  CHECK(!Process::open(pid));
  finished = true;
}

Async<> denied(Node& node, Executor executor, bool& finished) {
  Options options = node.options();
  options.denylist = {"hello"};
  options.blocks["hello-file"].config_json = "";
  DriverManager manager(executor, Logger(), system_clock(), std::move(options));
  co_await manager.start("damaged");
  const auto all = manager.plugins();
  CHECK(find(all, "hello-file")->phase == Phase::skipped);
  CHECK(find(all, "hello-file")->pid == 0);
  CHECK(manager.reattach_json() == "[]");
  co_await manager.shutdown();
  finished = true;
}
Async<> wrong_config(Node& node, Executor executor, bool& finished) {
  Options options = node.options();
  options.blocks["hello-file"].config_json = R"({"shoot": true})";
  DriverManager manager(executor, Logger(), system_clock(), std::move(options));
  co_await manager.start("");
  const auto all = manager.plugins();
  REQUIRE(find(all, "hello") != nullptr);
  CHECK(find(all, "hello")->reason ==
        "the config block of plugin \"hello-file\": Invalid label: No argument or block type is named \"shoot\". Did you mean \"shout\"?");
  CHECK(find(all, "hello")->pid == 0);
  CHECK(manager.reattach_json() == "[]");
  co_await manager.shutdown();
  finished = true;
}

// One plugin runs while another has not got its configuration yet: an agent that dies now must not find the latter again.
// P-12: a plugin of others is asked for TLS; one of ours is not, and what the block says goes before both.
Async<> channels(Node& node, Executor executor, bool& finished) {
  const std::string hello = "exec " DROVER_HELLO_DRIVER "\n";
  for (const char* name : {"secure", "open"}) {
    REQUIRE(write_file(node.plugins() + "/" + name, "#!/bin/sh\n" + hello, 0755));
    REQUIRE(write_file(node.libexec() + "/own-" + name, "#!/bin/sh\n" + hello, 0755));
  }
  // It takes no notice of being asked, it ends, and it answers with something that is no certificate.
  REQUIRE(write_file(node.plugins() + "/deaf", "#!/bin/sh\nunset PLUGIN_CLIENT_CERT\n" + hello, 0755));
  REQUIRE(write_file(node.plugins() + "/breaks", "#!/bin/sh\n[ -z \"$PLUGIN_CLIENT_CERT\" ] || exit 4\n" + hello, 0755));
  REQUIRE(write_file(node.plugins() + "/babbles", "#!/bin/sh\n[ -z \"$PLUGIN_CLIENT_CERT\" ] || { echo '1|2|unix|/nowhere|grpc|!'; exec sleep 60; }\n" + hello, 0755));
  // It answers with a certificate and goes on without TLS.
  REQUIRE(write_file(node.directory.path() + "/lies.json", R"({"name": "hello", "tls": "lies"})"));
  REQUIRE(write_file(node.plugins() + "/lies", "#!/bin/sh\nexec " DROVER_CHAOS_PLUGIN " " + node.directory.path() + "/lies.json\n", 0755));
  struct Case {
    std::string file;
    bool secure;
    std::optional<bool> setting = {};
  };
  const std::vector<Case> cases{{"secure", true}, {"open", false, false}, {"own-open", false}, {"own-secure", true, true}, {"deaf", false}, {"breaks", false},
                                {"babbles", false}, {"lies", false}};
  for (const Case& one : cases) {
    CAPTURE(one.file);
    Options options = node.options();
    options.blocks = {{one.file, {.args = {}, .config_json = {}, .mutual_tls = one.setting}}};
    if (!one.file.starts_with("own-")) options.directories.first_party.clear();
    std::string stored;
    int pid = 0;
    {
      DriverManager manager(executor, Logger(), system_clock(), options);
      co_await manager.start("");
      const PluginStatus* status = nullptr;
      const auto all = manager.plugins();
      for (const auto& each : all) {
        if (each.phase == Phase::running) status = &each;
      }
      REQUIRE(status != nullptr);
      CHECK(status->secure == one.secure);
      CHECK(status->restarts == 0);
      pid = status->pid;
      stored = manager.reattach_json();
      // P-13: what the channel needs is in the record, and only there.
      CHECK((stored.find("PRIVATE KEY") != std::string::npos) == one.secure);
      co_await manager.detach();
    }
    DriverManager next(executor, Logger(), system_clock(), options);
    co_await next.start(stored);
    const auto again = next.plugins();
    CHECK(std::ranges::any_of(again, [&](const PluginStatus& each) { return each.pid == pid && each.secure == one.secure && each.restarts == 0; }));
    const auto fingerprint = co_await next.wait_fingerprint("hello", 30s);
    CHECK(fingerprint);
    co_await next.shutdown();
  }
  finished = true;
}

Async<> half_started(Node& node, Executor executor, bool& finished) {
  const std::string behaviour = node.directory.path() + "/behaviour.json";
  REQUIRE(write_file(behaviour, R"({"calls": {"SetConfig": {"do": "hang"}}})"));
  REQUIRE(::symlink(DROVER_CHAOS_PLUGIN, (node.plugins() + "/chaos").c_str()) == 0);
  Options options = node.options();
  options.blocks["chaos"].args = {behaviour};
  DriverManager manager(executor, Logger(), system_clock(), std::move(options));
  Scope starting(executor);
  starting.spawn(manager.start(""));
  const auto both_there = [&] {
    const auto all = manager.plugins();
    const auto* good = find(all, "hello");
    const auto* slow = find(all, "chaos");
    return good != nullptr && good->phase == Phase::running && slow != nullptr && slow->pid != 0;
  };
  while (!both_there()) co_await asio::post(executor, asio::use_awaitable);
  const auto tuples = decode_reattach(manager.reattach_json());
  REQUIRE(tuples.size() == 1);
  CHECK(tuples[0].executable.ends_with("/hello-file"));
  co_await starting.close();
  co_await manager.shutdown();
  finished = true;
}

// Adds the chaos plugin under this file name.
void add_chaos(const Node& node, Options& options, const std::string& file, const std::string& behaviour) {
  const std::string path = node.directory.path() + "/" + file + ".json";
  REQUIRE(write_file(path, behaviour));
  REQUIRE(::symlink(DROVER_CHAOS_PLUGIN, (node.plugins() + "/" + file).c_str()) == 0);
  options.blocks[file].args = {path};
}

const PluginStatus& status_of_file(const std::vector<PluginStatus>& all, const std::string& file) {
  for (const auto& status : all) {
    if (status.file.ends_with("/" + file)) return status;
  }
  FAIL(file);
  return all.front();
}

Async<> newest_wins(Node& node, Executor executor, bool& finished) {
  Options options = node.options();
  add_chaos(node, options, "a-old", R"({"name": "twin", "version": "1.9.0"})");
  add_chaos(node, options, "b-new", R"({"name": "twin", "version": "1.10.0"})");
  add_chaos(node, options, "c-none", R"({"name": "twin", "version": "latest"})");
  DriverManager manager(executor, Logger(), system_clock(), std::move(options));
  co_await manager.start("");
  const auto all = manager.plugins();
  CHECK(status_of_file(all, "b-new").phase == Phase::running);
  CHECK(status_of_file(all, "a-old").phase == Phase::skipped);
  CHECK(status_of_file(all, "a-old").reason == "\"" + node.plugins() + "/b-new\" (version 1.10.0) provides driver twin, this is version 1.9.0");
  CHECK(status_of_file(all, "c-none").phase == Phase::skipped);
  driver::DriverClient* client = driver_of(manager, "twin");
  CHECK(client->connected());
  const auto fingerprint = co_await manager.wait_fingerprint("twin", 30s);
  CHECK(fingerprint);
  // One process of the three is left, to be found again.
  std::size_t twins = 0;
  for (const auto& tuple : decode_reattach(manager.reattach_json())) twins += tuple.executable.ends_with("/hello-file") ? 0u : 1u;
  CHECK(twins == 1);
  co_await manager.shutdown();
  finished = true;
}

Async<> ask(driver::DriverClient& client, int& answered) {
  [[maybe_unused]] const auto status = co_await client.inspect_task("a/b/1");
  ++answered;
}

Async<> stopped_plugin(Node& node, Executor executor, bool& finished) {
  Options options = node.options();
  add_chaos(node, options, "chaos", "{}");
  DriverManager manager(executor, Logger(), system_clock(), std::move(options));
  co_await manager.start("");
  driver::DriverClient* stopped = driver_of(manager, "chaos");
  driver::DriverClient* good = driver_of(manager, "hello");
  const auto process = Process::open(find(manager.plugins(), "chaos")->pid);
  REQUIRE(process);
  REQUIRE(process->signal(SIGSTOP));
  Scope asking(executor);
  int answered = 0;
  for (std::size_t i = 0; i < driver::DriverClient::most_waiting; ++i) asking.spawn(ask(*stopped, answered));
  // All of them are under way before the next one asks.
  co_await asio::post(executor, asio::use_awaitable);
  const auto refused = co_await stopped->signal_task("a/b/1", "SIGHUP");
  CHECK(refused.error().code() == Code::resource_exhausted);
  CHECK(refused.error().message() == "plugin \"chaos\" has 256 calls waiting and takes no more until it answers; see `plugin status chaos`");
  CHECK(answered == 0);
  // Its neighbour answers, and knows nothing of that.
  const auto started = co_await good->start_task(a_task(node));
  CHECK(started);
  const auto status = co_await good->inspect_task("a/b/1");
  CHECK(status);
  CHECK(answered == 0);
  REQUIRE(process->signal(SIGCONT));
  co_await asking.join();
  CHECK(answered == static_cast<int>(driver::DriverClient::most_waiting));
  const auto taken = co_await stopped->signal_task("a/b/1", "SIGHUP");
  CHECK(taken.error().code() == Code::not_found);
  co_await manager.shutdown();
  finished = true;
}

// The driver's events go on after its stream failed, and after its process was replaced.
Async<> task_events_resume(Node& node, Executor executor, bool& finished) {
  Options options = node.options();
  add_chaos(node, options, "chaos", R"({"scripted": 1})");
  REQUIRE(write_file(node.directory.path() + "/chaos.json.events", "0a01741201611a016e2a016d\nerror broken\n0a01741201611a016e2a0132\n"));
  DriverManager manager(executor, Logger(), system_clock(), std::move(options));
  std::vector<std::string> messages;
  Condition told(executor);
  manager.on_task_event([&](const std::string& driver, const driver::TaskEvent& event) {
    CHECK(driver == "chaos");
    CHECK(event.task_name == "n");
    messages.push_back(event.message);
    told.notify_all();
  });
  co_await manager.start("");
  while (messages.size() < 2) co_await told.wait();
  REQUIRE(Process::open(find(manager.plugins(), "chaos")->pid)->signal(SIGKILL));
  while (messages.size() < 4) co_await told.wait();
  CHECK(messages == std::vector<std::string>{"m", "2", "m", "2"});
  co_await manager.shutdown();
  finished = true;
}
}  // namespace

TEST_CASE("plugin host: a broken plugin is listed with its reason and stops nothing") { run(broken_and_good); }
TEST_CASE("plugin host: a plugin that dies is replaced, one that lives is re-attached (F_10, P_13)") { run(restart_and_reattach); }
TEST_CASE("P_12 plugin host: plugins of others are asked for TLS, also after re-attaching, and those that cannot do it load without") { run(channels); }
TEST_CASE("F_01 plugin host: a plugin without its configuration is not attached to again") { run(half_started); }
TEST_CASE("plugin host: of plugins with the same name the newest runs, whichever came up first") { run(newest_wins); }
TEST_CASE("P_24 L_06 plugin host: calls to a stopped plugin wait up to a limit, and nobody else's do") { run(stopped_plugin); }
TEST_CASE("L_05 plugin host: events of tasks go on after a failed stream and a new process") { run(task_events_resume); }
TEST_CASE("P_42 plugin host: a denied driver does not stay") { run(denied); }
TEST_CASE("P_42 plugin host: a mistake in a config block names the argument, and the process does not stay") { run(wrong_config); }

TEST_CASE("P_23 restart policy: doubles to a minute, forgets after good service, breaks after ten ends") {
  RestartHistory history;
  UnixNanos now = 0;
  for (const auto expected : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s, 60s}) {
    const auto decision = plan_restart(history, 1s, now, 0);
    CHECK(decision.delay == expected);
    CHECK(!decision.broken);
    now += std::chrono::nanoseconds(2s).count();
  }
  CHECK(plan_restart(history, 1s, now, 0).broken);
  now += std::chrono::nanoseconds(20min).count();
  CHECK(plan_restart(history, 0s, now, 1).delay > 60s);
  history.recent_ends.clear();
  CHECK(plan_restart(history, 11min, now, 1).delay == 0s);
  CHECK(plan_restart(history, 11min, now, 1).delay == 1100ms);
}

TEST_CASE("P_23 restart policy: the first end after ten seconds of good service costs no pause, the next ones do") {
  RestartHistory history;
  UnixNanos now = 0;
  CHECK(plan_restart(history, 10s, now, 0).delay == 0s);
  for (const auto expected : {1s, 2s, 4s}) CHECK(plan_restart(history, 10s, now += 1, 0).delay == expected);
  // Ten minutes later it is a first one again, however the streak stands.
  now += std::chrono::nanoseconds(10min).count() + 1;
  CHECK(plan_restart(history, 10s, now, 0).delay == 0s);
  CHECK(plan_restart(history, 10s, now, 0).delay == 8s);
  RestartHistory young;
  CHECK(plan_restart(young, 9s, now, 0).delay == 1s);
  // Those that cost nothing count, too.
  RestartHistory counted;
  CHECK(plan_restart(counted, 10s, now, 0).delay == 0s);
  for (int i = 0; i < 8; ++i) CHECK(!plan_restart(counted, 10s, now, 0).broken);
  CHECK(plan_restart(counted, 10s, now, 0).broken);
}
