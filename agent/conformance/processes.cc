// Items 110 to 114: bad handshakes, bad logs, plugins that die, and processes that are not what they were.
#include <csignal>
#include <nlohmann/json.hpp>

#include "agent/conformance/host_bench.h"
#include "sdk/async/process.h"
#include "sdk/async/scope.h"
#include "sdk/base/text.h"

namespace drover::conformance {
namespace {
using namespace std::chrono_literals;
using driver::DriverClient, pluginhost::Phase;

Async<> handshake(HostBench& bench, Check& check, std::string kind, std::string phrase) {
  const auto node = bench.node(R"({"handshake": ")" + kind + "\"}");
  co_await node->start();
  const auto status = node->status();
  if (phrase.empty()) {
    check.expect(status.phase == Phase::running, fmt::format("a plugin with the handshake \"{}\" is used", kind), status.reason);
  } else {
    check.expect(status.phase == Phase::backoff, fmt::format("a plugin with the handshake \"{}\" is tried again later", kind), std::string(pluginhost::to_string(status.phase)));
    check.expect(status.reason.starts_with(phrase), fmt::format("a reason for \"{}\" that begins with \"{}\"", kind, phrase), quote(status.reason.substr(0, 300)));
    check.expect(!status.remedy.empty(), "a remedy", "none");
  }
  co_await node->stop();
}

// A start that takes as long as `delay`, under a limit of 2 s instead of a minute.
Async<> late(HostBench& bench, Check& check, int delay_ms, bool in_time) {
  const std::string directory = bench.directory + "/late" + std::to_string(delay_ms);
  DROVER_CHECK(make_directories(directory, 0700).has_value());
  DROVER_CHECK(write_file(directory + "/behaviour.json", fmt::format(R"({{"delay_ms": {}}})", delay_ms)).has_value());
  plugin::LaunchOptions options{.executable = bench.chaos_plugin, .arguments = {directory + "/behaviour.json"}, .environment = {}, .directory = directory, .start_timeout = 2s};
  auto launched = co_await plugin::launch(bench.executor, Logger(), std::move(options));
  if (in_time) check.expect(launched.has_value(), "a plugin that is slow, but in time, is used", launched ? "" : launched.error().message());
  else check.expect(!launched && launched.error().message().starts_with("timeout while waiting for plugin to start"), "a plugin that is too late is ended with a reason", launched ? "it is used" : launched.error().message());
  if (launched) co_await (*launched)->stop();
}

Async<> item_110(HostBench& bench, Check& check) {
  Scope scope(bench.executor);
  scope.spawn(handshake(bench, check, "garbage", "Unrecognized remote plugin message"));
  scope.spawn(handshake(bench, check, "five", ""));
  scope.spawn(handshake(bench, check, "seven", ""));
  scope.spawn(handshake(bench, check, "long", "Unrecognized remote plugin message"));
  scope.spawn(handshake(bench, check, "none", "Unrecognized remote plugin message: Failed to read any lines from plugin's stdout"));
  scope.spawn(handshake(bench, check, "silent", "Unrecognized remote plugin message: Failed to read any lines from plugin's stdout"));
  scope.spawn(handshake(bench, check, "version", "incompatible API version with plugin"));
  scope.spawn(handshake(bench, check, "netrpc", "unsupported plugin protocol"));
  scope.spawn(handshake(bench, check, "elsewhere", "the plugin's address"));
  scope.spawn(late(bench, check, 500, true));
  scope.spawn(late(bench, check, 60'000, false));
  co_await scope.join();
}

Async<> item_111(HostBench& bench, Check& check) {
  for (const char* kind : {"types", "long", "nul", "flood"}) {
    const auto node = bench.node(R"({"logs": ")" + std::string(kind) + "\"}");
    const auto quiet = bench.node("{}");
    co_await node->start();
    co_await quiet->start();
    check.expect(node->status().phase == Phase::running, fmt::format("a plugin that logs \"{}\" is used", kind), node->status().reason);
    if (kind == std::string_view("flood")) co_await sleep_for(1s);
    for (Node* one : {node.get(), quiet.get()}) {
      if (one->client() == nullptr) continue;
      const auto info = co_await one->client()->plugin_info();
      check.expect(info.has_value(), fmt::format("answers of {} while it logs \"{}\"", one == node.get() ? "the plugin" : "another plugin", kind), info ? "" : info.error().message());
    }
    check.expect(node->log().longest <= 128 << 10, "lines of the host's log of at most 64 KiB and some", fmt::format("{} bytes", node->log().longest));
    co_await node->stop();
    co_await quiet->stop();
  }
}

template <class T>
std::string text_of(const Result<T>& result) { return result ? "" : result.error().message(); }

Async<std::string> call(DriverClient& client, const Node& node, std::string method) {
  const std::string id = node.task("t", "").id;
  if (method == "StartTask") {
    auto config = node.task("other", "1h");
    const auto done = co_await client.start_task(std::move(config));
    co_return text_of(done);
  }
  if (method == "WaitTask") {
    const auto done = co_await client.wait_task(id);
    co_return text_of(done);
  }
  if (method == "StopTask") {
    const auto done = co_await client.stop_task(id, 1s, "SIGTERM");
    co_return text_of(done);
  }
  if (method == "DestroyTask") {
    const auto done = co_await client.destroy_task(id, true);
    co_return text_of(done);
  }
  if (method == "InspectTask") {
    const auto done = co_await client.inspect_task(id);
    co_return text_of(done);
  }
  if (method == "SignalTask") {
    const auto done = co_await client.signal_task(id, "SIGHUP");
    co_return text_of(done);
  }
  const auto done = co_await client.exec_task(id, {"true"}, 1s);
  co_return text_of(done);
}

std::string dies(const std::string& method, const std::string& when) { return R"({"calls": {")" + method + R"(": {"do": ")" + when + R"(", "times": 1}}})"; }

// The plugin dies in a call; the caller hears of it, the plugin comes back, and its task can be recovered.
Async<> dies_in_call(HostBench& bench, Check& check, std::string method, std::string when) {
  const auto node = bench.node("{}");
  co_await node->start();
  if (!check.expect(node->client() != nullptr, "the chaos plugin runs", node->status().reason)) co_return;
  auto config = node->task("t", "1h");
  const auto started = co_await node->client()->start_task(std::move(config));
  if (!check.expect(started.has_value(), "a task on it", text_of(started))) co_return;
  node->behave(dies(method, when));
  const std::string error = co_await call(*node->client(), *node, method);
  const bool may_be_answered = when == "die_after" || when == "die_during";
  check.expect(may_be_answered || error == "plugin is shut down", fmt::format("\"plugin is shut down\" when the plugin dies before {}", method), quote(error));
  const bool back = co_await node->running_within(1, 20s);
  check.expect(back, fmt::format("the plugin started again after it died ({}) in {}", when, method), node->status().reason);
  if (back && method != "DestroyTask") {
    const auto recovered = co_await node->client()->recover_task(started->handle.encoded);
    check.expect(recovered.has_value(), fmt::format("the task recovered after {}", method), text_of(recovered));
  }
  co_await node->stop();
}

// The plugin dies while it is set up, once.
Async<> dies_in_setup(HostBench& bench, Check& check, std::string method) {
  const auto node = bench.node(dies(method, "die"));
  co_await node->start();
  check.expect(node->status().phase == Phase::backoff && !node->status().reason.empty(), fmt::format("the host goes on when the plugin dies in {}", method), fmt::format("{}: {}", pluginhost::to_string(node->status().phase), node->status().reason));
  const bool back = co_await node->running_within(1, 20s);
  check.expect(back, fmt::format("the plugin is used after it died once in {}", method), node->status().reason);
  co_await node->stop();
}

// A stream that ends whenever it is opened: neither the end of the plugin nor a storm of calls.
Async<> ends_streams(HostBench& bench, Check& check, std::string how) {
  const std::string base = bench.directory + "/record-" + how;
  const auto node = bench.node(R"({"record": ")" + base + R"(", "calls": {"Fingerprint": {"do": ")" + how + R"("}, "TaskEvents": {"do": ")" + how + R"("}}})");
  co_await node->start();
  co_await sleep_for(3s);
  check.expect(node->status().phase == Phase::running, "a plugin whose streams end is used", node->status().reason);
  std::size_t opened = 0;
  for (const std::string& line : split(read_file(base).value_or(""), '\n')) opened += line.find("\"open\"") != std::string::npos ? 1 : 0;
  check.expect(opened >= 2 && opened <= 12, "streams opened again with pauses: at most 12 times in 3 s", std::to_string(opened));
  co_await node->stop();
}

Async<> crash_loop(HostBench& bench, Check& check) {
  const auto node = bench.node(R"({"die_after_ms": 20})");
  co_await node->start();
  co_await sleep_for(6s);
  const auto status = node->status();
  check.expect(status.restarts >= 1 && status.restarts <= 4, "1 to 4 restarts in 6 s of a plugin that always dies (pauses of 1, 2, 4 s)", std::to_string(status.restarts));
  check.expect(!status.reason.empty() || status.phase == Phase::running || status.phase == Phase::starting, "the reason in its status", "none");
  co_await node->stop();
}

Async<> item_112(HostBench& bench, Check& check) {
  Scope scope(bench.executor);
  for (const char* method : {"PluginInfo", "ConfigSchema", "SetConfig", "Init", "TaskConfigSchema", "Capabilities"}) scope.spawn(dies_in_setup(bench, check, method));
  co_await scope.join();
  for (const char* when : {"die", "die_during", "die_after"}) {
    for (const char* method : {"StartTask", "WaitTask", "StopTask", "DestroyTask", "InspectTask", "SignalTask", "ExecTask"}) scope.spawn(dies_in_call(bench, check, method, when));
    co_await scope.join();
  }
  scope.spawn(ends_streams(bench, check, "end"));
  scope.spawn(ends_streams(bench, check, "end_error"));
  scope.spawn(crash_loop(bench, check));
  co_await scope.join();
}

// The record of an earlier host with another process behind its numbers: P-13, F-31.
Async<> item_113(HostBench& bench, Check& check) {
  const auto first = bench.node("{}");
  co_await first->start();
  const int old_pid = first->status().pid;
  const std::string record = first->manager().reattach_json();
  co_await first->manager().detach();
  // A bystander that has the stored pid now, as far as the record knows.
  const auto bystander = spawn_process({.executable = "/bin/sleep", .arguments = {"600"}, .environment = {"PATH=/bin"}});
  if (!bystander) co_return check.skip(bystander.error().message());
  auto tuples = nlohmann::json::parse(record);
  tuples[0]["pid"] = bystander->pid();

  const auto second = std::make_unique<pluginhost::DriverManager>(bench.executor, Logger(), system_clock(), pluginhost::Options{
      .directories = {.third_party = first->directory() + "/plugins", .first_party = {}}, .blocks = {{"chaos", {.args = {first->directory() + "/behaviour.json"}, .config_json = {}}}},
      .socket_dir = first->directory() + "/run", .topology = {}, .environment = {}, .allowlist = {}, .denylist = {}});
  co_await second->start(tuples.dump());
  const auto plugins = second->plugins();
  check.expect(!plugins.empty() && plugins.front().phase == Phase::running && plugins.front().pid != bystander->pid() && plugins.front().pid != old_pid, "a fresh start of the plugin", plugins.empty() ? "no plugin" : fmt::format("pid {}: {}", plugins.front().pid, plugins.front().reason));
  check.expect(bystander->alive(), "the process that has the stored pid is left alone", "it was ended");
  const auto old = Process::open(old_pid);
  co_await second->shutdown();
  check.expect(!old || !old->alive(), "the earlier process of the plugin is ended, since nobody is attached to it", "it runs on");
  [[maybe_unused]] const auto killed = bystander->signal(SIGKILL);
  ExitStatus status;
  for (int i = 0; i < 100; ++i) {
    const auto reaped = bystander->try_reap(status);
    if (!reaped || *reaped) break;
    co_await sleep_for(10ms);
  }
}

Async<> item_114(HostBench&, Check& check) {
  check.skip("kills whole agents: tests/integration/crash_test.py, with LONG=1 a hundred times");
  co_return;
}
}  // namespace

std::vector<HostCheck> process_checks() { return {{110, item_110}, {111, item_111}, {112, item_112}, {113, item_113}, {114, item_114}}; }

}  // namespace drover::conformance
