// F-50, L-10: somebody sets the date of the machine that leads. Nothing that is timed may come early, late or twice for that.
#include <doctest/doctest.h>

#include <fmt/ranges.h>

#include <boost/asio/io_context.hpp>

#include "server/deploy/watcher.h"
#include "server/drain/drainer.h"
#include "server/gc/past.h"
#include "server/periodic/children.h"
#include "server/periodic/dispatcher.h"
#include "tests/unit/server/test_log.h"
#include "tests/unit/support/jump_clock.h"

using namespace drover;
using namespace std::chrono_literals;

namespace {

constexpr std::int64_t nanos = 1'000'000'000;
constexpr std::int64_t start = 1'776'159'000;  // 2026-04-14T09:30:00Z
constexpr auto year = std::chrono::hours(24 * 365);

struct World {
  World() : clock(start * nanos), scope(io.get_executor()), log(fsm, io.get_executor()), writer(log, fsm), rng(1) {}
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
  // Until everybody waits for something else.
  void settle() {
    io.restart();
    while (io.poll() > 0) {
    }
  }

  asio::io_context io;
  JumpClock clock;
  Scope scope;
  fsm::Fsm fsm;
  TestLog log;
  fsm::Writer writer;
  Rng rng;
};

struct Periodic : World {
  Periodic() {
    lead();
    model::Job job;
    job.id = job.name = "backup";
    job.namespace_ = "default";
    job.type = "batch";
    job.periodic = model::PeriodicConfig{.enabled = true, .spec = "0 * * * *", .spec_type = "cron", .time_zone = "UTC"};
    put(std::move(job));
  }
  void lead() {
    dispatcher = std::make_unique<periodic::Dispatcher>(scope, writer, fsm, clock, rng, 6, Logger());
    dispatcher->start();
  }
  void put(model::Job job) {
    job.submit_time = clock.unix_nanos();
    fsm::JobRegister message;
    const std::string id = job.id;
    message.job = std::make_shared<const model::Job>(std::move(job));
    message.tracked_versions = 6;
    write(std::move(message));
    dispatcher->job_changed(nullptr, fsm.store().snapshot()->job("default", id));
  }
  void tick() {
    dispatcher->tick(clock.unix_nanos());
    settle();
  }
  // As the leader's timer does it.
  void minutes(int count) {
    for (int i = 0; i < count; ++i) {
      clock.advance(1min);
      tick();
    }
  }
  void set_by(nanoseconds by) {
    clock.set_by(by);
    tick();
  }
  // The seconds after `start` of all launches so far, and their children gone as garbage goes.
  std::string take_launches() {
    std::vector<std::int64_t> out;
    std::vector<fsm::JobDeregister> gone;
    fsm.store().tables().jobs.scan([&](const state::JobPtr& job) {
      if (job->parent_id.empty()) return true;
      out.push_back(std::stoll(job->id.substr(job->id.rfind('-') + 1)) - start);
      gone.push_back({.namespace_ = job->namespace_, .job_id = job->id, .purge = true});
      return true;
    });
    for (auto& one : gone) write(std::move(one));
    return fmt::format("{}", fmt::join(out, " "));
  }
  std::int64_t due() const { return *dispatcher->next_deadline() / nanos - start; }
  std::unique_ptr<periodic::Dispatcher> dispatcher;
};

}  // namespace

TEST_CASE("F-50: periodic: a date set forward makes up for one launch, and one set back again takes nothing away") {
  Periodic w;
  w.minutes(35);
  CHECK(w.take_launches() == "1800");  // 10:00
  w.set_by(24h);
  CHECK(w.take_launches() == "5400");  // 11:00, which the date leapt over
  w.set_by(-24h);
  w.minutes(150);
  // 11:00 has been; 12:00 is neither lost nor waited for until tomorrow.
  CHECK(w.take_launches() == "9000");
}

TEST_CASE("F-50: periodic: what was launched is not launched again when the date goes back over it") {
  for (const auto back : {nanoseconds(90min), nanoseconds(26h)}) {
    Periodic w;
    w.minutes(30 * 60 + 35);
    CHECK(w.take_launches().ends_with(fmt::format(" {}", 30 * 3600 + 1800)));
    w.set_by(-back);
    w.minutes(static_cast<int>(back / 1min) - 10);
    // Those before the job was registered are no launches of it either.
    CHECK(w.take_launches() == "");
    w.minutes(70);
    CHECK(w.take_launches() == fmt::format("{}", 30 * 3600 + 5400));
  }
}

TEST_CASE("F-50: periodic: ten years ahead and back, also by way of another leader") {
  for (const bool other : {false, true}) {
    Periodic w;
    w.set_by(10 * year);
    w.minutes(61);
    CHECK(w.take_launches() != "");
    w.set_by(-10 * year);
    if (other) w.lead();
    w.minutes(120);
    CHECK(w.take_launches() != "");
    CHECK(w.due() <= 3 * 3600 + 1800);
  }
}

TEST_CASE("F-50: periodic: years back and forward again launches nothing that was due before the job was there") {
  Periodic w;
  w.minutes(5);
  w.set_by(-10 * year);
  w.minutes(5);
  w.set_by(10 * year);
  CHECK(w.take_launches() == "");
  w.minutes(30);
  CHECK(w.take_launches() == "1800");
}

TEST_CASE("F-50: periodic: a leader whose date is behind does not repeat the launches of the one before") {
  Periodic w;
  w.minutes(95);
  CHECK(w.take_launches() == "1800 5400");
  w.clock.set_by(-2h);
  w.lead();
  w.minutes(110);
  CHECK(w.take_launches() == "");
  CHECK(w.due() == 9000);
}

TEST_CASE("F-50: a drain ends when its time is over, whatever the date says") {
  World w;
  model::Node node;
  node.id = "n1";
  node.status = "ready";
  fsm::NodeRegister add;
  add.node = std::make_shared<const model::Node>(node);
  w.write(std::move(add));
  drain::Drainer drainer(w.io.get_executor(), w.scope, w.writer, w.fsm, w.clock, w.rng, Logger());
  fsm::NodeDrain message;
  message.node_id = "n1";
  model::DrainStrategy strategy;
  strategy.deadline = model::Duration(nanoseconds(1h));
  strategy.force_deadline = model::Time(w.clock.unix_nanos() + nanoseconds(1h).count());
  message.strategy = strategy;
  w.write(message);
  const auto stored = w.fsm.store().snapshot()->node("n1");
  drainer.node_changed(nullptr, stored);
  const MonoTime end = w.clock.monotonic() + 1h;
  CHECK(drainer.next_deadline() == end);
  SUBCASE("set forward") { w.clock.set_by(10 * year); }
  SUBCASE("set back") { w.clock.set_by(-10 * year); }
  drainer.node_changed(stored, stored);
  CHECK(drainer.next_deadline() == end);
  SUBCASE("a leader whose date is years behind waits no longer than the drain may take") {
    w.clock.set_by(-10 * year);
    drain::Drainer next(w.io.get_executor(), w.scope, w.writer, w.fsm, w.clock, w.rng, Logger());
    next.node_changed(nullptr, stored);
    CHECK(next.next_deadline() == end);
  }
  w.scope.cancel();
  w.settle();
}

TEST_CASE("F-50: a deployment fails when its time is over, whatever the date says") {
  World w;
  auto job = std::make_shared<model::Job>();
  job->id = job->name = "web";
  job->namespace_ = "default";
  job->type = "service";
  job->task_groups.push_back({});
  job->task_groups[0].name = "g";
  fsm::JobRegister add;
  add.job = job;
  add.tracked_versions = 6;
  w.write(std::move(add));
  const auto registered = w.fsm.store().snapshot()->job("default", "web");
  fsm::PlanResult plan;
  plan.namespace_ = "default";
  plan.job_id = "web";
  plan.job = registered;
  auto& deployment = plan.deployment.ensure();
  deployment.id = "d1";
  deployment.namespace_ = "default";
  deployment.job_id = "web";
  deployment.job_version = registered->version;
  deployment.job_create_index = registered->create_index;
  deployment.status = "running";
  auto& group = deployment.task_groups["g"];
  group.desired_total = 1;
  group.progress_deadline = model::Duration(nanoseconds(10min));
  group.require_progress_by = model::Time(w.clock.unix_nanos() + nanoseconds(10min).count());
  w.write(std::move(plan));
  deploy::Watcher watcher(w.io.get_executor(), w.scope, w.writer, w.fsm, w.clock, w.rng, 6, Logger());
  watcher.start();
  w.settle();
  const auto status = [&] { return w.fsm.store().snapshot()->deployment("d1")->status; };
  const auto look = [&] {
    watcher.tick(w.clock.monotonic());
    watcher.deployment_changed(nullptr, w.fsm.store().snapshot()->deployment("d1"));
    w.settle();
  };
  SUBCASE("set forward") { w.clock.set_by(10 * year); }
  SUBCASE("set back") { w.clock.set_by(-10 * year); }
  look();
  CHECK(status() == "running");
  w.clock.advance(9min);
  look();
  CHECK(status() == "running");
  w.clock.advance(61s);
  look();
  CHECK(status() == "failed");
  w.scope.cancel();
  w.settle();
}

TEST_CASE("F-50: gc: what is fresh is kept when the date goes forward, and when it goes back") {
  JumpClock clock(start * nanos);
  gc::Past past(clock.unix_nanos(), clock.monotonic());
  const auto pass = [&](std::chrono::minutes time) {
    for (; time.count() > 0; --time) {
      clock.advance(1min);
      CHECK(past.note(clock.unix_nanos(), clock.monotonic()).count() == 0);
    }
  };
  const auto old = [&](UnixNanos stamp) { return stamp <= past.stamp_before(1h); };
  pass(90min);
  const UnixNanos before = clock.unix_nanos();
  CHECK(old(before - nanoseconds(61min).count()));
  CHECK(!old(before - nanoseconds(59min).count()));
  for (const auto by : {nanoseconds(24h), nanoseconds(-24h), nanoseconds(10 * year), nanoseconds(-20 * year)}) {
    const UnixNanos last = clock.unix_nanos();
    pass(1min);
    clock.set_by(by);
    const auto noted = past.note(clock.unix_nanos(), clock.monotonic());
    CHECK(noted == by);
    const UnixNanos first = clock.unix_nanos();
    CHECK(!old(last));
    CHECK(!old(first));
    pass(30min);
    CHECK(!old(last));
    CHECK(!old(first));
    pass(40min);
    // As old as they are, in spite of all.
    CHECK(old(first));
    if (by.count() > 0) CHECK(old(last));
  }
}

TEST_CASE("F-50: time that is reckoned goes on when the date is set") {
  JumpClock clock(start * nanos);
  const Reckoning reckoning(clock);
  clock.set_by(-10 * year);
  clock.advance(5s);
  CHECK(reckoning.now() == (start + 5) * nanos);
  CHECK(due_at(clock, clock.unix_nanos() + 7, 1h) == clock.monotonic() + 7ns);
  CHECK(due_at(clock, clock.unix_nanos() - 7, 1h) == clock.monotonic());
  CHECK(due_at(clock, start * nanos, 1h) == clock.monotonic() + 1h);
}
