// Items 108 and 109: answers with missing parts, nonsense in them, and services that are not there.
#include <cmath>

#include "agent/conformance/host_bench.h"
#include "sdk/base/text.h"

namespace drover::conformance {
namespace {
using namespace std::chrono_literals;
using driver::DriverClient, pluginhost::Phase;

std::string fault(const std::string& method, const std::string& rest) { return R"({"calls": {")" + method + R"(": {)" + rest + "}}}"; }
std::string empty_answer(const std::string& method) { return fault(method, R"("do": "answer", "hex": "")"); }

// One call of each kind and whether it counts as success for what the agent does with it.
template <class T>
std::string outcome(const Result<T>& result) { return result ? "success" : "error: " + result.error().message(); }

Async<std::string> call(DriverClient& client, const Node& node, std::string method) {
  const std::string id = node.task("t", "1h").id;
  if (method == "StartTask") {
    auto config = node.task("other", "1h");
    const auto done = co_await client.start_task(std::move(config));
    co_return outcome(done);
  }
  if (method == "WaitTask") {
    const auto done = co_await client.wait_task(id);
    co_return done && !done->error.empty() ? "error: " + done->error : outcome(done);
  }
  if (method == "InspectTask") {
    const auto done = co_await client.inspect_task(id);
    co_return outcome(done);
  }
  if (method == "ExecTask") {
    const auto done = co_await client.exec_task(id, {"true"}, 1s);
    co_return done && !done->exit.error.empty() ? "error: " + done->exit.error : outcome(done);
  }
  if (method == "StopTask") {
    const auto done = co_await client.stop_task(id, 1s, "SIGTERM");
    co_return outcome(done);
  }
  if (method == "SignalTask") {
    const auto done = co_await client.signal_task(id, "SIGHUP");
    co_return outcome(done);
  }
  if (method == "DestroyTask") {
    const auto done = co_await client.destroy_task(id, true);
    co_return outcome(done);
  }
  if (method == "CreateNetwork") {
    const auto done = co_await client.create_network("00000000-0000-4000-8000-000000000000", "host");
    co_return outcome(done);
  }
  co_return "no such call";
}

// A node whose plugin runs and has a task "t". Null after an entry in `check`.
Async<std::unique_ptr<Node>> with_task(HostBench& bench, Check& check) {
  auto node = bench.node("{}");
  co_await node->start();
  DriverClient* client = node->client();
  if (!check.expect(client != nullptr, "the chaos plugin runs when it does nothing wrong", node->status().reason)) co_return nullptr;
  auto config = node->task("t", "1h");
  const auto started = co_await client->start_task(std::move(config));
  if (!check.expect(started.has_value(), "a task on it", started ? "" : started.error().message())) co_return nullptr;
  co_return node;
}

// Unary answers without what they should hold, and bytes that are no message.
Async<> unary_answers(HostBench& bench, Check& check) {
  auto node = co_await with_task(bench, check);
  if (!node) co_return;
  for (const char* method : {"StartTask", "WaitTask", "ExecTask"}) {
    node->behave(empty_answer(method));
    const std::string seen = co_await call(*node->client(), *node, method);
    check.expect(seen.starts_with("error"), fmt::format("an error for an empty answer of {}", method), seen);
  }
  for (const char* method : {"InspectTask", "CreateNetwork"}) {
    node->behave(empty_answer(method));
    const std::string seen = co_await call(*node->client(), *node, method);
    check.note(fmt::format("{}, empty answer: {}", method, seen));
  }
  for (const char* method : {"StartTask", "WaitTask", "InspectTask", "ExecTask", "StopTask", "SignalTask", "DestroyTask", "CreateNetwork"}) {
    node->behave(fault(method, R"("do": "garbage")"));
    const std::string seen = co_await call(*node->client(), *node, method);
    check.expect(seen.starts_with("error"), fmt::format("an error for an answer of {} that is no message", method), seen);
  }
  // What drivers say, by the classes of 5.1.
  const std::pair<const char*, Code> texts[] = {{"task not found for given id", Code::not_found}, {"task does not exist: x", Code::not_found}, {"ExecTask is not supported by this driver", Code::unimplemented}};
  for (const auto& [text, code] : texts) {
    node->behave(fault("ExecTask", fmt::format(R"("do": "error", "text": "{}")", text)));
    const auto done = co_await node->client()->exec_task(node->task("t", "").id, {"true"}, 1s);
    check.expect(!done && done.error().code() == code, fmt::format("\"{}\" recognised as {}", text, to_string(code)), done ? "success" : to_string(done.error().code()).data());
  }
  node->behave(fault("StartTask", R"("do": "recoverable", "text": "try again")"));
  auto config = node->task("again", "1h");
  const auto retried = co_await node->client()->start_task(std::move(config));
  check.expect(!retried && retried.error().recoverable(), "a recoverable error recognised", retried ? "success" : retried.error().message());
  node->behave("{}");
  const auto info = co_await node->client()->plugin_info();
  check.expect(info && node->status().restarts == 0, "the plugin in use all the time", node->status().reason);
  co_await node->stop();
}

// Answers while the plugin is set up: the host has one, or says why not.
Async<> setup_answers(HostBench& bench, Check& check) {
  for (const char* method : {"PluginInfo", "TaskConfigSchema"}) {
    const auto node = bench.node(empty_answer(method));
    co_await node->start();
    const auto status = node->status();
    check.expect(status.phase != Phase::running && !status.reason.empty(), fmt::format("no driver, and a reason, for an empty answer of {}", method), fmt::format("{}: {}", pluginhost::to_string(status.phase), status.reason));
    co_await node->stop();
  }
  for (const char* method : {"PluginInfo", "ConfigSchema", "TaskConfigSchema", "Capabilities"}) {
    const auto node = bench.node(fault(method, R"("do": "garbage")"));
    co_await node->start();
    const auto status = node->status();
    check.expect(status.phase != Phase::running && !status.reason.empty(), fmt::format("no driver, and a reason, for an answer of {} that is no message", method), fmt::format("{}: {}", pluginhost::to_string(status.phase), status.reason));
    co_await node->stop();
  }
  const auto node = bench.node(empty_answer("Capabilities"));
  co_await node->start();
  const auto capabilities = node->manager().capabilities("chaos");
  check.expect(capabilities && !capabilities->exec, "absent capabilities count as none", capabilities ? "exec" : capabilities.error().message());
  co_await node->stop();
}

std::string fingerprint_behaviour(const std::string& hex) { return R"({"scripted": 1, "hex": ")" + hex + "\"}"; }

// Streams: samples and fingerprints without their parts, and nonsense (F-27).
Async<> stream_answers(HostBench& bench, Check& check) {
  auto node = co_await with_task(bench, check);
  if (!node) co_return;
  const std::string nan_sample = "0a19" "12060880e2cfaa06" "1a0f0a0d31000000000000f87f38053802";  // percent is NaN and said to be measured
  for (const std::string& hex : {std::string(), std::string("0a00"), std::string("0a021a00"), nan_sample}) {
    node->behave(fault("TaskStats.message", R"("do": "answer", "hex": ")" + hex + "\""));
    Channel<driver::TaskStats> samples(bench.executor, 16);
    Scope scope(bench.executor);
    const auto follow = [](DriverClient& client, std::string id, Channel<driver::TaskStats>& out) -> Async<> {
      [[maybe_unused]] const auto end = co_await client.task_stats(std::move(id), 50ms, out);
    };
    scope.spawn(follow(*node->client(), node->task("t", "").id, samples));
    co_await sleep_for(300ms);
    while (const auto sample = samples.try_receive()) {
      check.expect(std::isfinite(sample->total.cpu.percent), "finite numbers of statistics whatever the plugin sends", "NaN");
    }
    co_await scope.close();
  }
  node->behave("{}");
  const auto info = co_await node->client()->plugin_info();
  check.expect(info && node->status().restarts == 0, "the plugin in use after odd statistics", node->status().reason);
  co_await node->stop();

  // An attribute without a value, a health of 7, the field err; then 100,000 attributes.
  std::string many;
  for (int i = 0; i < 100'000; ++i) {
    const std::string name = fmt::format("driver.chaos.{:06}", i);
    const std::string entry = "\n" + std::string(1, static_cast<char>(name.size())) + name + "\x12\x02\x10\x01";
    many += "\n" + std::string(1, static_cast<char>(entry.size())) + entry;
  }
  std::string many_hex;
  for (const char c : many + "\x10\x02") many_hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  const auto odd = bench.node(fingerprint_behaviour(""));
  DROVER_CHECK(write_file(odd->directory() + "/behaviour.json.fingerprint", "0a050a0161120010021a0266" "69" "\n1007\n2203657272\nffff\n" + many_hex + "\n").has_value());
  co_await odd->start();
  std::size_t seen = 0;
  for (int i = 0; i < 250 && seen == 0; ++i) {
    co_await sleep_for(20ms);
    seen = odd->manager().fingerprint("chaos").attributes.size();
  }
  co_await sleep_for(300ms);
  seen = odd->manager().fingerprint("chaos").attributes.size();
  check.expect(seen > 0 && seen <= 1024, "at most 1024 attributes of 100,000", std::to_string(seen));
  check.expect(odd->status().phase == Phase::running, "the plugin in use after odd fingerprints", odd->status().reason);
  co_await odd->stop();
}

Async<> item_108(HostBench& bench, Check& check) {
  co_await unary_answers(bench, check);
  co_await setup_answers(bench, check);
  co_await stream_answers(bench, check);
}

Async<> item_109(HostBench& bench, Check& check) {
  const auto node = bench.node(R"({"without": ["controller", "stdio", "broker", "health"]})");
  co_await node->start();
  check.expect(node->status().phase == Phase::running, "a plugin with the base and the driver service only is used", node->status().reason);
  if (node->client() != nullptr) {
    auto config = node->task("t", "10ms");
    const auto started = co_await node->client()->start_task(std::move(config));
    check.expect(started.has_value(), "a task on it", started ? "" : started.error().message());
    const auto ended = co_await node->client()->wait_task(node->task("t", "").id);
    check.expect(ended && ended->error.empty(), "its end", ended ? ended->error : ended.error().message());
  }
  const int pid = node->status().pid;
  co_await node->stop();
  check.expect(pid <= 0 || !Process::open(pid).has_value() || !Process::open(pid)->alive(), "a plugin without a controller is ended", "it runs on");
}
}  // namespace

std::vector<HostCheck> answer_checks() { return {{108, item_108}, {109, item_109}}; }

}  // namespace drover::conformance
