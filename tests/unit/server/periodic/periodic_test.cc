// Periodic jobs on the leader: launched by the clock, one at a time where asked, made up for after a change of the leader.
#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>

#include "sdk/base/clock.h"

#include "server/periodic/children.h"
#include "server/periodic/dispatcher.h"
#include "tests/unit/server/test_log.h"

using namespace drover;

namespace {

constexpr std::int64_t nanos = 1'000'000'000;
constexpr std::int64_t start = 1'776'159'000;  // 2026-04-14T09:30:00Z

struct World {
  World() : clock(start * nanos), scope(io.get_executor()), log(fsm, io.get_executor()), writer(log, fsm), rng(1) { lead(); }

  // Another leader takes over with what the tables say.
  void lead() {
    dispatcher = std::make_unique<periodic::Dispatcher>(scope, writer, fsm, clock, rng, 6, Logger());
    dispatcher->start();
  }
  void put(model::Job job) {
    const auto before = fsm.store().snapshot()->job("default", job.id);
    job.namespace_ = "default";
    if (job.submit_time == 0) job.submit_time = clock.unix_nanos();
    fsm::JobRegister message;
    message.job = std::make_shared<const model::Job>(std::move(job));
    const std::string id = message.job->id;
    message.tracked_versions = 6;
    write(std::move(message));
    dispatcher->job_changed(before, fsm.store().snapshot()->job("default", id));
  }
  template <class M>
  void write(M message) {
    scope.spawn(propose(std::move(message)));
    settle();
  }
  template <class M>
  Async<> propose(M message) {
    auto written = co_await writer.write(std::move(message));
    CHECK(written);
  }
  void settle() {
    io.restart();
    io.run();
  }
  void advance(std::int64_t seconds) {
    clock.advance(std::chrono::seconds(seconds));
    dispatcher->tick(clock.unix_nanos());
    settle();
  }
  std::vector<std::string> children(const std::string& parent) const {
    std::vector<std::string> out;
    fsm.store().tables().jobs.scan([&](const state::JobPtr& job) {
      if (job->parent_id == parent) out.push_back(job->id);
      return true;
    });
    return out;
  }
  std::optional<std::int64_t> due() const {
    const auto at = dispatcher->next_deadline();
    return at ? std::optional(*at / nanos - start) : std::nullopt;
  }

  asio::io_context io;
  ManualClock clock;
  Scope scope;
  fsm::Fsm fsm;
  TestLog log;
  fsm::Writer writer;
  Rng rng;
  std::unique_ptr<periodic::Dispatcher> dispatcher;
};

model::Job every_minute(std::string id) {
  model::Job job;
  job.id = job.name = std::move(id);
  job.type = "batch";
  job.priority = 50;
  job.periodic = model::PeriodicConfig{.enabled = true, .spec = "* * * * *", .spec_type = "cron", .time_zone = "UTC"};
  job.meta["kept"] = "yes";
  return job;
}

}  // namespace

TEST_CASE("periodic: a job is launched when it is due, as a child of its own") {
  World w;
  w.put(every_minute("backup"));
  CHECK(w.due() == 60);
  w.advance(59);
  CHECK(w.children("backup").empty());
  w.advance(1);
  const std::string id = fmt::format("backup/periodic-{}", start + 60);
  REQUIRE(w.children("backup") == std::vector<std::string>{id});
  const auto child = w.fsm.store().snapshot()->job("default", id);
  CHECK(child->name == id);
  CHECK(!child->periodic);
  CHECK(child->meta.at("kept") == "yes");
  const auto evals = w.fsm.store().snapshot()->evals_by_job("default", id);
  REQUIRE(evals.size() == 1);
  CHECK(evals.front()->triggered_by == "periodic-job");
  CHECK(w.fsm.store().snapshot()->evals_by_job("default", "backup").empty());
  CHECK(w.fsm.store().snapshot()->periodic_launch("default", "backup")->launch == start + 60);
  CHECK(w.due() == 120);
}

TEST_CASE("periodic: a machine that slept launches once, not for each minute it missed") {
  World w;
  w.put(every_minute("backup"));
  w.advance(3600);
  CHECK(w.children("backup").size() == 1);
  CHECK(w.due() == 3660);
}

TEST_CASE("periodic: a new leader makes up for what was missed, once") {
  World w;
  w.put(every_minute("backup"));
  w.advance(60);
  w.clock.advance(std::chrono::seconds(600));
  w.lead();
  CHECK(w.due() == 660);
  w.advance(0);
  CHECK(w.children("backup").size() == 2);
  CHECK(w.due() == 720);
  // Nothing was missed by the next one.
  w.lead();
  CHECK(w.due() == 720);
  w.advance(0);
  CHECK(w.children("backup").size() == 2);
}

TEST_CASE("periodic: a job that must not overlap waits for its child to end") {
  World w;
  auto job = every_minute("backup");
  job.periodic->prohibit_overlap = true;
  w.put(job);
  w.advance(60);
  REQUIRE(w.children("backup").size() == 1);
  w.advance(60);
  CHECK(w.children("backup").size() == 1);
  // The child ends: its evaluation is done and nothing runs.
  auto eval = *w.fsm.store().snapshot()->evals_by_job("default", w.children("backup").front()).front();
  eval.status = "complete";
  fsm::EvalUpdate done;
  done.evals.push_back(std::make_shared<const model::Evaluation>(std::move(eval)));
  w.write(std::move(done));
  w.advance(60);
  CHECK(w.children("backup").size() == 2);
}

TEST_CASE("periodic: stopped, disabled and pattern jobs are not launched") {
  World w;
  auto pattern = every_minute("pattern");
  pattern.parameterized_job.ensure();
  w.put(pattern);
  auto disabled = every_minute("disabled");
  disabled.periodic->enabled = false;
  w.put(disabled);
  CHECK(w.dispatcher->tracked() == 0);
  w.put(every_minute("backup"));
  CHECK(w.dispatcher->tracked() == 1);
  fsm::JobDeregister stop;
  stop.namespace_ = "default";
  stop.job_id = "backup";
  const auto before = w.fsm.store().snapshot()->job("default", "backup");
  w.write(std::move(stop));
  w.dispatcher->job_changed(before, w.fsm.store().snapshot()->job("default", "backup"));
  CHECK(w.dispatcher->tracked() == 0);
  CHECK(w.fsm.store().snapshot()->periodic_launch("default", "backup") == nullptr);
  // Started again, it does not make up for the time it was stopped.
  w.clock.advance(std::chrono::hours(1));
  w.put(every_minute("backup"));
  CHECK(w.due() == 3660);
}

TEST_CASE("periodic: a changed schedule counts from now") {
  World w;
  w.put(every_minute("backup"));
  auto hourly = every_minute("backup");
  hourly.periodic->spec = "0 * * * *";
  hourly.periodic->time_zone = "Asia/Kolkata";  // half an hour off
  w.put(hourly);
  CHECK(w.due() == 3600);
}

TEST_CASE("periodic: a snapshot keeps when jobs were launched") {
  World w;
  w.put(every_minute("backup"));
  w.advance(60);
  std::vector<std::string> records;
  REQUIRE(w.fsm.snapshot()([&](std::string_view record) -> Result<> {
    records.emplace_back(record);
    return {};
  }));
  fsm::Fsm other;
  std::size_t at = 0;
  REQUIRE(other.restore([&](std::string& record) -> Result<bool> {
    if (at == records.size()) return false;
    record = records[at++];
    return true;
  }));
  CHECK(*other.store().snapshot()->periodic_launch("default", "backup") == *w.fsm.store().snapshot()->periodic_launch("default", "backup"));
}
