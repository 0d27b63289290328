// What the tests of the server's endpoints share: a server with a log in memory and a scheduler that places everything.
#pragma once

#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>

#include "server/server.h"
#include "tests/unit/server/fake_scheduler.h"
#include "tests/unit/server/test_log.h"

namespace drover {

// A server in this process, and a scope for the coroutines of a test.
struct Cluster {
  Cluster() : scope(io.get_executor()), clock(1'700'000'000'000'000'000) {
    ServerOptions options;
    options.tuning.num_schedulers = 2;
    options.seed = 7;
    options.clock = &clock;
    options.make_run = fake_run;
    options.fits = [](const model::Node&, const std::vector<state::AllocPtr>&) { return std::string(); };
    options.open_log = [this](const ServerOptions&, fsm::Fsm& fsm, Executor executor) -> Result<std::unique_ptr<fsm::Log>> {
      auto opened = std::make_unique<TestLog>(fsm, std::move(executor));
      log = opened.get();
      return opened;
    };
    auto started = Server::start(io.get_executor(), std::move(options));
    REQUIRE(started);
    server = std::move(*started);
    caller = std::make_unique<wire::LocalCaller>(server->registry());
  }
  // Runs the test to its end, then the server's shutdown.
  void run(Async<> test) {
    scope.spawn(drive(std::move(test)));
    io.run();
    CHECK(ended);
  }
  Async<> drive(Async<> test) {
    co_await std::move(test);
    co_await server->shutdown();
    ended = true;
  }

  asio::io_context io;
  Scope scope;
  ManualClock clock;
  TestLog* log = nullptr;
  std::unique_ptr<Server> server;
  std::unique_ptr<wire::LocalCaller> caller;
  bool ended = false;
};

inline std::shared_ptr<const model::Job> make_job(std::string id, std::int64_t count) {
  auto job = std::make_shared<model::Job>();
  job->id = job->name = std::move(id);
  job->type = "service";
  job->priority = 50;
  job->datacenters.push_back("dc1");
  model::TaskGroup group;
  group.name = "g";
  group.count = count;
  model::Task task;
  task.name = "t";
  task.driver = "raw_exec";
  group.tasks.push_back(std::move(task));
  job->task_groups.push_back(std::move(group));
  return job;
}

}  // namespace drover
