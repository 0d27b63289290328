// Items 60 to 67: calls that name no task or lack a part. An error is a good answer, the end of the process never is.
#include "sdk/async/scope.h"
#include "sdk/base/text.h"
#include "sdk/conformance/bench.h"

namespace drover::conformance {
namespace {
using namespace std::chrono_literals;
constexpr const char* unknown_id = "00000000-0000-4000-8000-000000000000/nobody/01234567";

struct Outcome {
  bool answered = false, ok = false, alive = false;
  Error error;
};

// One call on the shared plugin, and what became of both. The next item gets a new plugin when this one died.
template <class Rep, class Req>
Async<Outcome> attempt(Bench& bench, Check& check, const char* method, Req request, std::chrono::nanoseconds limit = 30s) {
  Outcome out;
  const RunPtr run = co_await bench.ready(check);
  if (!run) co_return out;
  const auto answer = co_await run->call<Rep>(driver_service + method, std::move(request), limit);
  const bool over = co_await run->ended_within(100ms);
  out.alive = !over;
  check.expect(out.alive, fmt::format("the plugin survives {}", method), run->epitaph());
  out.ok = answer.has_value();
  if (!answer) out.error = answer.error();
  out.answered = answer || answer.error().code() != Code::deadline_exceeded;
  check.expect(!out.alive || out.answered, fmt::format("an answer to {} within {}", method, format_duration(limit)), "none");
  co_return out;
}

void expect_error(Check& check, const Outcome& outcome, const std::string& what) {
  if (outcome.alive && outcome.answered) check.expect(!outcome.ok, "an error for " + what, "success");
}
void expect_not_found(Check& check, const Outcome& outcome, const char* method, bool may_succeed) {
  if (!outcome.alive || !outcome.answered) return;
  if (!may_succeed) check.expect(!outcome.ok, fmt::format("an error for {} of an unknown task", method), "success");
  if (!outcome.ok) check.should(outcome.error.message().find("task not found for given id") != std::string::npos, fmt::format("\"task not found for given id\" for {} of an unknown task", method), quote(outcome.error.message()));
}

drover::known::Duration seconds(std::int64_t value) {
  drover::known::Duration out;
  out.set_seconds(value);
  return out;
}

template <class Req>
Req of_unknown() {
  Req out;
  out.set_task_id(unknown_id);
  return out;
}

Async<> unknown_stats(Bench& bench, Check& check, bool with_interval) {
  const RunPtr run = co_await bench.ready(check);
  if (!run) co_return;
  auto request = of_unknown<pb::TaskStatsRequest>();
  if (with_interval) *request.mutable_collection_interval() = seconds(1);
  bool over = false;
  {
    Watch stream(bench.executor(), run->client(), driver_service + "TaskStats", request.SerializeAsString());
    over = co_await stream.ended_within(5s);
    if (!over) check.should(false, "the end of TaskStats for an unknown task", "the stream is open after 5 s");
  }
  const bool dead = co_await run->ended_within(over ? 100ms : 500ms);
  check.expect(!dead, "the plugin survives TaskStats", run->epitaph());
}

Async<> item_60(Bench& bench, Check& check) {
  const auto wait = co_await attempt<pb::WaitTaskResponse>(bench, check, "WaitTask", of_unknown<pb::WaitTaskRequest>(), 5s);
  expect_not_found(check, wait, "WaitTask", false);
  auto stop_request = of_unknown<pb::StopTaskRequest>();
  *stop_request.mutable_timeout() = seconds(1);
  const auto stop = co_await attempt<pb::StopTaskResponse>(bench, check, "StopTask", std::move(stop_request), 5s);
  expect_not_found(check, stop, "StopTask", true);
  auto destroy_request = of_unknown<pb::DestroyTaskRequest>();
  destroy_request.set_force(true);
  const auto destroy = co_await attempt<pb::DestroyTaskResponse>(bench, check, "DestroyTask", std::move(destroy_request), 5s);
  expect_not_found(check, destroy, "DestroyTask", true);
  const auto inspect = co_await attempt<pb::InspectTaskResponse>(bench, check, "InspectTask", of_unknown<pb::InspectTaskRequest>(), 5s);
  expect_not_found(check, inspect, "InspectTask", false);
  auto signal_request = of_unknown<pb::SignalTaskRequest>();
  signal_request.set_signal("SIGHUP");
  const auto signal = co_await attempt<pb::SignalTaskResponse>(bench, check, "SignalTask", std::move(signal_request), 5s);
  if (signal.error.code() != Code::unimplemented && signal.error.message().find("not supported") == std::string::npos) expect_not_found(check, signal, "SignalTask", true);
  auto exec_request = of_unknown<pb::ExecTaskRequest>();
  exec_request.add_command("true");
  *exec_request.mutable_timeout() = seconds(1);
  const auto exec = co_await attempt<pb::ExecTaskResponse>(bench, check, "ExecTask", std::move(exec_request), 5s);
  expect_error(check, exec, "ExecTask of an unknown task");
  co_await unknown_stats(bench, check, true);
}

Async<> recover(Bench& bench, Check& check, std::string what, pb::RecoverTaskRequest request) {
  const auto outcome = co_await attempt<pb::RecoverTaskResponse>(bench, check, "RecoverTask", std::move(request));
  expect_error(check, outcome, "RecoverTask with " + what);
}

pb::RecoverTaskRequest foreign_handle(std::int32_t version, std::string state) {
  pb::RecoverTaskRequest out;
  auto& handle = *out.mutable_handle();
  handle.set_version(version);
  handle.set_state(pb::RUNNING);
  handle.mutable_config()->set_id(unknown_id);
  handle.mutable_config()->set_name("nobody");
  handle.mutable_config()->set_alloc_id("00000000-0000-4000-8000-000000000000");
  handle.set_driver_state(std::move(state));
  return out;
}

Async<> item_61(Bench& bench, Check& check) {
  co_await recover(bench, check, "no handle", {});
  pb::RecoverTaskRequest empty;
  empty.mutable_handle();
  co_await recover(bench, check, "an empty handle", empty);
  co_await recover(bench, check, "a driver_state of garbage", foreign_handle(1, "\xc1 garbage \xff"));
  co_await recover(bench, check, "an empty map as driver_state", foreign_handle(1, "\x80"));
  co_await recover(bench, check, "version 0", foreign_handle(0, ""));
  co_await recover(bench, check, "version 999", foreign_handle(999, "\x80"));
}

Async<> start(Bench& bench, Check& check, std::string what, pb::StartTaskRequest request, bool error_wanted) {
  const std::string id = request.task().id();
  const auto outcome = co_await attempt<pb::StartTaskResponse>(bench, check, "StartTask", std::move(request));
  if (error_wanted) expect_error(check, outcome, "StartTask with " + what);
  if (!outcome.alive || id.empty()) co_return;
  const RunPtr run = co_await bench.ready(check);
  if (!run) co_return;
  pb::InspectTaskRequest inspect;
  inspect.set_task_id(id);
  const auto seen = co_await run->call<pb::InspectTaskResponse>(driver_service + "InspectTask", inspect);
  if (!outcome.ok) check.expect(!seen, fmt::format("no task after StartTask with {} failed", what), "InspectTask knows it");
  if (!seen) co_return;
  pb::DestroyTaskRequest destroy;
  destroy.set_task_id(id);
  destroy.set_force(true);
  [[maybe_unused]] const auto destroyed = co_await run->call<pb::DestroyTaskResponse>(driver_service + "DestroyTask", destroy);
}

Async<> item_62(Bench& bench, Check& check) {
  co_await start(bench, check, "no task", {}, true);
  pb::StartTaskRequest empty;
  empty.mutable_task();
  co_await start(bench, check, "an empty task", empty, true);
  pb::StartTaskRequest bare;
  bare.mutable_task()->set_id("00000000-0000-4000-8000-00000000000a/bare/01234567");
  bare.mutable_task()->set_name("bare");
  bare.mutable_task()->set_alloc_dir(bench.new_directory("alloc"));
  bare.mutable_task()->set_msgpack_driver_config("\xc1\xff");
  bare.mutable_task()->mutable_resources()->mutable_linux_resources();
  co_await start(bench, check, "a configuration that cannot be decoded", bare, true);
  // Half of the drivers in the field end here; a host must send resources always.
  Check lenient(Level::should);
  bare.mutable_task()->clear_resources();
  bare.mutable_task()->set_msgpack_driver_config("\x80");
  co_await start(bench, lenient, "no resources", bare, false);
  for (const Finding& finding : std::move(lenient).result(62, 0).findings) check.should(false, finding.expected, finding.seen);
}

Async<> item_63(Bench& bench, Check& check) {
  [[maybe_unused]] const auto stop = co_await attempt<pb::StopTaskResponse>(bench, check, "StopTask", of_unknown<pb::StopTaskRequest>(), 10s);
  auto request = of_unknown<pb::ExecTaskRequest>();
  request.add_command("true");
  const auto exec = co_await attempt<pb::ExecTaskResponse>(bench, check, "ExecTask", std::move(request), 10s);
  expect_error(check, exec, "ExecTask of an unknown task without a timeout");
  co_await unknown_stats(bench, check, false);
}

// Opens a session and leaves it at once: after a message that is no setup, by half-closing, by cancelling.
enum class Leaving { after_data, half_closed, cancelled };
Async<> leave_session(Bench& bench, Check& check, Leaving how) {
  const RunPtr run = co_await bench.ready(check);
  if (!run) co_return;
  auto stream = run->client().open(driver_service + "ExecTaskStreaming");
  if (how == Leaving::after_data) {
    pb::ExecTaskStreamingRequest message;
    message.mutable_stdin()->set_data("x");
    std::string bytes = message.SerializeAsString();
    [[maybe_unused]] const bool sent = co_await stream->send(std::move(bytes));
  }
  if (how != Leaving::cancelled) {
    stream->close_send();
    [[maybe_unused]] const auto end = co_await stream->receive();
  }
  stream.reset();
  const char* what = how == Leaving::after_data ? "a first message without setup" : how == Leaving::half_closed ? "an immediate half-close" : "an immediate cancel";
  const auto info = co_await run->call<base::PluginInfoResponse>(base_service + "PluginInfo", base::PluginInfoRequest(), 10s);
  check.expect(info.has_value(), fmt::format("the plugin survives {} in ExecTaskStreaming", what), info ? "" : fmt::format("{}; the process: {}", info.error().message(), run->epitaph()));
}

Async<> item_64(Bench& bench, Check& check) {
  for (const Leaving how : {Leaving::after_data, Leaving::half_closed, Leaving::cancelled}) co_await leave_session(bench, check, how);
  const RunPtr run = co_await bench.ready(check);
  if (!run) co_return;
  Watch stream(bench.executor(), run->client(), driver_service + "ExecTaskStreaming", "");
  const bool over = co_await stream.ended_within(10s);
  check.expect(over && stream.status_text() != "ended without an error", "an error when the first message has no setup", stream.status_text());
}

Async<> item_65(Bench& bench, Check& check) {
  const RunPtr run = co_await bench.ready(check);
  if (!run) co_return;
  const auto capabilities = co_await bench.capabilities(*run);
  if (!check.expect(capabilities.has_value(), "capabilities", capabilities ? "" : capabilities.error().message())) co_return;
  if (capabilities->must_create_network()) co_return check.skip("the driver makes networks: see item 94");
  pb::CreateNetworkRequest create;
  create.set_alloc_id("00000000-0000-4000-8000-000000000000");
  const auto created = co_await attempt<pb::CreateNetworkResponse>(bench, check, "CreateNetwork", create);
  expect_error(check, created, "CreateNetwork");
  pb::DestroyNetworkRequest destroy;
  destroy.set_alloc_id("00000000-0000-4000-8000-000000000000");
  const auto destroyed = co_await attempt<pb::DestroyNetworkResponse>(bench, check, "DestroyNetwork", destroy);
  expect_error(check, destroyed, "DestroyNetwork");
}

Async<> one_call(RunPtr run, std::string method, std::string request, int& answered) {
  const auto answer = co_await run->client().call(method, std::move(request), 30s);
  if (answer || answer.error().code() != Code::deadline_exceeded) ++answered;
}

Async<> item_66(Bench& bench, Check& check) {
  const RunPtr run = co_await bench.ready(check);
  if (!run) co_return;
  int answered = 0;
  Scope scope(bench.executor());
  const std::string unknown = of_unknown<pb::InspectTaskRequest>().SerializeAsString();
  for (int i = 0; i < 100; ++i) {
    switch (i % 5) {
      case 0: scope.spawn(one_call(run, base_service + "PluginInfo", "", answered)); break;
      case 1: scope.spawn(one_call(run, driver_service + "Capabilities", "", answered)); break;
      case 2: scope.spawn(one_call(run, driver_service + "TaskConfigSchema", "", answered)); break;
      case 3: scope.spawn(one_call(run, driver_service + "InspectTask", unknown, answered)); break;
      default: scope.spawn(one_call(run, driver_service + "WaitTask", unknown, answered)); break;
    }
  }
  co_await scope.join();
  check.expect(answered == 100, "100 answers to 100 concurrent calls within 30 s", fmt::format("{}; the process: {}", answered, run->epitaph()));
}

Async<> item_67(Bench& bench, Check& check) {
  pb::StartTaskRequest request;
  auto& task = *request.mutable_task();
  task.set_id("00000000-0000-4000-8000-00000000000b/large/01234567");
  task.set_name("large");
  task.set_msgpack_driver_config("\xc1\xff");
  for (int i = 0; i < 8; ++i) (*task.mutable_env())[fmt::format("LARGE_{}", i)] = std::string(1 << 20, 'x');
  const auto outcome = co_await attempt<pb::StartTaskResponse>(bench, check, "StartTask", request);
  if (!outcome.alive || outcome.ok) co_return;
  // A limit is what Go's library sets by itself; the host then tells its user.
  const bool limited = outcome.error.code() == Code::resource_exhausted;
  check.should(!limited, "a message of 8 MiB is read", outcome.error.message());
}
}  // namespace

std::vector<ItemCheck> robustness_checks() {
  return {{60, item_60}, {61, item_61}, {62, item_62}, {63, item_63}, {64, item_64}, {65, item_65}, {66, item_66}, {67, item_67}};
}

}  // namespace drover::conformance
