// The scheduler's table of nodes over versions of the state: kept along, it is the one made anew.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <set>

#include "sdk/base/clock.h"
#include "server/scheduler/node_table.h"
#include "server/state/snapshot.h"
#include "server/state/txn.h"

using namespace drover;

namespace {

class Cluster {
 public:
  explicit Cluster(std::uint64_t seed) : rng_(seed) {}

  void change() {
    switch (rng_.below(10)) {
      case 0:
      case 1:
      case 2: return put_node();
      case 3: return remove_node();
      case 4: return remove_alloc();
      default: return put_alloc();
    }
  }
  std::shared_ptr<const state::Snapshot> snapshot() const { return std::make_shared<const state::Snapshot>(tables_); }
  const std::set<std::string>& nodes() const { return nodes_; }

 private:
  std::string node_id(std::uint64_t n) const { return fmt::format("0a{:06x}-0000-4000-8000-000000000000", n); }
  void put_node() {
    auto node = std::make_shared<model::Node>();
    node->id = node_id(rng_.below(60));
    node->datacenter = rng_.below(2) == 0 ? "dc1" : "dc2";
    node->node_pool = "default";
    node->status = rng_.below(4) == 0 ? "down" : "ready";
    node->computed_class = fmt::format("c{}", rng_.below(5));
    node->node_resources.ensure().cpu.cpu_shares = static_cast<std::int64_t>(1000 + rng_.below(9000));
    nodes_.insert(node->id);
    tables_.nodes.put(std::move(node));
  }
  void remove_node() {
    const auto id = node_id(rng_.below(60));
    nodes_.erase(id);
    tables_.nodes.erase(id);
  }
  void put_alloc() {
    auto alloc = std::make_shared<model::Allocation>();
    alloc->id = fmt::format("0b{:06x}-0000-4000-8000-000000000000", rng_.below(400));
    remove(alloc->id);
    alloc->node_id = node_id(rng_.below(60));
    const char* states[] = {"running", "pending", "complete", "failed", "unknown"};
    alloc->client_status = states[rng_.below(5)];
    auto& task = alloc->allocated_resources.ensure().tasks["t"];
    task.cpu.cpu_shares = static_cast<std::int64_t>(rng_.below(500));
    task.memory.memory_mb = static_cast<std::int64_t>(rng_.below(500));
    if (rng_.below(10) == 0) task.cpu.reserved_cores = {1};
    add_to(tables_, state::AllocPtr(std::move(alloc)));
  }
  void remove_alloc() { remove(fmt::format("0b{:06x}-0000-4000-8000-000000000000", rng_.below(400))); }
  void remove(const std::string& id) {
    const auto* found = tables_.allocs.find(id);
    if (found == nullptr) return;
    const auto before = *found;
    remove_from(tables_, before);
  }

  Rng rng_;
  state::Tables tables_;
  std::set<std::string> nodes_;
};

}  // namespace

TEST_CASE("node table: kept along from version to version it equals one made of the last") {
  model::Job job;
  job.node_pool = "default";
  job.datacenters = {"dc1"};
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    Cluster cluster(seed);
    Rng rng(seed + 1000);
    scheduler::NodeTable kept;
    for (int version = 0; version < 20; ++version) {
      for (auto changes = rng.below(60); changes > 0; --changes) cluster.change();
      kept.sync(cluster.snapshot());
      scheduler::NodeTable fresh;
      fresh.sync(cluster.snapshot());
      const auto ids = [](scheduler::NodeTable& table, const std::vector<std::uint32_t>& rows) {
        std::vector<std::string> out;
        for (const auto row : rows) out.push_back(table[row].node->id);
        return out;
      };
      CHECK(ids(kept, kept.candidates(job).rows) == ids(fresh, fresh.candidates(job).rows));
      CHECK(kept.candidates(job).available == fresh.candidates(job).available);
      for (const auto& id : cluster.nodes()) {
        // Some rows are asked about early, others only once they have a history.
        if (rng.below(3) == 0) continue;
        const auto& a = kept.counted(kept.row_of(id));
        const auto& b = fresh.counted(fresh.row_of(id));
        CHECK(a.node == b.node);
        CHECK(a.used.cpu == b.used.cpu);
        CHECK(a.used.memory_mb == b.used.memory_mb);
        CHECK(a.allocs == b.allocs);
        CHECK(a.with_cores == b.with_cores);
        CHECK(a.capacity.cpu == b.capacity.cpu);
      }
    }
  }
}
