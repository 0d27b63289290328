// Host volumes in the state: pending until their node offers them, kept while they are used, claimed by groups that ask for sticky ones.
#include <doctest/doctest.h>

#include "server/state/snapshot.h"
#include "server/state/store.h"

using namespace drover;

namespace {

struct World {
  template <class F>
  void change(const F& f) {
    state::Txn txn = store.begin(++index);
    f(txn);
    txn.finish();
    store.commit(std::move(txn));
  }
  state::SnapshotPtr now() const { return store.snapshot(); }

  void put_volume() {
    change([](state::Txn& txn) {
      model::HostVolume volume;
      volume.namespace_ = "default";
      volume.id = "v1";
      volume.name = "data";
      volume.node_id = "n1";
      txn.put_host_volume(std::move(volume));
    });
  }
  void put_node(bool offers) {
    change([&](state::Txn& txn) {
      model::Node node;
      node.id = "n1";
      node.status = "ready";
      if (offers) node.host_volumes["data"] = {.name = "data", .path = "/srv/data", .read_only = false, .id = "v1"};
      txn.put_node(std::move(node), nullptr);
    });
  }
  void put_job(bool sticky) {
    change([&](state::Txn& txn) {
      model::Job job;
      job.id = job.name = "web";
      job.namespace_ = "default";
      job.type = "service";
      model::TaskGroup group;
      group.name = "g";
      group.count = 1;
      group.volumes["d"] = {.name = "d", .type = "host", .source = "data", .read_only = false, .sticky = sticky};
      job.task_groups.push_back(std::move(group));
      txn.put_job(std::move(job), nullptr, 6);
    });
  }
  void place(const std::string& id) {
    const auto job = now()->job("default", "web");
    change([&](state::Txn& txn) {
      model::Allocation alloc;
      alloc.id = id;
      alloc.namespace_ = "default";
      alloc.job_id = "web";
      alloc.task_group = "g";
      alloc.name = "web.g[0]";
      alloc.node_id = "n1";
      alloc.desired_status = "run";
      txn.put_planned_alloc(std::move(alloc), job);
    });
  }

  state::Store store;
  std::uint64_t index = 10;
};

}  // namespace

TEST_CASE("volumes: one is pending until its node offers it, and unavailable when the node does no more") {
  World w;
  w.put_node(false);
  w.put_volume();
  CHECK(w.now()->host_volume("default", "v1")->state == "pending");
  w.put_node(false);
  CHECK(w.now()->host_volume("default", "v1")->state == "pending");
  w.put_node(true);
  CHECK(w.now()->host_volume("default", "v1")->state == "ready");
  CHECK(w.now()->host_volume("default", "v1")->node_pool == "default");
  w.put_node(false);
  CHECK(w.now()->host_volume("default", "v1")->state == "unavailable");
  CHECK(w.now()->host_volume("default", "v1")->create_index == 12);
  CHECK(w.now()->host_volume("other", "v1") == nullptr);
}

TEST_CASE("volumes: one that is used is deleted by force only") {
  World w;
  w.put_node(true);
  w.put_volume();
  w.put_job(false);
  w.place("0b000001-0000-4000-8000-000000000001");
  w.change([](state::Txn& txn) {
    const auto refused = txn.delete_host_volume("default", "v1", false);
    REQUIRE(!refused);
    CHECK(refused.error().message() == "volume v1 in use by allocations: [0b000001-0000-4000-8000-000000000001]");
    CHECK(!txn.delete_host_volume("default", "v2", false));
  });
  REQUIRE(w.now()->host_volume("default", "v1"));
  w.change([](state::Txn& txn) { CHECK(txn.delete_host_volume("default", "v1", true)); });
  CHECK(w.now()->host_volume("default", "v1") == nullptr);
}

TEST_CASE("volumes: a group claims the sticky ones its allocations get, once") {
  World w;
  w.put_node(true);
  w.put_volume();
  w.put_job(true);
  CHECK(w.now()->volume_claims("default", "web", "g").empty());
  w.place("0b000001-0000-4000-8000-000000000001");
  w.place("0b000002-0000-4000-8000-000000000002");
  const auto claims = w.now()->volume_claims("default", "web", "g");
  REQUIRE(claims.size() == 1);
  CHECK(claims.front()->volume_id == "v1");
  CHECK(claims.front()->alloc_id == "0b000002-0000-4000-8000-000000000002");
  const auto id = claims.front()->id;
  w.change([&](state::Txn& txn) { CHECK(txn.delete_volume_claim(id)); });
  CHECK(w.now()->volume_claims("default", "web", "g").empty());
  w.change([&](state::Txn& txn) { CHECK(!txn.delete_volume_claim(id)); });
}
