#include "server/scheduler/node_table.h"

#include "server/scheduler/alloc_state.h"
#include "server/scheduler/feasible/group_checks.h"
#include "server/scheduler/fit/usage.h"

namespace drover::scheduler {
namespace {

// Lists of candidates are few: jobs differ little in their pools and datacenters.
constexpr std::size_t max_lists = 64;

bool same_choice(const model::Node& a, const model::Node& b) {
  return is_ready(a) == is_ready(b) && a.datacenter == b.datacenter && a.node_pool == b.node_pool;
}

}  // namespace

void NodeTable::sync(std::shared_ptr<const StateView> view) {
  if (view_ == nullptr) {
    view_ = std::move(view);
    return rebuild();
  }
  const auto earlier = std::exchange(view_, std::move(view));
  // Classes that no node has any more are forgotten now and then.
  if (classes_.size() > 1024 + 4 * rows_.size()) return rebuild();
  const bool known = view_->each_change(
    *earlier, [this](const NodePtr& before, const NodePtr& after) { change_node(before, after); },
    [this](const AllocPtr& before, const AllocPtr& after) { change_alloc(before, after); });
  if (!known) rebuild();
}

void NodeTable::rebuild() {
  by_id_.clear();
  rows_.clear();
  free_.clear();
  candidates_.clear();
  classes_.clear();
  rows_.reserve(view_->node_count());
  by_id_.reserve(view_->node_count());
  view_->each_node([this](const NodePtr& node) {
    change_node(nullptr, node);
    return true;
  });
}

void NodeTable::fill(NodeRow& row, const NodePtr& node) {
  const auto capacity = node_capacity(*node);
  row.node = node;
  row.capacity = {capacity.cpu, capacity.memory_mb, capacity.disk_mb};
  row.node_class = 0;
  if (node->computed_class.empty()) return;
  row.node_class = classes_.try_emplace(node->computed_class, static_cast<std::uint32_t>(classes_.size() + 1)).first->second;
}

void NodeTable::change_node(const NodePtr& before, const NodePtr& after) {
  if (before == nullptr || after == nullptr || !same_choice(*before, *after)) candidates_.clear();
  if (before != nullptr) {
    const auto at = by_id_.find(before->id);
    const auto row = at->second;
    by_id_.erase(at);
    if (after == nullptr) {
      rows_[row] = {};
      free_.push_back(row);
      return;
    }
    fill(rows_[row], after);
    by_id_.emplace(after->id, row);
    return;
  }
  std::uint32_t row = 0;
  if (free_.empty()) {
    row = static_cast<std::uint32_t>(rows_.size());
    rows_.emplace_back();
  } else {
    row = free_.back();
    free_.pop_back();
  }
  fill(rows_[row], after);
  by_id_.emplace(after->id, row);
}

void NodeTable::add(NodeRow& row, const model::Allocation& alloc, int sign) {
  const auto usage = alloc_usage(alloc);
  row.used.cpu += sign * usage.cpu;
  row.used.memory_mb += sign * usage.memory_mb;
  row.used.disk_mb += sign * usage.disk_mb;
  row.allocs += sign;
  if (!usage.cores.empty()) row.with_cores += sign;
}

void NodeTable::count(const model::Allocation& alloc, int sign) {
  if (client_terminal(alloc)) return;
  const auto at = by_id_.find(alloc.node_id);
  if (at != by_id_.end() && rows_[at->second].counted) add(rows_[at->second], alloc, sign);
}

void NodeTable::change_alloc(const AllocPtr& before, const AllocPtr& after) {
  if (before != nullptr) count(*before, -1);
  if (after != nullptr) count(*after, 1);
}

const NodeRow& NodeTable::counted(std::uint32_t number) {
  auto& row = rows_[number];
  if (row.counted) return row;
  row.counted = true;
  row.used = {};
  row.allocs = row.with_cores = 0;
  for (const auto& alloc : view_->live_allocs_by_node(row.node->id)) {
    if (!client_terminal(*alloc)) add(row, *alloc, 1);
  }
  return row;
}

const Candidates& NodeTable::candidates(const model::Job& job) {
  std::string key = job.node_pool;
  for (const auto& pattern : job.datacenters) key.append(1, '\0').append(pattern);
  const auto known = candidates_.find(key);
  if (known != candidates_.end()) return known->second;
  if (candidates_.size() >= max_lists) candidates_.clear();
  auto& out = candidates_[key];
  out.available.allocate();  // {} where no datacenter fits, not null
  // Nodes come in runs of few datacenters: the last answer is mostly the right one.
  std::string_view last;
  bool matches = false;
  std::int64_t* count = nullptr;
  view_->each_node([&](const NodePtr& node) {
    if (!in_pool(*node, job.node_pool) || !is_ready(*node)) return true;
    if (count == nullptr || node->datacenter != last) {
      last = node->datacenter;
      matches = datacenter_matches(job.datacenters, last);
      if (matches) count = &out.available[std::string(last)];
    }
    if (!matches) return true;
    ++*count;
    out.rows.push_back(row_of(node->id));
    return true;
  });
  return out;
}

}  // namespace drover::scheduler
