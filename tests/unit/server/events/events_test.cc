#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>
#include <nlohmann/json.hpp>

#include "sdk/async/scope.h"
#include "server/events/event_buffer.h"
#include "server/fsm/fsm.h"

using namespace drover;
using namespace std::chrono_literals;

namespace {

std::string job_entry(std::string id) {
  fsm::JobRegister message;
  auto job = std::make_shared<model::Job>();
  job->id = std::move(id);
  job->namespace_ = "default";
  message.job = job;
  auto eval = std::make_shared<model::Evaluation>();
  eval->id = "e-" + job->id;
  eval->namespace_ = "default";
  eval->job_id = job->id;
  eval->status = "pending";
  message.eval = eval;
  return fsm::encode(message);
}

struct Fixture {
  asio::io_context io;
  Scope scope{io.get_executor()};
  fsm::Fsm fsm;
  events::EventBuffer buffer{io.get_executor(), 3};
  Fixture() {
    fsm.set_listener([this](fsm::MessageType type, std::uint64_t index, const state::Changes& changes) { buffer.append(type, index, changes); });
  }
  void run(Async<> test) {
    scope.spawn(std::move(test));
    io.run();
  }
};

Async<> two_lines(Fixture& f) {
  REQUIRE(f.fsm.apply(10, job_entry("a")));
  auto all = f.buffer.subscribe({{{"*", {"*"}}}, "default"}, 0);
  auto got = co_await all.next(1s);
  REQUIRE(got);
  REQUIRE(got->size() == 2);
  CHECK((*got)[0].index == 10);
  CHECK((*got)[0].events[0].topic == "Job");
  CHECK((*got)[0].events[0].type == "JobRegistered");
  CHECK((*got)[0].events[0].payload.json()["Job"]["ID"] == "a");
  CHECK((*got)[1].index == 10);
  CHECK((*got)[1].events[0].topic == "Evaluation");
  CHECK((*got)[1].events[0].filter_keys == model::List<std::string>{"a", ""});
  auto evals = f.buffer.subscribe({{{"Evaluation", {"b"}}}, "default"}, 0);
  auto none = co_await evals.next(1ms);
  REQUIRE(none);
  CHECK(none->empty());
  REQUIRE(f.fsm.apply(11, job_entry("b")));
  auto found = co_await evals.next(1s);
  REQUIRE(found->size() == 1);
  CHECK((*found)[0].events[0].key == "e-b");
}

Async<> overtaken(Fixture& f) {
  REQUIRE(f.fsm.apply(10, job_entry("a")));
  auto slow = f.buffer.subscribe({{{"*", {}}}, "*"}, 0);
  for (std::uint64_t i = 11; i < 20; ++i) REQUIRE(f.fsm.apply(i, job_entry("j" + std::to_string(i))));
  auto late = co_await slow.next(1s);
  CHECK(!late);
  auto from = f.buffer.subscribe({{{"Job", {"*"}}}, "*"}, 18);
  auto got = co_await from.next(1s);
  REQUIRE(got);
  CHECK((*got)[0].index == 18);
  auto future = f.buffer.subscribe({{{"Job", {"*"}}}, "*"}, 500);
  auto newest = co_await future.next(1s);
  CHECK((*newest)[0].index == 19);
}

}  // namespace

TEST_CASE("events: a registration is two lines with one index, filtered by topic, key and filter keys") {
  Fixture f;
  f.run(two_lines(f));
}

TEST_CASE("events: a reader that the ring has overtaken is told; an index finds its place") {
  Fixture f;
  f.run(overtaken(f));
}
