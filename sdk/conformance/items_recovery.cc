// Items 76 to 82: tasks that outlive the plugin's process.
#include <csignal>

#include "sdk/base/text.h"
#include "sdk/conformance/rig.h"

namespace drover::conformance {
namespace {
using namespace std::chrono_literals;
const Wanted sleeps{"sleep", "echo run >> \"$NOMAD_TASK_DIR/starts\"; exec sleep 600"};

Async<Result<>> recover(Run& run, pb::TaskHandle handle) {
  pb::RecoverTaskRequest request;
  // Hosts written in Go never fill task_id.
  *request.mutable_handle() = std::move(handle);
  const auto answer = co_await run.call<pb::RecoverTaskResponse>(driver_service + "RecoverTask", request, 60s);
  if (!answer) co_return fail(answer.error());
  co_return Result<>{};
}

// A task started on a plugin of its own.
struct Started {
  RunPtr run;
  TaskPtr task;
};
Async<Started> start_apart(Bench& bench, Check& check, Wanted wanted) {
  Started out;
  out.run = co_await bench.configured(check);
  if (out.run) out.task = co_await start_task(bench, check, *out.run, {.wanted = wanted});
  if (out.task && bench.settings().recipe.runs_scripts() && wanted.name == sleeps.name) [[maybe_unused]] const bool begun = co_await file_within(*out.task, "starts", 20s);
  co_return out;
}

// Ends what a failed item would leave running.
Async<> clean(Run& run, const Task& task) {
  [[maybe_unused]] const auto destroyed = co_await destroy_task(run, task.id(), true);
  // A task that was lost on the way is nobody's any more.
  for (const pid_t pid : processes_of(task)) ::kill(pid, SIGKILL);
}

// The recovered task answers every call, and has not noticed.
Async<> use_recovered(Bench& bench, Check& check, Run& run, const Task& task) {
  const auto seen = co_await inspect_task(run, task.id());
  check.expect(seen && seen->task().state() == pb::RUNNING, "InspectTask says running after RecoverTask", seen ? fmt::format("state {}", static_cast<int>(seen->task().state())) : seen.error().message());
  if (bench.settings().recipe.runs_scripts()) check.expect(task.file("starts") == "run\n", "the task was started once", fmt::format("its own record says {}", quote(task.file("starts"))));
  pb::TaskStatsRequest stats;
  stats.set_task_id(task.id());
  *stats.mutable_collection_interval() = to_duration(1s);
  {
    Watch samples(bench.executor(), run.client(), driver_service + "TaskStats", stats.SerializeAsString());
    const bool came = co_await samples.messages_within(1, 10s);
    check.expect(came || samples.unimplemented(), "TaskStats of a recovered task", samples.status_text());
  }
  const auto capabilities = co_await bench.capabilities(run);
  if (capabilities && capabilities->exec()) {
    pb::ExecTaskRequest exec;
    exec.set_task_id(task.id());
    for (const char* word : {"/bin/sh", "-c", "exit 0"}) exec.add_command(word);
    *exec.mutable_timeout() = to_duration(20s);
    const auto done = co_await run.call<pb::ExecTaskResponse>(driver_service + "ExecTask", exec);
    check.expect(done.has_value(), "ExecTask in a recovered task", done ? "" : done.error().message());
  }
  const auto early = co_await wait_task(run, task.id(), 500ms);
  check.expect(!early && early.error().code() == Code::deadline_exceeded, "WaitTask waits while a recovered task runs", describe(early));
  const auto stopped = co_await stop_task(run, task.id(), 2s, "");
  check.expect(stopped.has_value(), "StopTask of a recovered task", stopped ? "" : stopped.error().message());
  const auto ended = co_await wait_task(run, task.id(), 20s);
  check.expect(ended && ended->has_result(), "WaitTask gives the end of a recovered task", describe(ended));
}

Async<> recovered(Bench& bench, Check& check, bool killed) {
  Started old = co_await start_apart(bench, check, sleeps);
  if (!old.task) co_return;
  if (killed) co_await old.run->kill();
  else [[maybe_unused]] const bool over = co_await old.run->shut_down(2s);
  const RunPtr run = co_await bench.configured(check);
  if (!run) co_return;
  const auto done = co_await recover(*run, old.task->handle);
  if (!done && bench.settings().recipe.in_process()) {
    check.note("the tasks end with the plugin: " + done.error().message());
    co_return;
  }
  if (check.expect(done.has_value(), "RecoverTask works on a new process of the plugin", done ? "" : fmt::format("{}; the process: {}", done.error().message(), run->epitaph())) &&
      !bench.settings().recipe.in_process()) {
    co_await use_recovered(bench, check, *run, *old.task);
  }
  co_await clean(*run, *old.task);
}
Async<> item_76(Bench& bench, Check& check) { return recovered(bench, check, false); }
Async<> item_77(Bench& bench, Check& check) { return recovered(bench, check, true); }

Async<> item_78(Bench& bench, Check& check) {
  if (bench.settings().recipe.in_process()) co_return check.skip("the tasks end with the plugin");
  Started old = co_await start_apart(bench, check, sleeps);
  if (!old.task) co_return;
  co_await old.run->kill();
  const RunPtr run = co_await bench.configured(check);
  if (!run) co_return;
  pb::TaskHandle handle = old.task->handle;
  handle.mutable_config()->clear_msgpack_driver_config();
  const auto done = co_await recover(*run, std::move(handle));
  check.expect(done.has_value(), "RecoverTask without msgpack_driver_config, as hosts send it after their restart", done ? "" : done.error().message());
  if (done) {
    const auto seen = co_await inspect_task(*run, old.task->id());
    check.expect(seen && seen->task().state() == pb::RUNNING, "InspectTask says running", seen ? fmt::format("state {}", static_cast<int>(seen->task().state())) : seen.error().message());
  }
  co_await clean(*run, *old.task);
}

Async<> item_79(Bench& bench, Check& check) {
  const Wanted ends{"exit_7", "sleep 1; exit 7"};
  Started old = co_await start_apart(bench, check, bench.settings().recipe.can(ends) ? ends : Wanted{"exit_0", ""});
  if (!old.task) co_return;
  co_await old.run->kill();
  co_await sleep_for(2s);
  const RunPtr run = co_await bench.configured(check);
  if (!run) co_return;
  const auto done = co_await recover(*run, old.task->handle);
  check.expect(done || done.error().code() != Code::deadline_exceeded, "an answer to RecoverTask", done ? "" : done.error().message());
  check.note(done ? "recovered" : "refused: " + done.error().message());
  if (done) {
    const auto ended = co_await wait_task(*run, old.task->id(), 10s);
    check.expect(ended || ended.error().code() != Code::deadline_exceeded, "the end of the task, or an error, from WaitTask", describe(ended));
    check.note("WaitTask: " + describe(ended));
  }
  co_await clean(*run, *old.task);
}

Async<> item_80(Bench& bench, Check& check) {
  if (bench.settings().recipe.in_process()) co_return check.skip("the tasks end with the plugin");
  Started old = co_await start_apart(bench, check, sleeps);
  if (!old.task) co_return;
  const RunPtr run = co_await bench.configured(check);
  if (!run) co_return;
  for (const char* which : {"first", "second"}) {
    const auto done = co_await recover(*run, old.task->handle);
    check.expect(done.has_value(), fmt::format("the {} RecoverTask works while the old process is alive", which), done ? "" : done.error().message());
  }
  [[maybe_unused]] const bool over = co_await old.run->shut_down(2s);
  const auto early = co_await wait_task(*run, old.task->id(), 1s);
  check.expect(!early && early.error().code() == Code::deadline_exceeded, "the task runs on when the old process is stopped", describe(early));
  const auto seen = co_await inspect_task(*run, old.task->id());
  check.expect(seen && seen->task().state() == pb::RUNNING, "InspectTask says running", seen ? fmt::format("state {}", static_cast<int>(seen->task().state())) : seen.error().message());
  co_await clean(*run, *old.task);
}

Async<> item_81(Bench& bench, Check& check) {
  const std::string& previous = bench.settings().previous;
  if (previous.empty()) co_return check.skip("needs --previous, an older version of the plugin");
  Started old;
  old.run = co_await bench.configured(check, [&](Start& start) { start.executable = previous; });
  if (old.run) old.task = co_await start_task(bench, check, *old.run, {.wanted = sleeps});
  if (!old.task) co_return;
  [[maybe_unused]] const bool over = co_await old.run->shut_down(2s);
  const RunPtr run = co_await bench.configured(check);
  if (!run) co_return;
  const auto done = co_await recover(*run, old.task->handle);
  check.expect(done.has_value(), "RecoverTask with a handle of the previous version", done ? "" : done.error().message());
  co_await clean(*run, *old.task);
}

void check_status(Check& check, const pb::InspectTaskResponse& answer, const Task& task, pb::TaskState state) {
  const pb::TaskStatus& status = answer.task();
  if (!check.expect(answer.has_task(), "task in the answer of InspectTask", "none")) return;
  check.expect(status.state() == state, fmt::format("state {}", static_cast<int>(state)), std::to_string(status.state()));
  check.expect(status.id() == task.id(), "the task's id", quote(status.id()));
  check.expect(status.has_started_at() && status.has_completed_at(), "started_at and completed_at; year 1 stands for \"not yet\"", fmt::format("{}{}", status.has_started_at() ? "" : "no started_at ", status.has_completed_at() ? "" : "no completed_at"));
  check.expect(status.has_result(), "result, also while the task runs", "none");
}

Async<> item_82(Bench& bench, Check& check) {
  const RunPtr run = co_await bench.ready(check);
  const TaskPtr task = run ? co_await start_task(bench, check, *run, {.wanted = sleeps}) : nullptr;
  if (!task) co_return;
  const auto running = co_await inspect_task(*run, task->id());
  if (check.expect(running.has_value(), "an answer to InspectTask", running ? "" : running.error().message())) check_status(check, *running, *task, pb::RUNNING);
  [[maybe_unused]] const auto stopped = co_await stop_task(*run, task->id(), 0s, "");
  [[maybe_unused]] const auto ended = co_await wait_task(*run, task->id(), 20s);
  const auto exited = co_await inspect_task(*run, task->id());
  if (check.expect(exited.has_value(), "an answer to InspectTask after the end", exited ? "" : exited.error().message())) {
    check_status(check, *exited, *task, pb::EXITED);
    check.expect(exited->task().completed_at().seconds() > 0, "the time of the end in completed_at", std::to_string(exited->task().completed_at().seconds()));
  }
  [[maybe_unused]] const auto destroyed = co_await destroy_task(*run, task->id(), true);
}
}  // namespace

std::vector<ItemCheck> recovery_checks() {
  return {{76, item_76}, {77, item_77}, {78, item_78}, {79, item_79}, {80, item_80}, {81, item_81}, {82, item_82}};
}

}  // namespace drover::conformance
