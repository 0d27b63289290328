#include "server/scheduler/reconcile/node_reconciler.h"

#include <algorithm>

#include "server/scheduler/alloc_state.h"

namespace drover::scheduler {
namespace {

using Required = std::map<std::string, const model::TaskGroup*, std::less<>>;

Required required_names(const model::Job* job) {
  Required out;
  if (job == nullptr || job->stop) return out;
  for (const auto& group : job->task_groups) {
    for (std::int64_t i = 0; i < group.count; ++i) out.emplace(alloc_name(job->id, group.name, i), &group);
  }
  return out;
}

// Its group waits for clients that are away.
bool tolerant(const model::Allocation& alloc) {
  const auto* group = group_of(alloc);
  return group != nullptr && disconnect_rules(*group).lost_after.count() > 0;
}

struct OnNode {
  std::vector<AllocPtr> live;
  std::map<std::string, AllocPtr, std::less<>> finished;  // the newest by name
};

class NodeReconciler {
 public:
  explicit NodeReconciler(const NodeInput& input) : in_(input), required_(required_names(input.job.get())) {
    for (const auto& node : input.nodes->ready) eligible_.insert(node->id);
  }

  NodeChanges run() {
    std::map<std::string, OnNode, std::less<>> nodes;
    for (const auto& id : eligible_) nodes.try_emplace(id);
    for (const auto& alloc : in_.allocs) {
      auto& node = nodes[alloc->node_id];
      if (!terminal(*alloc)) {
        node.live.push_back(alloc);
        continue;
      }
      auto& newest = node.finished[alloc->name];
      if (newest == nullptr || newest->create_index < alloc->create_index) newest = alloc;
    }
    for (const auto& [id, node] : nodes) {
      for (const auto& alloc : node.live) existing(alloc, id);
      missing(id, node);
    }
    return std::move(out_);
  }

 private:
  void existing(const AllocPtr& alloc, const std::string& node_id) {
    const auto wanted = required_.find(alloc->name);
    if (wanted == required_.end()) {
      out_.stop.push_back(alloc);
      return;
    }
    const bool reconnect = needs_to_reconnect(*alloc);
    const auto at = in_.tainted.find(node_id);
    const bool is_tainted = at != in_.tainted.end();
    const auto* node = is_tainted ? at->second.get() : nullptr;
    const bool disconnected = node != nullptr && node->status == "disconnected";
    if (alloc->desired_transition.migrate.value_or(false)) {
      out_.migrate.push_back(alloc);
    } else if (expired(*alloc, in_.now)) {
      out_.lost.push_back(alloc);
    } else if (alloc->client_status == "unknown" && alloc->desired_status == "run" && tolerant(*alloc)) {
      // Its client may be running it; it is waited for.
      out_.ignore.push_back(alloc);
    } else if (reconnect && !is_tainted) {
      out_.reconnecting.push_back(alloc);
    } else if (is_tainted) {
      if (in_.job->type == "sysbatch" && ran_successfully(*alloc)) out_.ignore.push_back(alloc);
      else if (disconnected && alloc->client_status == "running") out_.disconnecting.push_back(alloc);
      else if (node == nullptr || node->status == "down" || (disconnected && alloc->client_status == "unknown")) out_.lost.push_back(alloc);
      else out_.ignore.push_back(alloc);
    } else {
      untouched(alloc, node_id, wanted->second);
    }
  }

  void untouched(const AllocPtr& alloc, const std::string& node_id, const model::TaskGroup* group) {
    const bool modified = alloc->job->job_modify_index != in_.job->job_modify_index;
    if (in_.nodes->not_ready.contains(node_id)) {
      (modified ? out_.stop : out_.ignore).push_back(alloc);
    } else if (!eligible_.contains(node_id)) {
      out_.stop.push_back(alloc);
    } else if (modified) {
      out_.update.push_back({alloc->name, group, alloc});
    } else {
      out_.ignore.push_back(alloc);
    }
  }

  void missing(const std::string& node_id, const OnNode& node) {
    const bool eligible = eligible_.contains(node_id);
    if (!eligible && node.live.empty()) return;
    for (const auto& [name, group] : required_) {
      if (std::ranges::any_of(node.live, [&](const AllocPtr& alloc) { return alloc->name == name; })) continue;
      const auto finished = node.finished.find(name);
      const auto previous = finished == node.finished.end() ? nullptr : finished->second;
      if (in_.job->type == "sysbatch" && previous != nullptr) {
        // What ended is run again only when the job has changed.
        if (previous->job->job_modify_index != in_.job->job_modify_index) out_.update.push_back({name, group, previous});
        else out_.ignore.push_back(previous);
        continue;
      }
      if (eligible && !in_.tainted.contains(node_id)) out_.place.push_back({name, group, node_id, previous});
    }
  }

  const NodeInput& in_;
  Required required_;
  std::set<std::string, std::less<>> eligible_;
  NodeChanges out_;
};

}  // namespace

NodeChanges reconcile_nodes(const NodeInput& input) { return NodeReconciler(input).run(); }

}  // namespace drover::scheduler
