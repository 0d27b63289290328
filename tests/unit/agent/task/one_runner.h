// One task's runner over the world of fake_driver.h; an "agent" is one of these. Dropping it is a kill -9: what was stored last is all
// that remains.
#pragma once

#include "tests/unit/agent/task/fake_driver.h"

namespace drover::testing {

struct OneRunner {
  RunnerWorld& world;
  std::shared_ptr<model::Allocation> alloc;
  Scope scope{world.loop.get_executor()};
  agent::TaskRunner runner;

  OneRunner(RunnerWorld& given, std::shared_ptr<model::Allocation> of, agent::TaskLocal local, bool may_run)
      : world(given),
        alloc(std::move(of)),
        runner(given.services, alloc, alloc->job->task_groups[0], alloc->job->task_groups[0].tasks[0], std::move(local), may_run, [] {}) {
    runner.allow_start();
    scope.spawn(runner.run());
  }
  OneRunner(const OneRunner&) = delete;
  OneRunner& operator=(const OneRunner&) = delete;
  ~OneRunner() {
    scope.cancel();
    world.loop.restart();
    while (scope.size() > 0 && world.loop.run_one() > 0) {}
  }
  [[nodiscard]] bool is(const std::string& state) const { return runner.state().state == state; }
  void until_running() { world.run_until([this] { return is("running"); }); }
  void until_done() { world.run_until([this] { return runner.done(); }); }
};

inline agent::TaskLocal fresh() { return {.driver_task_id = std::string(RunnerWorld::alloc_id) + "/web/00000001"}; }
inline agent::TaskLocal last(const RunnerWorld& world) { return world.stored.at("web").back(); }

}  // namespace drover::testing
