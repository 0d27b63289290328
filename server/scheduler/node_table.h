// Every node in one row: what it has, what its live allocations use, and small numbers for its class and datacenter.
//
// Kept from one evaluation to the next by whoever runs the scheduler (a worker, one thread at a time): a later version of the state
// costs what has changed since, not a pass over the cluster. Use is summed up when a row is first asked about. Rows hold still
// between two calls of sync().
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "server/scheduler/state_view.h"

namespace drover::scheduler {

// Countable resources as they are compared most: plain numbers.
struct Quantities {
  std::int64_t cpu = 0;
  std::int64_t memory_mb = 0;
  std::int64_t disk_mb = 0;
};

struct NodeRow {
  NodePtr node;  // null: the row is free
  Quantities capacity;
  Quantities used;                   // of live allocations, once `counted`
  std::int32_t allocs = 0;       // live ones
  std::int32_t with_cores = 0;   // live ones that hold whole cores
  std::uint32_t node_class = 0;  // number of the computed class; 0: it has none
  bool counted = false;
};

// The nodes a job may use, by row, and how many there are to choose from (server contract 13.1).
struct Candidates {
  std::vector<std::uint32_t> rows;     // ready ones, in id order
  model::Map<std::int64_t> available;  // the same by datacenter
};

class NodeTable {
 public:
  // Brings the table to this version of the state.
  void sync(std::shared_ptr<const StateView> view);
  // The row of a node of the view.
  [[nodiscard]] std::uint32_t row_of(std::string_view node_id) const { return by_id_.find(node_id)->second; }
  [[nodiscard]] bool knows(std::string_view node_id) const { return by_id_.contains(node_id); }
  // With its use counted.
  [[nodiscard]] const NodeRow& counted(std::uint32_t row);
  [[nodiscard]] const NodeRow& operator[](std::uint32_t row) const { return rows_[row]; }
  [[nodiscard]] std::size_t size() const { return rows_.size(); }
  // Numbers of computed classes are below this.
  [[nodiscard]] std::size_t classes() const { return classes_.size() + 1; }
  // Good until the next sync.
  [[nodiscard]] const Candidates& candidates(const model::Job& job);

 private:
  void rebuild();
  void change_node(const NodePtr& before, const NodePtr& after);
  void change_alloc(const AllocPtr& before, const AllocPtr& after);
  void fill(NodeRow& row, const NodePtr& node);
  void count(const model::Allocation& alloc, int sign);
  static void add(NodeRow& row, const model::Allocation& alloc, int sign);

  std::shared_ptr<const StateView> view_;
  std::vector<NodeRow> rows_;
  std::vector<std::uint32_t> free_;
  std::unordered_map<std::string_view, std::uint32_t> by_id_;  // names are those of the rows' nodes
  std::unordered_map<std::string, std::uint32_t> classes_;
  std::map<std::string, Candidates> candidates_;  // by pool and datacenters
};

}  // namespace drover::scheduler
