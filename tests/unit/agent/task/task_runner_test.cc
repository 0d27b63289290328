#include "agent/task/task_runner.h"

#include <algorithm>

#include "tests/unit/agent/task/one_runner.h"

using namespace drover;
using namespace drover::agent;
using namespace drover::testing;

namespace {

struct Run : OneRunner {
  Run(RunnerWorld& given, TaskLocal local, bool may_run = false, std::int64_t attempts = 0, const std::string& type = "service")
      : OneRunner(given, given.allocation({make_task("web", attempts)}, type), std::move(local), may_run) {}
  [[nodiscard]] std::size_t ends() const {
    const auto types = event_types(runner.state());
    return static_cast<std::size_t>(std::count(types.begin(), types.end(), "Terminated"));
  }
};

}  // namespace

TEST_CASE("task runner: L-01 nothing is shown before it is stored") {
  RunnerWorld world;
  Run run(world, fresh());
  world.on_store = [&] {
    const bool before = world.stored["web"].empty();
    if (before) CHECK(run.is("pending"));
  };
  run.until_running();
  REQUIRE(world.stored["web"].size() == 1);
  CHECK(last(world).handle == "handle " + fresh().driver_task_id);
  CHECK(last(world).state.state == "running");
  world.on_store = [&] { CHECK(run.is("running")); };
  world.driver.end(world.driver.only_id(), {.exit_code = 3});
  run.until_done();
  CHECK(run.is("dead"));
  CHECK(run.runner.state().failed);
}

TEST_CASE("task runner: L-02 the end and what follows from it are one record, stored before the driver forgets") {
  RunnerWorld world;
  std::optional<TaskLocal> at_end;
  {
    Run run(world, fresh(), false, 1);
    run.until_running();
    world.dies_after = [](const TaskLocal& local) { return local.ended; };
    world.driver.end(world.driver.only_id(), {.exit_code = 3});
    world.run_until([&] { return world.dead; });
    CHECK(run.is("running"));  // told to nobody yet
    CHECK(world.driver.count("destroy") == 0);
    at_end = last(world);
  }
  CHECK(at_end->ended);
  CHECK(at_end->state.restarts == 1);
  CHECK(at_end->state.state == "pending");
  // The next agent counts it no second time.
  Run next(world, *at_end, false, 1);
  next.until_running();
  CHECK(next.runner.state().restarts == 1);
  CHECK(next.ends() == 1);
  CHECK(world.driver.tasks.size() == 1);
  CHECK(world.driver.only_id() != at_end->driver_task_id);
}

TEST_CASE("task runner: F-03 an end that was stored is only forgotten, by a plugin that has to be told of it first") {
  RunnerWorld world;
  TaskLocal local = fresh();
  local.handle = "handle " + local.driver_task_id;
  local.ended = local.run_complete = true;
  local.state.state = "dead";
  world.driver.tasks[local.driver_task_id] = {.known = false, .exit = driver::ExitResult{.exit_code = 7}, .env = {}};
  Run run(world, local);
  run.until_done();
  CHECK(world.driver.tasks.empty());
  CHECK(world.driver.count("start") == 0);
  CHECK(run.ends() == 0);
}

TEST_CASE("task runner: L-17 an end is forgotten by a plugin that takes minutes to start; nobody would come back to it") {
  RunnerWorld world;
  TaskLocal local = fresh();
  local.handle = "handle " + local.driver_task_id;
  local.ended = local.run_complete = true;
  local.state.state = "dead";
  world.driver.tasks[local.driver_task_id] = {.known = false, .exit = driver::ExitResult{.exit_code = 7}};
  world.driver.first_answer = std::chrono::minutes(10);
  Run run(world, local);
  run.until_done();
  CHECK(world.driver.tasks.empty());
  CHECK(world.driver.count("start") == 0);
}

TEST_CASE("task runner: F-02 a start without a stored handle is taken over, not repeated") {
  RunnerWorld world;
  world.driver.tasks[fresh().driver_task_id] = {.known = false, .exit = {}, .env = {}};
  Run run(world, fresh(), true);
  run.until_running();
  CHECK(world.driver.count("start") == 0);
  CHECK(last(world).handle == "handle " + fresh().driver_task_id);
  SUBCASE("and its exit code arrives") {
    world.driver.end(world.driver.only_id(), {.exit_code = 7});
    run.until_done();
    CHECK(run.ends() == 1);
  }
  SUBCASE("and it can be stopped") {
    run.runner.kill({}, false);
    run.until_done();
    CHECK(world.driver.tasks.empty());
    CHECK_FALSE(run.runner.state().failed);
  }
}

TEST_CASE("task runner: F-02 a task that is not wanted any more is ended although no handle was stored") {
  RunnerWorld world;
  world.driver.tasks[fresh().driver_task_id] = {.known = false, .exit = {}, .env = {}};
  Run run(world, fresh(), true);
  run.runner.kill({}, false);
  run.until_done();
  CHECK(world.driver.tasks.empty());
  CHECK(world.driver.count("start") == 0);
}

TEST_CASE("task runner: F-02 what a driver cannot hand over is ended before the task is started again") {
  RunnerWorld world;
  world.driver.adopts = false;
  world.driver.tasks[fresh().driver_task_id] = {};
  Run run(world, fresh(), true);
  run.until_running();
  CHECK(world.driver.tasks.size() == 1);
  CHECK(world.driver.only_id() != fresh().driver_task_id);
}

TEST_CASE("task runner: F-02 nothing of a killed task is started") {
  RunnerWorld world;
  Run run(world, fresh());
  run.runner.kill({}, false);
  run.until_done();
  CHECK(world.driver.calls.empty());
  CHECK(run.is("dead"));
  CHECK_FALSE(run.runner.state().failed);
}

TEST_CASE("task runner: F-23 the plugin dies within StartTask") {
  RunnerWorld world;
  SUBCASE("after the task came to run: it is taken over") {
    world.driver.dies_at = {"started"};
    Run run(world, fresh());
    world.run_until([&] { return !world.driver.up; });
    world.driver.come_up();
    run.until_running();
    CHECK(world.driver.count("start") == 1);
    CHECK(world.driver.tasks.size() == 1);
  }
  SUBCASE("before: the start is repeated under a new id") {
    world.driver.dies_at = {"start"};
    Run run(world, fresh());
    world.run_until([&] { return !world.driver.up; });
    world.driver.come_up();
    run.until_running();
    CHECK(world.driver.count("start") == 2);
    CHECK(world.driver.only_id() != fresh().driver_task_id);
  }
  SUBCASE("twice: the task fails and says why") {
    world.driver.dies_at = {"start"};
    Run run(world, fresh());
    world.run_until([&] { return !world.driver.up; });
    world.driver.dies_at = {"start"};
    world.driver.come_up();
    world.run_until([&] { return !world.driver.up; });
    world.driver.come_up();
    run.until_done();
    CHECK(run.runner.state().failed);
    const auto& events = run.runner.state().events;
    CHECK(std::any_of(events.begin(), events.end(), [](const auto& event) {
      return event.display_message.find("failed to start task after driver exited unexpectedly") != std::string::npos;
    }));
  }
}

TEST_CASE("task runner: F-23 the plugin dies while the task runs") {
  RunnerWorld world;
  Run run(world, fresh());
  run.until_running();
  world.driver.go_down();
  SUBCASE("the next instance is told of the task") {
    world.driver.come_up();
    world.run_until([&] { return world.driver.count("recover") == 1; });
    world.driver.end(world.driver.only_id(), {.exit_code = 7});
    run.until_done();
    CHECK(run.ends() == 1);
    CHECK(world.driver.count("start") == 1);
  }
  SUBCASE("a stop meanwhile reaches the next instance") {
    run.runner.kill({}, false);
    world.driver.come_up();
    run.until_done();
    CHECK(world.driver.tasks.empty());
    CHECK_FALSE(run.runner.state().failed);
  }
  SUBCASE("its tasks are lost with it: that is an end with a reason") {
    world.driver.tasks.clear();
    world.driver.come_up();
    run.until_done();
    CHECK(run.runner.state().failed);
    CHECK(run.ends() == 1);
  }
}

TEST_CASE("task runner: F-03 the wish to stop survives the agent, and the end is then no failure") {
  RunnerWorld world;
  std::optional<TaskLocal> wish;
  {
    Run run(world, fresh());
    run.until_running();
    world.dies_after = [](const TaskLocal& local) { return local.stopping == "kill"; };
    run.runner.kill({}, false);
    world.run_until([&] { return world.dead; });
    CHECK(world.driver.count("stop") == 0);
    wish = last(world);
  }
  CHECK(wish->stopping == "kill");
  world.driver.go_down();
  world.driver.come_up();
  SUBCASE("the task runs on") {}
  SUBCASE("it ended meanwhile") {
    world.driver.end(world.driver.only_id(), {.exit_code = 130, .signal = 2});
  }
  Run next(world, *wish);
  next.until_done();
  CHECK(next.is("dead"));
  CHECK_FALSE(next.runner.state().failed);
  CHECK(world.driver.tasks.empty());
}

TEST_CASE("task runner: F-01 a handle is recovered, however long the plugin takes") {
  RunnerWorld world;
  TaskLocal local = fresh();
  local.handle = "handle " + local.driver_task_id;
  local.state.state = "running";
  world.driver.tasks[local.driver_task_id] = {.known = false, .exit = {}, .env = {}};
  world.driver.go_down();
  Run run(world, local);
  world.run_until([&] { return world.driver.count("recover") == 1; });
  world.driver.come_up();
  world.run_until([&] { return world.driver.tasks.begin()->second.known; });
  CHECK(world.driver.count("start") == 0);
  CHECK(world.driver.count("destroy") == 0);
}

TEST_CASE("task runner: a task that is gone is started again only when the servers still want it here") {
  RunnerWorld world;
  TaskLocal local = fresh();
  local.handle = "handle " + local.driver_task_id;
  local.state.state = "running";
  SUBCASE("service") {
    Run run(world, local);
    world.run_until([&] { return !run.runner.state().events.empty(); });
    CHECK(event_types(run.runner.state()) == std::vector<std::string>{"Failed Restoring Task"});
    CHECK(world.driver.count("start") == 0);
    SUBCASE("they do") {
      world.server_contacted.set();
      world.run_until([&] { return world.driver.count("start") == 1; });
    }
    SUBCASE("they do not") {
      run.runner.kill({}, false);
      run.until_done();
      CHECK(world.driver.count("start") == 0);
    }
  }
  SUBCASE("system: it belongs to the node") {
    Run run(world, local, false, 0, "system");
    world.run_until([&] { return world.driver.count("start") == 1; });
  }
}

TEST_CASE("task runner: the delay of a restart goes on after the agent was killed") {
  RunnerWorld world;
  TaskLocal local = fresh();
  local.driver_task_id.clear();
  local.restart_at = world.clock.unix_nanos() + std::chrono::nanoseconds(std::chrono::hours(1)).count();
  Run run(world, local);
  world.loop.poll();
  CHECK(world.driver.calls.empty());
  run.runner.kill({}, false);
  run.until_done();
  CHECK(world.driver.count("start") == 0);
}

TEST_CASE("task runner: an error the driver calls unrecoverable ends the task, another one goes by the policy") {
  RunnerWorld world;
  SUBCASE("unrecoverable") {
    world.driver.start_result = fail(Code::invalid_argument, "no such command");
    Run run(world, fresh(), false, 3);
    run.until_done();
    CHECK(world.driver.count("start") == 1);
    CHECK(event_types(run.runner.state()).back() == "Not Restarting");
  }
  SUBCASE("recoverable") {
    world.driver.start_result = fail(Error(Code::internal, "the registry is away").with_recoverable());
    Run run(world, fresh(), false, 3);
    run.until_done();
    CHECK(world.driver.count("start") == 4);
  }
}

TEST_CASE("task runner: L-06 statistics go on after a stream that ended, one that went silent, and a plugin that was away") {
  RunnerWorld world;
  world.services.stats_interval = std::chrono::milliseconds(1);
  world.driver.streams = {{.samples = 1, .ends = true}, {.samples = 1, .ends = false}, {.samples = 0, .ends = true}, {.samples = 1, .ends = false}};
  Run run(world, fresh());
  const auto rss = [&] { return run.runner.stats() == nullptr ? 0 : run.runner.stats()->total.memory.rss; };
  world.run_until([&] { return rss() == 3; });
  CHECK(world.driver.count("stats") >= 4);
  world.driver.go_down();
  world.run_until([&] { return world.driver.streams.empty() && !world.driver.up && world.driver.calls.back().starts_with("stats"); });
  world.driver.streams = {{.samples = 1, .ends = false}};
  world.driver.come_up();
  world.run_until([&] { return rss() == 4; });
  CHECK(run.is("running"));
}
