#include "server/nodes/heartbeats.h"

#include <fnmatch.h>

#include <algorithm>

#include "lib/model/codec.h"
#include "sdk/base/uuid.h"

namespace drover::nodes {

std::chrono::nanoseconds Heartbeats::reset(const std::string& node_id, std::size_t node_count, Time now) {
  const auto paced = std::chrono::nanoseconds(static_cast<std::int64_t>(static_cast<double>(node_count) / options_.max_per_second * 1e9));
  auto ttl = std::max(options_.min_ttl, paced);
  // Jitter keeps nodes that started together apart.
  if (ttl.count() > 0) ttl += std::chrono::nanoseconds(static_cast<std::int64_t>(rng_.below(static_cast<std::uint64_t>(ttl.count()))));
  set(node_id, now + ttl + options_.grace);
  return ttl;
}

void Heartbeats::set(const std::string& node_id, Time deadline) {
  remove(node_id);
  deadlines_[node_id] = deadline;
  order_.emplace(deadline, node_id);
}

void Heartbeats::remove(const std::string& node_id) {
  const auto found = deadlines_.find(node_id);
  if (found == deadlines_.end()) return;
  order_.erase({found->second, node_id});
  deadlines_.erase(found);
}

std::optional<Heartbeats::Time> Heartbeats::next_deadline() const {
  if (order_.empty()) return std::nullopt;
  return order_.begin()->first;
}

std::vector<std::string> Heartbeats::take_expired(Time now) {
  std::vector<std::string> out;
  while (!order_.empty() && order_.begin()->first <= now) {
    out.push_back(order_.begin()->second);
    deadlines_.erase(order_.begin()->second);
    order_.erase(order_.begin());
  }
  return out;
}

fsm::EvalList node_evals(const state::Snapshot& snapshot, const model::Node& node, std::int64_t now, Rng& rng) {
  fsm::EvalList out;
  std::set<std::pair<std::string, std::string>> jobs;
  const auto add = [&](const std::string& namespace_, const std::string& job_id, std::int64_t priority, const std::string& type,
                       std::uint64_t job_modify_index) {
    if (!jobs.emplace(namespace_, job_id).second) return;
    auto eval = std::make_shared<model::Evaluation>();
    eval->id = make_uuid(rng);
    eval->namespace_ = namespace_;
    eval->priority = priority;
    eval->type = type;
    eval->triggered_by = "node-update";
    eval->job_id = job_id;
    eval->job_modify_index = job_modify_index;
    eval->node_id = node.id;
    eval->node_modify_index = node.modify_index;
    eval->status = "pending";
    eval->create_time = eval->modify_time = now;
    out.push_back(std::move(eval));
  };
  for (const auto& alloc : snapshot.allocs_by_node(node.id)) {
    if (state::terminal(*alloc) || !alloc->job) continue;
    add(alloc->namespace_, alloc->job_id, alloc->job->priority, alloc->job->type, alloc->job->job_modify_index);
  }
  snapshot.tables().jobs.scan([&](const state::JobPtr& job) {
    if (job->type != "system" || job->stop) return true;
    if (job->node_pool != "all" && !job->node_pool.empty() && job->node_pool != node.node_pool) return true;
    const bool in_datacenter = std::ranges::any_of(job->datacenters, [&](const std::string& pattern) {
      return ::fnmatch(pattern.c_str(), node.datacenter.c_str(), 0) == 0;
    });
    if (in_datacenter) add(job->namespace_, job->id, job->priority, job->type, job->job_modify_index);
    return true;
  });
  return out;
}

bool status_makes_evals(std::string_view from, std::string_view to) {
  if (from == to) return false;
  const auto gone = [](std::string_view status) { return status == "down" || status == "disconnected"; };
  if (gone(to)) return true;
  return to == "ready" && (from == "initializing" || from.empty() || gone(from));
}

std::string computed_class(const model::Node& node) {
  model::Node shared;
  shared.datacenter = node.datacenter;
  shared.node_pool = node.node_pool;
  shared.node_class = node.node_class;
  for (const auto& [key, value] : node.attributes) {
    if (!key.starts_with("unique.")) shared.attributes[key] = value;
  }
  for (const auto& [key, value] : node.meta) {
    if (!key.starts_with("unique.")) shared.meta[key] = value;
  }
  if (node.node_resources) {
    for (const auto& device : node.node_resources->devices) {
      model::NodeDeviceResource kind = device;
      kind.instances.clear();
      std::erase_if(kind.attributes, [](const auto& entry) { return entry.first.starts_with("unique."); });
      shared.node_resources.ensure().devices.push_back(std::move(kind));
    }
  }
  // FNV-1a over the encoded value: the same on every server and build.
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : model::to_msgpack(shared)) {
    hash ^= static_cast<std::uint8_t>(c);
    hash *= 1099511628211ULL;
  }
  return "v1:" + std::to_string(hash);
}

}  // namespace drover::nodes
