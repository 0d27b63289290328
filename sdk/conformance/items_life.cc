// Items 68 to 75: a task from its start to its end.
#include <algorithm>
#include <csignal>

#include "sdk/base/text.h"
#include "sdk/conformance/rig.h"

namespace drover::conformance {
namespace {
using namespace std::chrono_literals;

const Wanted exits_0{"exit_0", "exit 0"};
const Wanted exits_7{"exit_7", "exit 7"};
const Wanted sleeps{"sleep", "echo run >> \"$NOMAD_TASK_DIR/starts\"; exec sleep 600"};

bool same_map(const google::protobuf::Map<std::string, std::string>& a, const google::protobuf::Map<std::string, std::string>& b) {
  return a.size() == b.size() && std::all_of(a.begin(), a.end(), [&](const auto& pair) {
    const auto found = b.find(pair.first);
    return found != b.end() && found->second == pair.second;
  });
}

Async<> item_68(Bench& bench, Check& check) {
  const RunPtr run = co_await bench.ready(check);
  const TaskPtr task = run ? co_await start_task(bench, check, *run, {.wanted = sleeps}) : nullptr;
  if (!task) co_return;
  const pb::TaskHandle& handle = task->handle;
  const pb::TaskConfig& echoed = handle.config();
  check.expect(handle.version() >= 1, "a handle of version 1 or more", std::to_string(handle.version()));
  check.expect(echoed.id() == task->id(), "the task's id in handle.config", quote(echoed.id()));
  check.expect(echoed.alloc_id() == task->config.alloc_id(), "the allocation's id in handle.config", quote(echoed.alloc_id()));
  check.expect(same_map(echoed.env(), task->config.env()), "the whole environment in handle.config", fmt::format("{} variables of {}", echoed.env().size(), task->config.env().size()));
  check.expect(echoed.resources().SerializeAsString() == task->config.resources().SerializeAsString(), "the resources in handle.config", echoed.has_resources() ? "others" : "none");
  check.expect(handle.state() == pb::RUNNING || handle.state() == pb::UNKNOWN, "state 1 (running) or 0", std::to_string(handle.state()));
  check.expect(!handle.driver_state().empty(), "a driver_state to recover the task by", "none");
  [[maybe_unused]] const auto destroyed = co_await destroy_task(*run, task->id(), true);
}

Async<> ends_with(Bench& bench, Check& check, Wanted wanted, int code) {
  const RunPtr run = co_await bench.ready(check);
  const TaskPtr task = run ? co_await start_task(bench, check, *run, {.wanted = wanted}) : nullptr;
  if (!task) co_return;
  const auto ended = co_await wait_task(*run, task->id(), 60s);
  check.expect(ended && ended->has_result() && ended->err().empty(), "a result", describe(ended));
  check.expect(!ended || ended->result().exit_code() == code, fmt::format("exit code {}", code), describe(ended));
  [[maybe_unused]] const auto destroyed = co_await destroy_task(*run, task->id(), true);
}

Async<> item_69(Bench& bench, Check& check) {
  co_await ends_with(bench, check, exits_0, 0);
  if (bench.settings().recipe.can(exits_7)) co_await ends_with(bench, check, exits_7, 7);
  else check.note("no case \"exit_7\": exit codes other than 0 were not checked");
}

Async<> wait_into(RunPtr run, std::string id, std::vector<std::string>& out) {
  const auto ended = co_await wait_task(*run, std::move(id), 60s);
  out.push_back(describe(ended));
}

Async<> item_70(Bench& bench, Check& check) {
  const Wanted wanted = bench.settings().recipe.can(exits_7) ? exits_7 : exits_0;
  const RunPtr run = co_await bench.ready(check);
  const TaskPtr task = run ? co_await start_task(bench, check, *run, {.wanted = wanted}) : nullptr;
  if (!task) co_return;
  std::vector<std::string> seen;
  Scope scope(bench.executor());
  for (int i = 0; i < 3; ++i) scope.spawn(wait_into(run, task->id(), seen));
  co_await scope.join();
  co_await wait_into(run, task->id(), seen);
  const std::string code = wanted.name == "exit_7" ? "exit code 7" : "exit code 0";
  for (const std::string& one : seen) {
    if (!check.expect(one == code, fmt::format("\"{}\" from three calls at once and from one after the end", code), join(seen, "; "))) break;
  }
  [[maybe_unused]] const auto destroyed = co_await destroy_task(*run, task->id(), true);
}

Async<> item_71(Bench& bench, Check& check) {
  const RunPtr run = co_await bench.ready(check);
  const TaskPtr task = run ? co_await start_task(bench, check, *run, {.wanted = sleeps}) : nullptr;
  if (!task) co_return;
  if (bench.settings().recipe.runs_scripts()) [[maybe_unused]] const bool begun = co_await file_within(*task, "starts", 20s);
  const std::vector<pid_t> processes = processes_of(*task);
  // The one started last is the task itself; what supervises it has the same environment at most.
  if (processes.empty()) {
    [[maybe_unused]] const auto destroyed = co_await destroy_task(*run, task->id(), true);
    co_return check.skip("the task has no process here that could be killed");
  }
  ::kill(processes.back(), SIGKILL);
  const auto ended = co_await wait_task(*run, task->id(), 20s);
  check.expect(ended && (ended->result().signal() == SIGKILL || ended->result().exit_code() == 128 + SIGKILL), "signal 9 or exit code 137 for a task killed by SIGKILL", describe(ended));
  [[maybe_unused]] const auto destroyed = co_await destroy_task(*run, task->id(), true);
}

Async<> item_72(Bench& bench, Check& check) {
  if (::access("/sys/fs/cgroup/memory.stat", F_OK) != 0 && ::access("/sys/fs/cgroup/cgroup.controllers", F_OK) != 0) co_return check.skip("this machine has no cgroup v2");
  const RunPtr run = co_await bench.ready(check);
  const Wanted eats{"eat_memory", "exec tail -c 1000000000 /dev/zero"};
  const TaskPtr task = run ? co_await start_task(bench, check, *run, {.wanted = eats, .change = [](pb::TaskConfig& config) {
    config.mutable_resources()->mutable_allocated_resources()->mutable_memory()->set_memory_mb(64);
    config.mutable_resources()->mutable_linux_resources()->set_memory_limit_bytes(64 << 20);
  }}) : nullptr;
  if (!task) co_return;
  const auto ended = co_await wait_task(*run, task->id(), 60s);
  check.expect(ended && ended->result().oom_killed(), "oom_killed for a task that takes more than its 64 MiB", describe(ended));
  [[maybe_unused]] const auto destroyed = co_await destroy_task(*run, task->id(), true);
}

// Stops a task with a signal and checks how long that took and how the task ended; code -1: any.
Async<> stops(Bench& bench, Check& check, Wanted wanted, std::chrono::nanoseconds timeout, std::string signal, std::chrono::nanoseconds limit, int code) {
  const RunPtr run = co_await bench.ready(check);
  const TaskPtr task = run ? co_await start_task(bench, check, *run, {.wanted = wanted}) : nullptr;
  if (!task) co_return;
  if (bench.settings().recipe.runs_scripts()) {
    const bool begun = co_await file_within(*task, "ready", 20s);
    check.expect(begun, "the task writes a file into its directory", "it does not");
  }
  const auto began = std::chrono::steady_clock::now();
  const auto stopped = co_await stop_task(*run, task->id(), timeout, signal);
  check.expect(stopped.has_value(), "StopTask works", stopped ? "" : stopped.error().message());
  const auto ended = co_await wait_task(*run, task->id(), 20s);
  const auto took = std::chrono::steady_clock::now() - began;
  const std::string what = fmt::format("task \"{}\", StopTask with timeout {} and signal {}", wanted.name, format_duration(timeout), signal.empty() ? "(none)" : signal);
  check.expect(ended && took <= limit, fmt::format("{}: the task has ended after at most {}", what, format_duration(limit)), ended ? format_duration(took) : ended.error().message());
  if (code >= 0) check.expect(ended && ended->result().exit_code() == code, fmt::format("{}: exit code {} of the task's own handler", what, code), describe(ended));
  [[maybe_unused]] const auto destroyed = co_await destroy_task(*run, task->id(), true);
}

Async<> item_73(Bench& bench, Check& check) {
  const std::string loop = "echo yes > \"$NOMAD_TASK_DIR/ready\"; while :; do sleep 0.1; done";
  co_await stops(bench, check, {"stubborn", "trap '' INT TERM; " + loop}, 2s, "SIGINT", 7s, -1);
  if (!bench.settings().recipe.runs_scripts()) co_return;
  co_await stops(bench, check, {"obeys SIGTERM", "trap 'exit 3' TERM; " + loop}, 25s, "SIGTERM", 20s, 3);
  co_await stops(bench, check, {"obeys SIGUSR1", "trap 'exit 4' USR1; " + loop}, 25s, "SIGUSR1", 20s, 4);
}

Async<> item_74(Bench& bench, Check& check) {
  const RunPtr run = co_await bench.ready(check);
  const TaskPtr task = run ? co_await start_task(bench, check, *run, {.wanted = sleeps}) : nullptr;
  if (!task) co_return;
  const auto stopped = co_await stop_task(*run, task->id(), 0s, "");
  check.expect(stopped.has_value(), "StopTask with timeout 0 works", stopped ? "" : stopped.error().message());
  const auto ended = co_await wait_task(*run, task->id(), 10s);
  check.expect(ended.has_value(), "the end of the task", describe(ended));
  const auto again = co_await stop_task(*run, task->id(), 0s, "");
  // "Unavailable" is what a plugin that dies of it answers.
  const bool harmless = again || (again.error().code() != Code::deadline_exceeded && again.error().code() != Code::unavailable);
  check.expect(harmless && run->alive(), "a second StopTask is harmless", again ? run->epitaph() : again.error().message());
  [[maybe_unused]] const auto destroyed = co_await destroy_task(*run, task->id(), true);
}

Async<> item_75(Bench& bench, Check& check) {
  const RunPtr run = co_await bench.ready(check);
  const TaskPtr task = run ? co_await start_task(bench, check, *run, {.wanted = sleeps}) : nullptr;
  if (!task) co_return;
  const auto gentle = co_await destroy_task(*run, task->id(), false);
  check.expect(!gentle, "DestroyTask without force refuses a running task", "success");
  const auto still = co_await inspect_task(*run, task->id());
  check.expect(gentle || (still && still->task().state() == pb::RUNNING), "the task runs on after it was refused", still ? fmt::format("state {}", static_cast<int>(still->task().state())) : still.error().message());
  const auto forced = co_await destroy_task(*run, task->id(), true);
  check.expect(forced.has_value() || gentle.has_value(), "DestroyTask with force works", forced ? "" : forced.error().message());
  const auto after = co_await inspect_task(*run, task->id());
  check.expect(!after, "an unknown task after DestroyTask", "InspectTask still knows it");
  const std::string left = co_await left_of(*task);
  check.expect(left.empty(), "nothing of a destroyed task stays", left);
}
}  // namespace

std::vector<ItemCheck> life_checks() {
  return {{68, item_68}, {69, item_69}, {70, item_70}, {71, item_71}, {72, item_72}, {73, item_73}, {74, item_74}, {75, item_75}};
}

}  // namespace drover::conformance
