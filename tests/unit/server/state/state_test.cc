#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>

#include "server/state/store.h"

using namespace drover;
using namespace drover::state;

namespace {

model::Job job(std::string id, std::string type = "service") {
  model::Job out;
  out.id = out.name = std::move(id);
  out.namespace_ = "default";
  out.type = std::move(type);
  model::TaskGroup group;
  group.name = "g";
  group.count = 1;
  out.task_groups.push_back(std::move(group));
  return out;
}

model::Allocation alloc(std::string id, std::string job_id) {
  model::Allocation out;
  out.id = std::move(id);
  out.namespace_ = "default";
  out.job_id = std::move(job_id);
  out.node_id = "n1";
  out.eval_id = "e1";
  out.task_group = "g";
  out.desired_status = "run";
  return out;
}

template <class F>
void transact(Store& store, std::uint64_t index, F change) {
  Txn txn = store.begin(index);
  change(txn);
  txn.finish();
  store.commit(std::move(txn));
}

}  // namespace

TEST_CASE("state: versions grow when the specification changes, and only then") {
  Store store;
  transact(store, 10, [](Txn& t) { t.put_job(job("a"), nullptr, 2); });
  CHECK(store.snapshot()->job("default", "a")->status == "pending");
  transact(store, 11, [](Txn& t) { t.put_job(job("a"), nullptr, 2); });
  CHECK(store.snapshot()->job("default", "a")->version == 0);
  CHECK(store.snapshot()->index_of(Table::jobs) == 10);
  for (std::uint64_t i = 12; i < 16; ++i) {
    transact(store, i, [i](Txn& t) {
      model::Job changed = job("a");
      changed.priority = static_cast<std::int64_t>(i);
      t.put_job(std::move(changed), nullptr, 2);
    });
  }
  const auto snapshot = store.snapshot();
  CHECK(snapshot->job("default", "a")->version == 4);
  const auto versions = snapshot->job_versions("default", "a");
  REQUIRE(versions.size() == 2);
  CHECK(versions[0]->version == 4);
  CHECK(versions[1]->version == 3);
}

TEST_CASE("state: job status and summary follow allocations and evaluations") {
  Store store;
  transact(store, 10, [](Txn& t) {
    t.put_job(job("a"), nullptr, 6);
    model::Evaluation eval;
    eval.id = "e1";
    eval.namespace_ = "default";
    eval.job_id = "a";
    eval.status = "pending";
    eval.queued_allocations["g"] = 1;
    t.put_eval(std::move(eval));
  });
  CHECK(store.snapshot()->summary("default", "a")->summary.get("g")->queued == 1);
  const JobPtr stored = store.snapshot()->job("default", "a");
  transact(store, 11, [&](Txn& t) { t.put_planned_alloc(alloc("x", "a"), stored); });
  CHECK(store.snapshot()->job("default", "a")->status == "running");
  CHECK(store.snapshot()->summary("default", "a")->summary.get("g")->starting == 1);
  CHECK(store.snapshot()->summary("default", "a")->summary.get("g")->queued == 0);
  CHECK(store.snapshot()->live_allocs_by_node("n1").size() == 1);
  const auto old = store.snapshot();
  transact(store, 12, [](Txn& t) {
    model::Allocation update;
    update.id = "x";
    update.client_status = "failed";
    t.put_client_alloc(update, 5);
    model::Evaluation eval = *t.tables().evals.find("e1")->get();
    eval.status = "complete";
    t.put_eval(std::move(eval));
  });
  CHECK(store.snapshot()->job("default", "a")->status == "dead");
  CHECK(store.snapshot()->summary("default", "a")->summary.get("g")->failed == 1);
  CHECK(store.snapshot()->live_allocs_by_node("n1").empty());
  CHECK(store.snapshot()->alloc("x")->alloc_modify_index == 11);
  // A reader of the earlier version saw nothing of it.
  CHECK(old->alloc("x")->client_status == "pending");
  CHECK(old->live_allocs_by_node("n1").size() == 1);
}

TEST_CASE("state: nothing is placed for a job that was stopped while the plan was on its way") {
  Store store;
  transact(store, 10, [](Txn& t) { t.put_job(job("a"), nullptr, 6); });
  const JobPtr stored = store.snapshot()->job("default", "a");
  transact(store, 11, [](Txn& t) { t.stop_job("default", "a", 1); });
  transact(store, 12, [&](Txn& t) { t.put_planned_alloc(alloc("x", "a"), stored); });
  CHECK(store.snapshot()->alloc("x") == nullptr);
  CHECK(store.snapshot()->job("default", "a")->status == "dead");
  CHECK(store.snapshot()->job("default", "a")->version == 1);
}

TEST_CASE("state: node updates keep what the servers own") {
  Store store;
  model::Node node;
  node.id = "n1";
  node.status = "ready";
  node.scheduling_eligibility = "eligible";
  transact(store, 10, [&](Txn& t) { t.put_node(node, nullptr); });
  transact(store, 11, [](Txn& t) { t.put_node_eligibility("n1", "ineligible", 0, nullptr); });
  transact(store, 12, [&](Txn& t) { t.put_node(node, nullptr); });
  CHECK(store.snapshot()->node("n1")->scheduling_eligibility == "ineligible");
  CHECK(store.snapshot()->node("n1")->create_index == 10);
  transact(store, 13, [](Txn& t) { t.put_node_status("n1", "down", 0, nullptr); });
  CHECK(store.snapshot()->node("n1")->last_missed_heartbeat_index == 13);
  transact(store, 14, [](Txn& t) { t.mark_alloc_update("n1"); });
  // The list of nodes has changed, the node has not.
  CHECK(store.snapshot()->node("n1")->modify_index == 13);
  CHECK(store.snapshot()->index_of(Table::nodes) == 14);
}

TEST_CASE("watch: only who watches what changed is woken") {
  asio::io_context io;
  Store store;
  transact(store, 10, [](Txn& t) {
    t.put_job(job("one"), nullptr, 6);
    t.put_job(job("two"), nullptr, 6);
  });
  WatchSet one(store.watches(), io.get_executor());
  WatchSet two_prefix(store.watches(), io.get_executor());
  WatchSet all(store.watches(), io.get_executor());
  WatchSet other_namespace(store.watches(), io.get_executor());
  one.add(Table::jobs, Scope::key, "default", "one");
  two_prefix.add_prefix(Table::jobs, "default", "tw");
  all.add(Table::jobs, Scope::in_namespace, "default");
  other_namespace.add(Table::jobs, Scope::in_namespace, "other");
  transact(store, 11, [](Txn& t) {
    model::Job changed = job("two");
    changed.priority = 9;
    t.put_job(std::move(changed), nullptr, 6);
  });
  CHECK(!one.woken());
  CHECK(two_prefix.woken());
  CHECK(all.woken());
  CHECK(!other_namespace.woken());
  two_prefix.clear();
  all.clear();
  CHECK(!two_prefix.woken());
  CHECK(store.watches().size() == 2);
}

TEST_CASE("watch: a node's client is woken by what it must act on, not by its own reports") {
  asio::io_context io;
  Store store;
  transact(store, 10, [](Txn& t) { t.put_job(job("a"), nullptr, 6); });
  const JobPtr stored = store.snapshot()->job("default", "a");
  WatchSet desired(store.watches(), io.get_executor());
  desired.add(Table::allocs, Scope::desired, "n1");
  transact(store, 11, [&](Txn& t) { t.put_planned_alloc(alloc("x", "a"), stored); });
  CHECK(desired.woken());
  desired.clear();
  desired.add(Table::allocs, Scope::desired, "n1");
  transact(store, 12, [](Txn& t) {
    model::Allocation update;
    update.id = "x";
    update.client_status = "running";
    t.put_client_alloc(update, 5);
  });
  CHECK(!desired.woken());
  transact(store, 13, [](Txn& t) { t.delete_alloc("x"); });
  CHECK(desired.woken());
}
