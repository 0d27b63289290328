#include <doctest/doctest.h>

#include "server/gc/collector.h"

using namespace drover;

namespace {

constexpr std::int64_t hour = 3'600'000'000'000;

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
};

}  // namespace

TEST_CASE("gc: dead jobs go with all they have, once they are old enough or at once when forced") {
  Fixture f;
  const gc::GcOptions options;
  const auto early = gc::find_garbage(*f.store.snapshot(), options, hour + hour / 2, false);
  CHECK(early.jobs.empty());
  CHECK(early.evals.empty());
  const auto late = gc::find_garbage(*f.store.snapshot(), options, 6 * hour, false);
  CHECK(late.jobs.size() == 2);
  CHECK(late.evals.size() == 2);
  CHECK(late.allocs.size() == 2);
  CHECK(late.nodes.empty());
  const auto forced = gc::find_garbage(*f.store.snapshot(), options, hour, true);
  CHECK(forced.jobs.size() == 2);
  CHECK(forced.nodes == std::vector<std::string>{"n1"});
}

TEST_CASE("gc: a live allocation keeps its evaluation, its job and its node") {
  Fixture f;
  state::Txn txn = f.store.begin(12);
  model::Allocation alloc;
  alloc.id = "live";
  alloc.namespace_ = "default";
  alloc.job_id = "service";
  alloc.eval_id = "e-service";
  alloc.node_id = "n1";
  alloc.desired_status = "run";
  txn.put_planned_alloc(alloc, f.store.snapshot()->job("default", "service"));
  txn.finish();
  f.store.commit(std::move(txn));
  const auto garbage = gc::find_garbage(*f.store.snapshot(), {}, 100 * hour, true);
  CHECK(garbage.jobs == std::vector<std::pair<std::string, std::string>>{{"default", "batch"}});
  CHECK(garbage.evals == std::vector<std::string>{"e-batch"});
  CHECK(garbage.nodes.empty());
}
