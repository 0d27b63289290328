#include "tests/unit/server/scheduler/memory_view.h"

#include <algorithm>

#include "server/scheduler/alloc_state.h"

namespace drover::scheduler {

void MemoryView::add_node(model::Node node) {
  auto id = node.id;
  nodes[id] = std::make_shared<const model::Node>(std::move(node));
}

void MemoryView::add_job(model::Job job) {
  auto shared = std::make_shared<const model::Job>(std::move(job));
  versions.push_back(shared);
  jobs[shared->id] = shared;
}

void MemoryView::add_alloc(model::Allocation alloc) {
  auto shared = std::make_shared<const model::Allocation>(std::move(alloc));
  allocs[shared->id] = shared;
  by_node_[shared->node_id][shared->id] = shared;
}

void MemoryView::commit(const model::Plan& plan) {
  ++index_;
  commit_deployments(plan);
  const auto take = [&](const AllocPtr& planned, bool stops) {
    auto copy = *planned;
    const auto stored = alloc(planned->id);
    // One that stops keeps its version; any other without a job of its own takes the plan's.
    if (copy.job == nullptr) copy.job = stops && stored != nullptr ? stored->job : plan.job;
    // What the client reports is the client's, unless the servers lose sight of it.
    if (stored != nullptr && copy.client_status != "lost" && copy.client_status != "unknown") copy.client_status = stored->client_status;
    if (stored == nullptr) {
      copy.create_index = index_;
      if (!copy.previous_allocation.empty()) {
        if (const auto previous = alloc(copy.previous_allocation)) {
          auto linked = *previous;
          linked.next_allocation = copy.id;
          add_alloc(std::move(linked));
        }
      }
    }
    copy.modify_index = index_;
    add_alloc(std::move(copy));
  };
  for (const auto* lists : {&plan.node_allocation, &plan.node_update, &plan.node_preemptions}) {
    for (const auto& [node, list] : *lists) {
      for (const auto& planned : list) take(planned, lists != &plan.node_allocation);
    }
  }
}

void MemoryView::commit_deployments(const model::Plan& plan) {
  const auto put = [&](model::Deployment deployment) {
    const auto at = std::ranges::find(deployments, deployment.id, [](const DeploymentPtr& d) -> const std::string& { return d->id; });
    if (at == deployments.end()) {
      deployment.create_index = index_;
      deployments.push_back(std::make_shared<const model::Deployment>(std::move(deployment)));
    } else {
      *at = std::make_shared<const model::Deployment>(std::move(deployment));
    }
  };
  if (plan.deployment) put(*plan.deployment);
  for (const auto& update : plan.deployment_updates) {
    for (const auto& stored : std::vector<DeploymentPtr>(deployments)) {
      if (stored->id != update.deployment_id) continue;
      auto changed = *stored;
      changed.status = update.status;
      changed.status_description = update.status_description;
      put(std::move(changed));
    }
  }
}

NodePtr MemoryView::node(std::string_view id) const {
  const auto at = nodes.find(id);
  return at == nodes.end() ? nullptr : at->second;
}
JobPtr MemoryView::job(std::string_view, std::string_view id) const {
  const auto at = jobs.find(id);
  return at == jobs.end() ? nullptr : at->second;
}
JobPtr MemoryView::job_version(std::string_view, std::string_view id, std::uint64_t version) const {
  for (const auto& job : versions) {
    if (job->id == id && job->version == version) return job;
  }
  return nullptr;
}
std::vector<JobPtr> MemoryView::job_versions(std::string_view, std::string_view id) const {
  std::vector<JobPtr> out;
  for (const auto& job : versions) {
    if (job->id == id) out.push_back(job);
  }
  return out;
}
void MemoryView::each_node(const std::function<bool(const NodePtr&)>& visit) const {
  for (const auto& [id, node] : nodes) {
    if (!visit(node)) return;
  }
}
AllocPtr MemoryView::alloc(std::string_view id) const {
  const auto at = allocs.find(id);
  return at == allocs.end() ? nullptr : at->second;
}
std::vector<AllocPtr> MemoryView::allocs_by_job(std::string_view, std::string_view id, bool) const {
  std::vector<AllocPtr> out;
  for (const auto& [alloc_id, alloc] : allocs) {
    if (alloc->job_id == id) out.push_back(alloc);
  }
  return out;
}
std::vector<AllocPtr> MemoryView::allocs_by_node(std::string_view node_id) const {
  std::vector<AllocPtr> out;
  const auto at = by_node_.find(node_id);
  if (at == by_node_.end()) return out;
  for (const auto& [id, alloc] : at->second) out.push_back(alloc);
  return out;
}
std::vector<AllocPtr> MemoryView::live_allocs_by_node(std::string_view node_id) const {
  auto out = allocs_by_node(node_id);
  std::erase_if(out, [](const AllocPtr& alloc) { return client_terminal(*alloc); });
  return out;
}
DeploymentPtr MemoryView::latest_deployment(std::string_view, std::string_view job_id) const {
  DeploymentPtr out;
  for (const auto& deployment : deployments) {
    if (deployment->job_id == job_id && (out == nullptr || out->create_index < deployment->create_index)) out = deployment;
  }
  return out;
}
std::vector<DeploymentPtr> MemoryView::deployments_by_job(std::string_view, std::string_view job_id) const {
  std::vector<DeploymentPtr> out;
  for (const auto& deployment : deployments) {
    if (deployment->job_id == job_id) out.push_back(deployment);
  }
  return out;
}
std::shared_ptr<const model::HostVolume> MemoryView::host_volume(std::string_view, std::string_view id) const {
  const auto at = volumes.find(id);
  return at == volumes.end() ? nullptr : std::make_shared<const model::HostVolume>(at->second);
}
MemoryView::VolumeClaims MemoryView::volume_claims(std::string_view, std::string_view job_id, std::string_view group) const {
  auto out = claims;
  std::erase_if(out, [&](const auto& claim) { return claim->job_id != job_id || claim->task_group_name != group; });
  return out;
}
std::shared_ptr<const model::NodePool> MemoryView::node_pool(std::string_view name) const {
  const auto at = pools.find(name);
  return at == pools.end() ? nullptr : std::make_shared<const model::NodePool>(at->second);
}

}  // namespace drover::scheduler
