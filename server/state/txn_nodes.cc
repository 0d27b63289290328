#include "server/state/txn.h"

namespace drover::state {
namespace {
constexpr std::size_t max_node_events = 10;

void append_event(model::Node& node, const model::NodeEvent* event, std::uint64_t index) {
  if (event == nullptr) return;
  model::NodeEvent stored = *event;
  stored.create_index = index;
  node.events.push_back(std::move(stored));
  if (node.events.size() > max_node_events) node.events.erase(node.events.begin());
}
}  // namespace

void Txn::record(Table table, Object before, Object after) {
  touched(table);
  changes_.push_back({table, std::move(before), std::move(after)});
}

void Txn::store_node(const NodePtr& before, model::Node node, bool bump) {
  if (bump) node.modify_index = index_;
  auto stored = std::make_shared<const model::Node>(std::move(node));
  t_.nodes.put(stored);
  record(Table::nodes, before ? Object(before) : Object(), std::move(stored));
}

void Txn::put_node(model::Node node, const model::NodeEvent* event) {
  const NodePtr* found = t_.nodes.find(node.id);
  const NodePtr before = found != nullptr ? *found : nullptr;
  if (before) {
    node.create_index = before->create_index;
    node.events = before->events;
    node.drain_strategy = before->drain_strategy;
    node.scheduling_eligibility = before->scheduling_eligibility;
    node.last_missed_heartbeat_index = before->last_missed_heartbeat_index;
    node.last_alloc_update_index = before->last_alloc_update_index;
    node.last_drain = before->last_drain;
  } else {
    node.create_index = index_;
  }
  append_event(node, event, index_);
  if (node.node_pool.empty()) node.node_pool = "default";
  if (t_.node_pools.find(node.node_pool) == nullptr) {
    model::NodePool pool;
    pool.name = node.node_pool;
    pool.node_identity_ttl = model::default_node_identity_ttl;
    put_node_pool(std::move(pool));
  }
  const std::string id = node.id;
  store_node(before, std::move(node), true);
  const NodePtr stored = *t_.nodes.find(id);
  match_host_volumes(*stored);
}

void Txn::put_node_status(std::string_view id, std::string_view status, std::int64_t updated_at, const model::NodeEvent* event) {
  const NodePtr* found = t_.nodes.find(id);
  if (found == nullptr) return;
  const NodePtr before = *found;
  model::Node node = *before;
  append_event(node, event, index_);
  node.status = status;
  if (updated_at != 0) node.status_updated_at = updated_at;
  const bool was_gone = before->status == "down" || before->status == "disconnected";
  const bool is_gone = status == "down" || status == "disconnected";
  if (!was_gone && is_gone) node.last_missed_heartbeat_index = index_;
  // Ready again: nothing is owed any more.
  if (status == "ready") node.last_missed_heartbeat_index = 0;
  store_node(before, std::move(node), true);
}

void Txn::put_node_eligibility(std::string_view id, std::string_view eligibility, std::int64_t updated_at, const model::NodeEvent* event) {
  const NodePtr* found = t_.nodes.find(id);
  if (found == nullptr) return;
  const NodePtr before = *found;
  model::Node node = *before;
  append_event(node, event, index_);
  node.scheduling_eligibility = eligibility;
  if (updated_at != 0) node.status_updated_at = updated_at;
  store_node(before, std::move(node), true);
}

void Txn::put_node_drain(std::string_view id, const NodeDrainChange& change, std::int64_t updated_at, const model::NodeEvent* event) {
  const NodePtr* found = t_.nodes.find(id);
  if (found == nullptr) return;
  const NodePtr before = *found;
  model::Node node = *before;
  append_event(node, event, index_);
  node.drain_strategy = change.strategy;
  if (change.strategy) node.scheduling_eligibility = "ineligible";
  else if (change.mark_eligible) node.scheduling_eligibility = "eligible";
  if (updated_at != 0) node.status_updated_at = updated_at;
  // The record of the last drain outlives it.
  const model::Time now(updated_at * 1'000'000'000);
  model::DrainMetadata& last = node.last_drain.ensure();
  if (change.strategy && !before->drain_strategy) last = model::DrainMetadata{.started_at = now};
  last.updated_at = now;
  last.status = change.strategy ? "draining" : change.status;
  if (!change.accessor_id.empty()) last.accessor_id = change.accessor_id;
  for (const auto& [key, value] : change.meta) last.meta[key] = value;
  store_node(before, std::move(node), true);
}

void Txn::mark_alloc_update(std::string_view node_id) {
  const NodePtr* found = t_.nodes.find(node_id);
  if (found == nullptr || (*found)->last_alloc_update_index == index_) return;
  const NodePtr before = *found;
  model::Node node = *before;
  node.last_alloc_update_index = index_;
  // The node's own ModifyIndex stays: whoever watches this node learns nothing from the mark.
  store_node(before, std::move(node), false);
}

void Txn::delete_node(std::string_view id) {
  const NodePtr* found = t_.nodes.find(id);
  if (found == nullptr) return;
  NodePtr before = *found;
  t_.nodes.erase(id);
  record(Table::nodes, std::move(before), {});
}

void Txn::put_scheduler_config(model::SchedulerConfiguration config) {
  const ConfigPtr before = t_.scheduler_config;
  config.create_index = before ? before->create_index : index_;
  config.modify_index = index_;
  t_.scheduler_config = std::make_shared<const model::SchedulerConfiguration>(std::move(config));
  record(Table::scheduler_config, before ? Object(before) : Object(), t_.scheduler_config);
}

void Txn::put_autopilot(model::AutopilotConfiguration config) {
  config.create_index = t_.autopilot ? t_.autopilot->create_index : index_;
  config.modify_index = index_;
  t_.autopilot = std::make_shared<const model::AutopilotConfiguration>(std::move(config));
}

}  // namespace drover::state
