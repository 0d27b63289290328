#include "agent/alloc/alloc_runner.h"

#include <algorithm>

#include "tests/unit/agent/task/fake_driver.h"

using namespace drover;
using namespace drover::agent;
using namespace drover::testing;

namespace {

model::Task with_hook(model::Task task, const std::string& hook, bool sidecar = false) {
  model::TaskLifecycleConfig lifecycle;
  lifecycle.hook = hook;
  lifecycle.sidecar = sidecar;
  task.lifecycle.ensure() = lifecycle;
  return task;
}

struct AllocWorld : RunnerWorld {
  std::vector<std::string> told;  // client statuses in the order in which they were told, without repetition
  int forgotten = 0, removed = 0;
  std::unique_ptr<AllocRunner> runner;
  Scope scope{loop.get_executor()};
  bool stores = true;
  AllocServices alloc_services{.tasks = services,
                               .store_alloc = [this](std::string, std::string, std::map<std::string, std::string> tasks) { return keep_alloc(std::move(tasks)); },
                               .forget_alloc = [this](std::string) { return count(forgotten); },
                               .changed = [this](const std::string&) { tell(); },
                               .remove_directory = [this](std::string) { return count(removed); }};

  Async<Result<>> keep_alloc(std::map<std::string, std::string> tasks) {
    if (!stores) co_return fail(Code::resource_exhausted, "no space left on device");
    for (const auto& [name, bytes] : tasks) stored[name].push_back(*decode_task_local(bytes));
    co_return Result<>{};
  }
  static Async<Result<>> count(int& counter) {
    ++counter;
    co_return Result<>{};
  }
  void tell() {
    if (!runner) return;
    std::string status = runner->client_update()->client_status;
    if (told.empty() || told.back() != status) told.push_back(std::move(status));
  }
  void begin(std::vector<model::Task> tasks, std::map<std::string, TaskLocal> restored = {}, bool may_run = false, const std::string& type = "service") {
    alloc = allocation(std::move(tasks), type);
    runner = std::make_unique<AllocRunner>(alloc_services, alloc, std::move(restored), may_run);
    scope.spawn(runner->run());
  }
  // The agent dies: what was stored last is all that remains.
  std::map<std::string, TaskLocal> die() {
    std::map<std::string, TaskLocal> out;
    for (const auto& [name, records] : stored) out[name] = records.back();
    finish();
    driver.go_down();
    driver.come_up();
    return out;
  }
  void finish() {
    if (runner) scope.spawn(runner->detach());
    loop.restart();
    if (runner) run_until([this] { return detached(); });
    scope.cancel();
    loop.restart();
    while (scope.size() > 0 && loop.run_one() > 0) {}
    runner.reset();
  }
  [[nodiscard]] bool detached() const { return scope.size() <= 1; }
  ~AllocWorld() { finish(); }

  [[nodiscard]] std::string state(const std::string& task) const {
    const TaskRunner* found = runner->task(task);
    return found == nullptr ? "" : found->state().state;
  }
  void until_state(const std::string& task, const std::string& wanted) { run_until([&] { return state(task) == wanted; }); }
  void until_terminal() { run_until([this] { return runner->terminal(); }); }
  void end(const std::string& task, std::int32_t code) {
    for (const auto& [id, entry] : driver.tasks) {
      if (id.find("/" + task + "/") != std::string::npos && !entry.exit) return driver.end(id, {.exit_code = code});
    }
    FAIL("task does not run: ", task);
  }
  [[nodiscard]] bool has_event(const std::string& task, const std::string& type) const {
    const auto types = event_types(runner->task(task)->state());
    return std::find(types.begin(), types.end(), type) != types.end();
  }

  std::shared_ptr<model::Allocation> alloc;
};

}  // namespace

TEST_CASE("alloc runner: L-01 allocation and tasks are stored before the driver hears of them") {
  AllocWorld world;
  world.begin({make_task("a"), make_task("b")});
  world.until_state("a", "running");
  world.until_state("b", "running");
  for (const char* name : {"a", "b"}) {
    CHECK(world.stored[name].front().state.state == "pending");
    CHECK_FALSE(world.stored[name].front().driver_task_id.empty());
    CHECK(world.driver.count("start " + world.stored[name].front().driver_task_id) == 1);
  }
  CHECK(world.driver.count("adopt") == 0);
}

TEST_CASE("alloc runner: F-39 what cannot be stored is refused with the reason, and nothing is started") {
  AllocWorld world;
  world.stores = false;
  world.begin({make_task("a")});
  world.until_terminal();
  CHECK(world.driver.count("start") == 0);
  CHECK(world.told.back() == "failed");
  const auto& events = world.runner->task("a")->state().events;
  CHECK(std::any_of(events.begin(), events.end(), [](const auto& event) { return event.display_message.find("no space left on device") != std::string::npos; }));
}

TEST_CASE("alloc runner: lifecycle order") {
  AllocWorld world;
  world.begin({make_task("main"), with_hook(make_task("init"), "prestart"), with_hook(make_task("side"), "prestart", true),
               with_hook(make_task("after"), "poststop")}, {}, false, "batch");
  world.until_state("init", "running");
  world.until_state("side", "running");
  CHECK(world.state("main") == "pending");
  world.end("init", 0);
  world.until_state("main", "running");
  world.end("main", 0);
  // The sidecar is killed, then the last task runs.
  world.until_state("side", "dead");
  CHECK(world.has_event("side", "Main Tasks Dead"));
  world.until_state("after", "running");
  world.end("after", 0);
  world.until_terminal();
  CHECK(world.driver.tasks.empty());
}

TEST_CASE("alloc runner: a failed task takes its siblings along") {
  AllocWorld world;
  world.begin({make_task("a"), make_task("b")});
  world.until_state("a", "running");
  world.until_state("b", "running");
  world.end("a", 1);
  world.until_terminal();
  CHECK(world.has_event("b", "Sibling Task Failed"));
  CHECK(world.told.back() == "failed");
}

TEST_CASE("alloc runner: the leader's end is everybody's") {
  AllocWorld world;
  auto leader = make_task("a");
  leader.leader = true;
  world.begin({leader, make_task("b")}, {}, false, "batch");
  world.until_state("a", "running");
  world.until_state("b", "running");
  world.end("a", 0);
  world.until_terminal();
  CHECK(world.has_event("b", "Leader Task Dead"));
  CHECK(world.told.back() == "complete");
}

TEST_CASE("alloc runner: F-01 restored tasks are recovered whatever their turn is") {
  AllocWorld world;
  world.begin({make_task("main"), with_hook(make_task("side"), "prestart", true)});
  world.until_state("main", "running");
  auto records = world.die();
  // The sidecar is between two runs, so main would not be allowed to start now.
  records["side"].handle.clear();
  records["side"].driver_task_id.clear();
  records["side"].state.state = "pending";
  records["side"].restart_at = world.clock.unix_nanos() + 3'600'000'000'000;
  world.driver.calls.clear();
  world.begin({make_task("main"), with_hook(make_task("side"), "prestart", true)}, std::move(records));
  world.run_until([&] { return world.driver.count("recover handle 6f1c0000-0000-0000-0000-000000000001/main/") == 1; });
  CHECK(world.driver.count("start") == 0);
}

TEST_CASE("alloc runner: F-02 killed between StartTask and its answer, the task is taken over") {
  AllocWorld world;
  world.begin({make_task("a")});
  world.run_until([&] { return world.driver.count("start") == 1; });
  auto records = world.die();
  records["a"].handle.clear();
  records["a"].state.state = "pending";
  REQUIRE(world.driver.tasks.size() == 1);
  SUBCASE("and runs on") {
    world.begin({make_task("a")}, std::move(records));
    world.until_state("a", "running");
    CHECK(world.driver.count("start") == 1);
  }
  SUBCASE("and is stopped when it is not wanted any more") {
    world.begin({make_task("a")}, std::move(records));
    auto unwanted = std::make_shared<model::Allocation>(*world.alloc);
    unwanted->desired_status = "stop";
    world.runner->update(unwanted);
    world.until_terminal();
    CHECK(world.driver.tasks.empty());
    CHECK(world.told.back() == "complete");
  }
}

TEST_CASE("alloc runner: F-38 without any record a running task is taken over, and one that does not run is started") {
  AllocWorld world;
  world.begin({make_task("a"), make_task("b")});
  world.until_state("a", "running");
  world.until_state("b", "running");
  static_cast<void>(world.die());
  std::erase_if(world.driver.tasks, [](const auto& entry) { return entry.first.find("/b/") != std::string::npos; });
  world.driver.calls.clear();
  world.begin({make_task("a"), make_task("b")}, {}, true);
  world.until_state("a", "running");
  world.until_state("b", "running");
  CHECK(world.driver.count("adopt") == 2);
  CHECK(world.driver.count("start") == 1);
  CHECK(world.driver.tasks.size() == 2);
}

TEST_CASE("alloc runner: L-03 a completed allocation does not run again") {
  AllocWorld world;
  world.begin({make_task("a")}, {}, false, "batch");
  world.until_state("a", "running");
  world.end("a", 0);
  world.until_terminal();
  auto records = world.die();
  world.driver.calls.clear();
  world.begin({make_task("a")}, std::move(records), false, "batch");
  world.until_terminal();
  CHECK(world.driver.count("start") == 0);
  CHECK(world.told.back() == "complete");
}

TEST_CASE("alloc runner: L-17 destroying ends what runs, then removes directory and records") {
  AllocWorld world;
  world.begin({make_task("a")});
  world.until_state("a", "running");
  world.scope.spawn(world.runner->destroy());
  world.run_until([&] { return world.forgotten == 1; });
  CHECK(world.removed == 1);
  CHECK(world.driver.tasks.empty());
}
