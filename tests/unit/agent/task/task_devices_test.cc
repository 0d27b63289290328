// Devices of a task over its life, its restarts and those of the agent (plugin protocol 6.4).
#include "agent/task/task_runner.h"
#include "tests/unit/agent/task/one_runner.h"

using namespace drover;
using namespace drover::agent;
using namespace drover::testing;

namespace {
// What device plugins of the node are asked.
struct Devices {
  std::vector<std::string> calls;
  Result<> release_result;

  void join(TaskServices& services) {
    services.reserve_devices = [this](device::Owner owner, device::DeviceSet devices) { return reserve(std::move(owner), std::move(devices)); };
    services.hold_devices = [this](device::Owner owner, device::DeviceSet devices) { calls.push_back("hold " + text(owner, devices)); };
    services.release_devices = [this](device::Owner owner, device::DeviceSet devices) { return release(std::move(owner), std::move(devices)); };
  }
  static std::string text(const device::Owner& owner, const device::DeviceSet& devices) {
    return owner.task + " " + devices.vendor + "/" + devices.type + "/" + devices.name + " " + drover::join(devices.ids, ",");
  }
  Async<Result<device::Reservation>> reserve(device::Owner owner, device::DeviceSet devices) {
    calls.push_back("reserve " + text(owner, devices));
    CHECK(owner.alloc_id == RunnerWorld::alloc_id);
    co_return device::Reservation{.envs = {{"GOT", devices.ids.front()}}, .mounts = {}, .devices = {}};
  }
  Async<Result<>> release(device::Owner owner, device::DeviceSet devices) {
    calls.push_back("release " + text(owner, devices));
    co_return release_result;
  }
};

struct Run : OneRunner {
  Run(RunnerWorld& given, TaskLocal local) : OneRunner(given, with_devices(given), std::move(local), false) {}
  static std::shared_ptr<model::Allocation> with_devices(const RunnerWorld& world) {
    auto out = world.allocation({make_task("web", 1)});
    model::AllocatedDeviceResource devices;
    devices.vendor = "acme";
    devices.type = "gpu";
    devices.name = "m1";
    devices.device_ids = std::vector<std::string>{"d0", "d1"};
    out->allocated_resources.ensure().tasks["web"].devices.push_back(devices);
    return out;
  }
};

using Calls = std::vector<std::string>;
const std::string devices = "web acme/gpu/m1 d0,d1";
}  // namespace

TEST_CASE("task devices: reserved once, kept over a restart in place, released after the last end") {
  RunnerWorld world;
  Devices plugin;
  plugin.join(world.services);
  Run run(world, fresh());
  run.until_running();
  CHECK(world.driver.tasks.at(world.driver.only_id()).env.at("GOT") == "d0");
  world.driver.end(world.driver.only_id(), {.exit_code = 3});
  world.run_until([&] { return world.driver.count("start") == 2 && !world.driver.tasks.empty(); });
  CHECK(plugin.calls == Calls{"reserve " + devices});
  world.driver.end(world.driver.only_id(), {.exit_code = 3});
  run.until_done();
  CHECK(plugin.calls == Calls{"reserve " + devices, "release " + devices});
  CHECK(world.driver.tasks.empty());
  CHECK_FALSE(last(world).holds_devices);
}

TEST_CASE("task devices: F-02 whenever the agent dies, the next one tells that they are free") {
  RunnerWorld world;
  Devices plugin;
  plugin.join(world.services);
  std::optional<TaskLocal> left;
  SUBCASE("before they were reserved") {
    Run run(world, fresh());
    world.dies_after = [](const TaskLocal& local) { return local.holds_devices; };
    world.run_until([&] { return world.dead; });
    CHECK(plugin.calls.empty());
    left = last(world);
  }
  SUBCASE("while the task ran") {
    Run run(world, fresh());
    run.until_running();
    left = last(world);
  }
  SUBCASE("when its end was stored") {
    Run run(world, fresh());
    run.until_running();
    run.runner.kill({}, false);
    world.dies_after = [](const TaskLocal& local) { return local.run_complete; };
    world.run_until([&] { return world.dead; });
    CHECK(plugin.calls == Calls{"reserve " + devices});
    left = last(world);
  }
  CHECK(left->holds_devices);
  plugin.calls.clear();
  Run next(world, *left);
  next.runner.kill({}, false);
  next.until_done();
  REQUIRE(!plugin.calls.empty());
  CHECK(plugin.calls.back() == "release " + devices);
  CHECK((left->run_complete ? plugin.calls.size() == 1 : plugin.calls.front() == "hold " + devices));
  CHECK_FALSE(last(world).holds_devices);
}

TEST_CASE("task devices: F-02 an agent that dies after telling and before storing it tells it once more") {
  RunnerWorld world;
  Devices plugin;
  plugin.join(world.services);
  {
    Run run(world, fresh());
    run.until_running();
    run.runner.kill({}, false);
    world.dies_after = [](const TaskLocal& local) { return local.run_complete && !local.holds_devices; };
    // What was stored last is what an agent finds that died just before.
    world.run_until([&] { return world.dead; });
  }
  const TaskLocal before = world.stored.at("web").at(world.stored.at("web").size() - 2);
  REQUIRE(before.holds_devices);
  Run next(world, before);
  next.until_done();
  CHECK(plugin.calls == Calls{"reserve " + devices, "release " + devices, "release " + devices});
  CHECK(world.driver.count("start") == 1);
}

TEST_CASE("task devices: a plugin that is away does not keep the task from its end, and the next agent tells it") {
  RunnerWorld world;
  Devices plugin;
  plugin.join(world.services);
  plugin.release_result = fail(Code::unavailable, "plugin is shut down");
  {
    Run run(world, fresh());
    run.until_running();
    run.runner.kill({}, false);
    run.until_done();
    CHECK(last(world).holds_devices);
  }
  plugin.release_result = {};
  Run next(world, last(world));
  next.until_done();
  CHECK(plugin.calls == Calls{"reserve " + devices, "release " + devices, "release " + devices});
  CHECK_FALSE(last(world).holds_devices);
}

TEST_CASE("task devices: a task without devices stores and tells nothing of them") {
  RunnerWorld world;
  Devices plugin;
  plugin.join(world.services);
  Run run(world, fresh());
  run.alloc->allocated_resources.reset();
  run.until_running();
  run.runner.kill({}, false);
  run.until_done();
  CHECK(plugin.calls.empty());
  for (const TaskLocal& record : world.stored.at("web")) CHECK_FALSE(record.holds_devices);
}
