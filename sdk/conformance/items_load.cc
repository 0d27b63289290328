// Items 98 to 100: many tasks, one id twice, and a task that cannot start.
#include "sdk/base/text.h"
#include "sdk/conformance/footprint.h"
#include "sdk/conformance/rig.h"

namespace drover::conformance {
namespace {
using namespace std::chrono_literals;
const Wanted exits_0{"exit_0", "exit 0"};

Async<> whole_life(Bench& bench, RunPtr run, std::vector<std::string>& problems) {
  const auto prepared = co_await prepare_task(bench, *run, {.wanted = exits_0, .logs = Logs::null_device});
  if (!prepared) co_return problems.push_back(prepared.error().message());
  const TaskPtr task = *prepared;
  const auto started = co_await call_start(*run, *task);
  if (!started) co_return problems.push_back("StartTask: " + started.error().message());
  const auto ended = co_await wait_task(*run, task->id(), 120s);
  if (!ended || ended->result().exit_code() != 0) problems.push_back("WaitTask: " + describe(ended));
  const auto destroyed = co_await destroy_task(*run, task->id(), true);
  if (!destroyed) problems.push_back("DestroyTask: " + destroyed.error().message());
}

Async<> batch(Bench& bench, RunPtr run, int count, std::vector<std::string>& problems) {
  Scope scope(bench.executor());
  for (int i = 0; i < count; ++i) scope.spawn(whole_life(bench, run, problems));
  co_await scope.join();
}

Async<> item_98(Bench& bench, Check& check) {
  if (!bench.settings().recipe.can(exits_0)) co_return check.skip("needs a case \"exit_0\" in --task-config");
  const RunPtr run = co_await bench.configured(check);
  if (!run) co_return;
  std::vector<std::string> problems;
  // What a plugin makes once and keeps is there after the first; threads of a runtime that blocks in system calls come in the next
  // few. A leak is in every round.
  co_await batch(bench, run, 50, problems);
  std::string grown;
  for (int round = 0; round < 4; ++round) {
    const Footprint before = footprint_of(run->pid());
    co_await batch(bench, run, 50, problems);
    grown = co_await grown_since(run->pid(), before);
    if (grown.empty()) break;
  }
  check.expect(problems.empty(), "tasks that start, end and are destroyed, 50 at once", problems.empty() ? "" : fmt::format("{} problems, the first: {}", problems.size(), problems.front()));
  check.expect(grown.empty(), "no growth of the plugin over 50 tasks", grown);
}

Async<> item_99(Bench& bench, Check& check) {
  const RunPtr run = co_await bench.ready(check);
  const TaskPtr task = run ? co_await start_task(bench, check, *run, {.wanted = {"sleep", "echo run >> \"$NOMAD_TASK_DIR/starts\"; exec sleep 600"}}) : nullptr;
  if (!task) co_return;
  const auto second = co_await call_start(*run, *task);
  check.expect(!second, "an error for a task id that is in use", "success");
  co_await sleep_for(500ms);
  const auto seen = co_await inspect_task(*run, task->id());
  check.expect(seen && seen->task().state() == pb::RUNNING, "the first task runs on", seen ? fmt::format("state {}", static_cast<int>(seen->task().state())) : seen.error().message());
  if (bench.settings().recipe.runs_scripts()) {
    [[maybe_unused]] const bool begun = co_await file_within(*task, "starts", 20s);
    check.expect(task->file("starts") == "run\n", "the task was started once", quote(task->file("starts")));
  }
  [[maybe_unused]] const auto destroyed = co_await destroy_task(*run, task->id(), true);
}

Async<> item_100(Bench& bench, Check& check) {
  if (!bench.settings().recipe.can_miss()) co_return check.skip("needs ${shell} or a case \"missing\" in --task-config");
  const RunPtr run = co_await bench.ready(check);
  if (!run) co_return;
  const auto prepared = co_await prepare_task(bench, *run, {.wanted = {"missing", "exit 0"}, .shell = "/no/such/program"});
  if (!prepared) co_return check.skip(prepared.error().message());
  const TaskPtr task = *prepared;
  const auto started = co_await call_start(*run, *task);
  if (!check.expect(!started, "an error of StartTask for a task that cannot start", "success")) {
    [[maybe_unused]] const auto destroyed = co_await destroy_task(*run, task->id(), true);
    co_return;
  }
  const std::string& text = started.error().message();
  const bool names = !bench.settings().recipe.runs_scripts() || text.find("no/such/program") != std::string::npos;
  check.expect(!trim(text).empty() && names, "a message that names the cause", quote(text));
  check.note(fmt::format("{}recoverable: {}", started.error().recoverable() ? "" : "not ", text));
  check.expect(run->alive(), "the plugin keeps running", run->epitaph());
}
}  // namespace

std::vector<ItemCheck> load_checks() { return {{98, item_98}, {99, item_99}, {100, item_100}}; }

}  // namespace drover::conformance
