#include <doctest/doctest.h>

#include "server/broker/blocked_evals.h"
#include "server/broker/eval_broker.h"
#include "server/broker/node_use.h"
#include "server/broker/plan_check.h"
#include "server/nodes/heartbeats.h"
#include "server/state/store.h"

using namespace drover;
using namespace drover::broker;
using namespace std::chrono_literals;

namespace {

EvalPtr eval(std::string id, std::string job, std::int64_t priority = 50, std::uint64_t index = 1) {
  auto out = std::make_shared<model::Evaluation>();
  out->id = std::move(id);
  out->namespace_ = "default";
  out->job_id = std::move(job);
  out->type = "service";
  out->priority = priority;
  out->status = "pending";
  out->create_index = out->modify_index = index;
  return out;
}

const std::vector<std::string> service{"service"};

struct Fixture {
  ManualClock clock{1'000'000'000'000};
  Rng rng{1};
  EvalBroker broker{clock, rng};
  Fixture() { broker.set_enabled(true); }
};

}  // namespace

TEST_CASE("broker: urgent first, then oldest, one per job") {
  Fixture f;
  f.broker.enqueue(eval("a", "j1", 50, 5));
  f.broker.enqueue(eval("b", "j2", 50, 4));
  f.broker.enqueue(eval("c", "j3", 70, 6));
  f.broker.enqueue(eval("d", "j3", 90, 7));  // waits: its job is ready
  f.broker.enqueue(eval("a", "j1", 50, 5));  // known
  const auto first = f.broker.dequeue(service);
  REQUIRE(first);
  CHECK(first->eval->id == "c");
  CHECK(f.broker.dequeue(service)->eval->id == "b");
  CHECK(f.broker.dequeue(service)->eval->id == "a");
  CHECK(!f.broker.dequeue(service));
  REQUIRE(f.broker.ack("c", first->token));
  CHECK(f.broker.dequeue(service)->eval->id == "d");
  CHECK(!f.broker.ack("c", first->token));
}

TEST_CASE("broker: the newest pending evaluation of a job runs, the others are cancelable") {
  Fixture f;
  f.broker.enqueue(eval("a", "j", 50, 1));
  const auto held = f.broker.dequeue(service);
  f.broker.enqueue(eval("b", "j", 50, 2));
  f.broker.enqueue(eval("c", "j", 50, 3));
  REQUIRE(f.broker.ack("a", held->token));
  CHECK(f.broker.dequeue(service)->eval->id == "c");
  const auto gone = f.broker.take_cancelable(10);
  REQUIRE(gone.size() == 1);
  CHECK(gone[0]->id == "b");
}

TEST_CASE("broker: redelivery after the nack timeout, with growing delays, and the failed queue after three") {
  Fixture f;
  f.broker.enqueue(eval("a", "j"));
  auto held = f.broker.dequeue(service);
  REQUIRE(held);
  CHECK(*f.broker.next_deadline() == f.clock.monotonic() + 60s);
  f.clock.advance(60s);
  f.broker.tick();
  CHECK(!f.broker.outstanding("a", held->token));
  CHECK(!f.broker.dequeue(service));
  f.clock.advance(1s);
  f.broker.tick();
  held = f.broker.dequeue(service);
  REQUIRE(held);
  REQUIRE(f.broker.nack("a", held->token));
  f.clock.advance(19s);
  f.broker.tick();
  CHECK(!f.broker.dequeue(service));
  f.clock.advance(1s);
  f.broker.tick();
  held = f.broker.dequeue(service);
  REQUIRE(held);
  REQUIRE(f.broker.nack("a", held->token));
  CHECK(!f.broker.dequeue(service));
  const auto failed = f.broker.dequeue({std::string(failed_queue)});
  REQUIRE(failed);
  CHECK(failed->eval->id == "a");
}

TEST_CASE("broker: no redelivery while the plan is applied") {
  Fixture f;
  f.broker.enqueue(eval("a", "j"));
  const auto held = f.broker.dequeue(service);
  f.broker.pause_timer("a", held->token);
  CHECK(!f.broker.next_deadline());
  f.clock.advance(600s);
  f.broker.tick();
  CHECK(f.broker.outstanding("a", held->token));
  f.broker.resume_timer("a", held->token);
  CHECK(*f.broker.next_deadline() == f.clock.monotonic() + 60s);
}

TEST_CASE("broker: delayed evaluations become ready at their time") {
  Fixture f;
  auto later = std::make_shared<model::Evaluation>(*eval("a", "j"));
  later->wait_until = model::Time(f.clock.unix_nanos() + 5'000'000'000);
  f.broker.enqueue(later);
  CHECK(!f.broker.dequeue(service));
  f.clock.advance(5s);
  f.broker.tick();
  CHECK(f.broker.dequeue(service));
}

TEST_CASE("blocked evaluations: released by an eligible class, kept by others, and not missed") {
  ManualClock clock(1'000'000'000'000);
  std::vector<std::string> released;
  BlockedEvals blocked(clock, [&](EvalPtr e) { released.push_back(e->id); });
  blocked.set_enabled(true);
  auto a = std::make_shared<model::Evaluation>(*eval("a", "j1", 50, 10));
  a->status = "blocked";
  a->snapshot_index = 10;
  a->class_eligibility["v1:1"] = false;
  blocked.block(a);
  blocked.unblock("v1:1", 11);
  CHECK(released.empty());
  blocked.unblock("v1:2", 12);
  CHECK(released == std::vector<std::string>{"a"});
  // Class 2 came up after this one's snapshot was taken.
  auto b = std::make_shared<model::Evaluation>(*eval("b", "j2", 50, 11));
  b->snapshot_index = 11;
  b->class_eligibility["v1:1"] = false;
  blocked.block(b);
  CHECK(released.size() == 2);
  auto c = std::make_shared<model::Evaluation>(*b);
  c->id = "c";
  c->snapshot_index = 12;
  blocked.block(c);
  CHECK(released.size() == 2);
  auto d = std::make_shared<model::Evaluation>(*c);
  d->id = "d";
  d->snapshot_index = 13;
  blocked.block(d);
  const auto duplicates = blocked.take_duplicates();
  REQUIRE(duplicates.size() == 1);
  CHECK(duplicates[0]->id == "c");
  CHECK(blocked.stats().blocked == 1);
  blocked.untrack("default", "j2");
  CHECK(blocked.stats().blocked == 0);
}

TEST_CASE("plan: what no longer fits is rejected and the rest is kept, unless it is all at once") {
  state::Store store;
  state::Txn txn = store.begin(10);
  for (const char* id : {"n1", "n2", "n3"}) {
    model::Node node;
    node.id = id;
    node.status = std::string(id) == "n3" ? "down" : "ready";
    node.scheduling_eligibility = "eligible";
    txn.put_node(std::move(node), nullptr);
  }
  txn.finish();
  store.commit(std::move(txn));
  model::Plan plan;
  for (const char* id : {"n1", "n2", "n3", "n4"}) {
    auto alloc = std::make_shared<model::Allocation>();
    alloc->id = std::string("x") + id;
    alloc->node_id = id;
    plan.node_allocation[id].push_back(std::move(alloc));
  }
  const LiveAllocs none = [](std::string_view) { return std::vector<state::AllocPtr>{}; };
  const FitCheck fits = [](const model::Node& node, const std::vector<state::AllocPtr>&) { return node.id == "n2" ? "memory" : ""; };
  const auto checked = check_plan(plan, *store.snapshot(), none, fits);
  REQUIRE(checked.rejected.size() == 3);
  CHECK(checked.rejected[0].reason == "memory");
  CHECK(checked.rejected[1].reason == "node is down and contains invalid updates");
  CHECK(checked.rejected[2].reason == "node does not exist");
  CHECK(checked.result.node_allocation.size() == 1);
  CHECK(checked.result.refresh_index == 10);
  plan.all_at_once = true;
  const auto whole = check_plan(plan, *store.snapshot(), none, fits);
  CHECK(is_noop(whole.result));
  CHECK(whole.result.refresh_index == 10);
}

TEST_CASE("plan: plain allocations are checked by what a node's use adds up to, everything else by a closer look") {
  state::Store store;
  state::Txn txn = store.begin(10);
  model::Node node;
  node.id = "n1";
  node.status = "ready";
  auto& room = node.node_resources.ensure();
  room.cpu.cpu_shares = 1000;
  room.memory.memory_mb = 1000;
  room.disk.disk_mb = 1000;
  txn.put_node(node, nullptr);
  model::Job job;
  job.id = "j";
  job.namespace_ = "default";
  job.type = "service";
  job.task_groups.emplace_back().name = "g";
  txn.put_job(job, nullptr, 6);
  txn.finish();
  store.commit(std::move(txn));
  const auto alloc = [](std::string id, std::int64_t cpu) {
    auto out = std::make_shared<model::Allocation>();
    out->id = std::move(id);
    out->namespace_ = "default";
    out->job_id = "j";
    out->node_id = "n1";
    out->task_group = "g";
    out->desired_status = "run";
    model::AllocatedResources resources;
    resources.tasks["t"].cpu.cpu_shares = cpu;
    out->allocated_resources = std::move(resources);
    return out;
  };
  const auto fits = [&](NodeUse& use, const std::shared_ptr<model::Allocation>& one, const std::list<model::PlanResult>& uncommitted = {}) {
    use.sync(store.snapshot());
    return use.surely_fit(node, {one}, &job, uncommitted);
  };
  NodeUse use;
  CHECK(fits(use, alloc("a", 1000)));
  CHECK(!fits(use, alloc("a", 1001)));
  state::Txn place = store.begin(11);
  place.put_planned_alloc(*alloc("stored", 600), store.snapshot()->job("default", "j"));
  place.finish();
  store.commit(std::move(place));
  CHECK(fits(use, alloc("a", 400)));
  CHECK(!fits(use, alloc("a", 401)));
  std::list<model::PlanResult> uncommitted(1);
  uncommitted.front().node_allocation["n1"].push_back(alloc("on its way", 300));
  CHECK(fits(use, alloc("a", 100), uncommitted));
  CHECK(!fits(use, alloc("a", 101), uncommitted));
  // Ports, devices, cores and volumes may collide although there is room.
  auto with_port = alloc("a", 1);
  with_port->allocated_resources->shared.ports.push_back({.label = "http", .value = 80});
  CHECK(!fits(use, with_port));
  auto with_cores = alloc("a", 1);
  with_cores->allocated_resources->tasks["t"].cpu.reserved_cores = {1};
  CHECK(!fits(use, with_cores));
  job.task_groups[0].volumes["data"].type = "host";
  CHECK(!fits(use, alloc("a", 1)));
}

TEST_CASE("heartbeats: TTL with jitter, expiry after the grace, failover") {
  Rng rng(1);
  nodes::Heartbeats beats({}, rng);
  const nodes::Heartbeats::Time start{};
  const auto ttl = beats.reset("n1", 1, start);
  CHECK(ttl >= 10s);
  CHECK(ttl <= 20s);
  CHECK(*beats.next_deadline() == start + ttl + 10s);
  CHECK(beats.take_expired(start + ttl + 9s).empty());
  CHECK(beats.take_expired(start + ttl + 10s) == std::vector<std::string>{"n1"});
  CHECK(!beats.next_deadline());
  CHECK(beats.reset("n1", 5000, start) >= 100s);
  beats.expect("n2", start);
  CHECK(beats.take_expired(start + 299s).size() == 1);
}

TEST_CASE("nodes: the computed class leaves out what is unique") {
  model::Node node;
  node.datacenter = "dc1";
  node.attributes["cpu.arch"] = "amd64";
  const auto one = nodes::computed_class(node);
  node.attributes["unique.hostname"] = "h";
  node.id = "x";
  CHECK(nodes::computed_class(node) == one);
  node.attributes["cpu.arch"] = "arm64";
  CHECK(nodes::computed_class(node) != one);
}
