#include <doctest/doctest.h>

#include "server/gc/schedule.h"

using namespace drover;

namespace {

constexpr std::int64_t hour = 3'600'000'000'000;
constexpr gc::Round everything{.jobs = true, .evals = true, .deployments = true, .nodes = true};

struct Fixture {
  state::Store store;
  Fixture() {
    state::Txn txn = store.begin(10);
    for (const char* type : {"service", "batch"}) {
      model::Job job;
      job.id = type;
      job.namespace_ = "default";
      job.type = type;
      txn.put_job(job, nullptr, 6);
      model::Evaluation eval;
      eval.id = std::string("e-") + type;
      eval.namespace_ = "default";
      eval.job_id = type;
      eval.type = type;
      eval.status = "complete";
      eval.modify_time = hour;
      txn.put_eval(std::move(eval));
    }
    model::Node node;
    node.id = "n1";
    node.status = "down";
    txn.put_node(std::move(node), nullptr);
    txn.finish();
    store.commit(std::move(txn));
    for (const char* type : {"service", "batch"}) {
      state::Txn plan = store.begin(11);
      model::Allocation alloc;
      alloc.id = std::string("a-") + type;
      alloc.namespace_ = "default";
      alloc.job_id = type;
      alloc.eval_id = std::string("e-") + type;
      alloc.node_id = "n1";
      alloc.desired_status = "run";
      plan.put_planned_alloc(alloc, store.snapshot()->job("default", type));
      model::Allocation done;
      done.id = alloc.id;
      done.client_status = "complete";
      plan.put_client_alloc(done, hour);
      plan.finish();
      store.commit(std::move(plan));
    }
  }
  // One more of the service, which has not ended.
  void put_live_alloc(state::Txn& txn, const char* deployment) const {
    model::Allocation alloc;
    alloc.id = "live";
    alloc.namespace_ = "default";
    alloc.job_id = "service";
    alloc.eval_id = "e-service";
    alloc.node_id = "n1";
    alloc.deployment_id = deployment;
    alloc.desired_status = "run";
    txn.put_planned_alloc(alloc, store.snapshot()->job("default", "service"));
  }
};

}  // namespace

TEST_CASE("gc: dead jobs go with all they have, once they are old enough or at once when forced") {
  Fixture f;
  const gc::GcOptions options;
  const auto early = gc::find_garbage(*f.store.snapshot(), options, hour + hour / 2, everything);
  CHECK(early.jobs.empty());
  CHECK(early.evals.empty());
  const auto late = gc::find_garbage(*f.store.snapshot(), options, 6 * hour, everything);
  CHECK(late.jobs.size() == 2);
  CHECK(late.evals.size() == 2);
  CHECK(late.allocs.size() == 2);
  CHECK(late.nodes.empty());
  const auto forced = gc::find_garbage(*f.store.snapshot(), options, hour, gc::everything_at_once);
  CHECK(forced.jobs.size() == 2);
  CHECK(forced.nodes == std::vector<std::string>{"n1"});
}

TEST_CASE("gc: a live allocation keeps its evaluation, its job and its node") {
  Fixture f;
  state::Txn txn = f.store.begin(12);
  f.put_live_alloc(txn, "");
  txn.finish();
  f.store.commit(std::move(txn));
  const auto garbage = gc::find_garbage(*f.store.snapshot(), {}, 100 * hour, gc::everything_at_once);
  CHECK(garbage.jobs == std::vector<std::pair<std::string, std::string>>{{"default", "batch"}});
  CHECK(garbage.evals == std::vector<std::string>{"e-batch"});
  CHECK(garbage.nodes.empty());
}

TEST_CASE("gc: a round looks only at the kinds that are due") {
  Fixture f;
  const auto& state = *f.store.snapshot();
  const auto evals = gc::find_garbage(state, {}, 6 * hour, {.evals = true});
  CHECK(evals.jobs.empty());
  CHECK(evals.evals == std::vector<std::string>{"e-service"});  // results of a batch job that is not stopped stay
  CHECK(evals.allocs == std::vector<std::string>{"a-service"});
  const auto nodes = gc::find_garbage(state, {}, 25 * hour, {.nodes = true});
  CHECK(nodes.evals.empty());
  CHECK(nodes.nodes == std::vector<std::string>{"n1"});
  CHECK(gc::find_garbage(state, {}, 6 * hour, {.nodes = true}).nodes.empty());
}

TEST_CASE("gc: every kind of object has a threshold of its own") {
  Fixture f;
  gc::GcOptions options;
  options.job_threshold = std::chrono::hours(100);
  options.eval_threshold = std::chrono::minutes(10);
  const auto early = gc::find_garbage(*f.store.snapshot(), options, hour + hour / 5, everything);
  CHECK(early.jobs.empty());
  CHECK(early.evals == std::vector<std::string>{"e-service"});
  options.eval_threshold = std::chrono::hours(200);
  options.node_threshold = std::chrono::hours(1);
  const auto later = gc::find_garbage(*f.store.snapshot(), options, 99 * hour, everything);
  CHECK(later.evals.empty());
  CHECK(later.nodes == std::vector<std::string>{"n1"});
  const auto last = gc::find_garbage(*f.store.snapshot(), options, 101 * hour, everything);
  CHECK(last.jobs.size() == 2);
  CHECK(last.evals.size() == 2);  // with their jobs
}

TEST_CASE("gc: a deployment that has ended goes when none of its allocations lives") {
  Fixture f;
  state::Txn txn = f.store.begin(12);
  for (const auto& [id, status] : std::map<std::string, std::string>{{"d-over", "successful"}, {"d-live", "failed"}, {"d-runs", "running"}}) {
    model::Deployment deployment;
    deployment.id = id;
    deployment.namespace_ = "default";
    deployment.job_id = "service";
    deployment.status = status;
    deployment.modify_time = hour;
    txn.put_deployment(std::move(deployment));
  }
  f.put_live_alloc(txn, "d-live");
  txn.finish();
  f.store.commit(std::move(txn));
  const auto& state = *f.store.snapshot();
  CHECK(gc::find_garbage(state, {}, hour + hour / 2, everything).deployments.empty());
  CHECK(gc::find_garbage(state, {}, 3 * hour, everything).deployments == std::vector<std::string>{"d-over"});
  CHECK(gc::find_garbage(state, {}, hour, gc::everything_at_once).deployments == std::vector<std::string>{"d-over"});
}

TEST_CASE("gc: a version with a name keeps its job, and a parent stays until it is stopped") {
  Fixture f;
  state::Txn txn = f.store.begin(12);
  REQUIRE(txn.put_version_tag("default", "batch", 0, model::JobVersionTag{.name = "gold"}));
  model::Job parent;
  parent.id = "parent";
  parent.namespace_ = "default";
  parent.type = "batch";
  parent.parameterized_job.ensure();
  txn.put_job(parent, nullptr, 6);
  txn.finish();
  f.store.commit(std::move(txn));
  using Jobs = std::vector<std::pair<std::string, std::string>>;
  CHECK(gc::find_garbage(*f.store.snapshot(), {}, 9 * hour, gc::everything_at_once).jobs == Jobs{{"default", "service"}});
  state::Txn stop = f.store.begin(13);
  stop.stop_job("default", "parent", 2 * hour);
  stop.finish();
  f.store.commit(std::move(stop));
  CHECK(gc::find_garbage(*f.store.snapshot(), {}, 9 * hour, everything).jobs == Jobs{{"default", "parent"}, {"default", "service"}});
  CHECK(gc::find_garbage(*f.store.snapshot(), {}, 5 * hour, everything).jobs == Jobs{{"default", "service"}});
}

TEST_CASE("gc: each kind comes round by its own interval; what falls together shares a round") {
  gc::GcOptions options;
  options.job_interval = std::chrono::minutes(2);
  gc::Schedule schedule(options);
  const gc::Schedule::Time start{};
  const auto at = [&](int minutes) { return start + std::chrono::minutes(minutes); };
  schedule.start(start);
  CHECK(schedule.next_deadline() == at(2));
  CHECK(schedule.take_due(at(1)).empty());
  const auto jobs = schedule.take_due(at(2));
  CHECK(jobs.jobs);
  CHECK(!jobs.evals);
  CHECK(!jobs.nodes);
  CHECK(!jobs.deployments);
  CHECK(!jobs.force);
  CHECK(schedule.next_deadline() == at(4));
  const auto all = schedule.take_due(at(5));
  CHECK(all.jobs);
  CHECK(all.evals);
  CHECK(all.nodes);
  CHECK(all.deployments);
  CHECK(schedule.take_due(at(5)).empty());
  CHECK(schedule.next_deadline() == at(7));
}
