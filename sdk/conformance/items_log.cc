// Items 85 to 87: where a task's output goes.
#include "sdk/base/text.h"
#include "sdk/conformance/rig.h"

namespace drover::conformance {
namespace {
using namespace std::chrono_literals;
const Wanted exits_0{"exit_0", "exit 0"};

Async<bool> text_within(const Fifo& fifo, std::string_view text, std::chrono::nanoseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (fifo.text().find(text) == std::string::npos) {
    if (std::chrono::steady_clock::now() > deadline) co_return false;
    co_await sleep_for(20ms);
  }
  co_return true;
}

Async<> item_85(Bench& bench, Check& check) {
  const RunPtr run = co_await bench.ready(check);
  const TaskPtr task = run ? co_await start_task(bench, check, *run, {.wanted = {"output", "echo to stdout; echo to stderr >&2"}}) : nullptr;
  if (!task) co_return;
  if (task->out == nullptr) co_return check.skip("the driver collects no logs");
  const auto ended = co_await wait_task(*run, task->id(), 60s);
  check.expect(ended.has_value(), "the end of the task", describe(ended));
  if (bench.settings().recipe.runs_scripts()) {
    const bool out = co_await text_within(*task->out, "to stdout\n", 10s);
    check.expect(out, "what the task writes to stdout in the FIFO for stdout", quote(task->out->text()));
    const bool err = co_await text_within(*task->err, "to stderr\n", 10s);
    // One driver in the field sends both to one FIFO.
    const bool mixed = !err && task->out->text().find("to stderr") != std::string::npos;
    if (mixed) check.should(false, "what the task writes to stderr in the FIFO for stderr", "in the one for stdout");
    else check.expect(err, "what the task writes to stderr in the FIFO for stderr", quote(task->err->text()));
    check.expect(mixed || task->out->text().find("to stderr") == std::string::npos, "each text in its own FIFO", quote(task->out->text()));
  } else {
    const bool something = co_await text_within(*task->out, "\n", 10s);
    check.expect(something, "a line in the FIFO for stdout", quote(task->out->text()));
  }
  [[maybe_unused]] const auto destroyed = co_await destroy_task(*run, task->id(), true);
  const std::string left = co_await left_of(*task);
  check.expect(left.empty(), "closed FIFOs after DestroyTask", left);
}

Async<std::string> run_without_logs(Bench& bench, Check& check, Logs logs) {
  const RunPtr run = co_await bench.ready(check);
  if (!run) co_return "";
  const auto prepared = co_await prepare_task(bench, *run, {.wanted = exits_0, .logs = logs});
  if (!prepared) {
    check.skip(prepared.error().message());
    co_return "";
  }
  const TaskPtr task = *prepared;
  const auto started = co_await call_start(*run, *task);
  if (!started) co_return started.error().message();
  const auto ended = co_await wait_task(*run, task->id(), 60s);
  [[maybe_unused]] const auto destroyed = co_await destroy_task(*run, task->id(), true);
  co_return ended && ended->result().exit_code() == 0 ? "" : describe(ended);
}

Async<> item_86(Bench& bench, Check& check) {
  const std::string null = co_await run_without_logs(bench, check, Logs::null_device);
  check.expect(null.empty(), "a task whose logs go to /dev/null runs", null);
  const std::string none = co_await run_without_logs(bench, check, Logs::none);
  check.should(none.empty(), "a task with empty log paths runs", none);
}

Async<> item_87(Bench& bench, Check& check) {
  const RunPtr run = co_await bench.ready(check);
  const TaskPtr task = run ? co_await start_task(bench, check, *run, {.wanted = {"", "yes | head -c 5000000; sleep 600"}, .logs = Logs::unread_fifos}) : nullptr;
  if (!task) co_return;
  co_await sleep_for(2s);
  for (int i = 0; i < 5; ++i) {
    const auto info = co_await run->call<base::PluginInfoResponse>(base_service + "PluginInfo", base::PluginInfoRequest(), 10s);
    if (!check.expect(info.has_value(), "an answer to PluginInfo while a task's log is full", info ? "" : info.error().message())) break;
    const auto seen = co_await inspect_task(*run, task->id());
    if (!check.expect(seen && seen->task().state() == pb::RUNNING, "an answer to InspectTask while the log is full", seen ? fmt::format("state {}", static_cast<int>(seen->task().state())) : seen.error().message())) break;
    co_await sleep_for(500ms);
  }
  const auto stopped = co_await stop_task(*run, task->id(), 2s, "");
  check.expect(stopped.has_value(), "StopTask of a task whose log is full", stopped ? "" : stopped.error().message());
  const auto ended = co_await wait_task(*run, task->id(), 20s);
  check.expect(ended.has_value(), "its end", describe(ended));
  [[maybe_unused]] const auto destroyed = co_await destroy_task(*run, task->id(), true);
}
}  // namespace

std::vector<ItemCheck> log_checks() { return {{85, item_85}, {86, item_86}, {87, item_87}}; }

}  // namespace drover::conformance
