// What a scheduler may read: one immutable snapshot of the state. Implemented by server/state and by tests.
// Objects are shared and never change; every function is safe from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "lib/model/alloc.h"
#include "lib/model/api_volume.h"
#include "lib/model/config.h"
#include "lib/model/deployment.h"
#include "lib/model/job.h"
#include "lib/model/node.h"

namespace drover::scheduler {

using JobPtr = std::shared_ptr<const model::Job>;
using NodePtr = std::shared_ptr<const model::Node>;
using AllocPtr = std::shared_ptr<const model::Allocation>;
using DeploymentPtr = std::shared_ptr<const model::Deployment>;

class StateView {
 public:
  virtual ~StateView() = default;

  // Raft index of the snapshot.
  [[nodiscard]] virtual std::uint64_t index() const = 0;
  // Null when there is no such object.
  [[nodiscard]] virtual NodePtr node(std::string_view id) const = 0;
  [[nodiscard]] virtual JobPtr job(std::string_view namespace_, std::string_view id) const = 0;
  [[nodiscard]] virtual JobPtr job_version(std::string_view namespace_, std::string_view id, std::uint64_t version) const = 0;
  [[nodiscard]] virtual std::vector<JobPtr> job_versions(std::string_view namespace_, std::string_view id) const = 0;
  // Every node in id order, until the visitor returns false.
  virtual void each_node(const std::function<bool(const NodePtr&)>& visit) const = 0;
  [[nodiscard]] virtual std::size_t node_count() const = 0;
  [[nodiscard]] virtual AllocPtr alloc(std::string_view id) const = 0;
  // In id order. `all`: also those of an earlier job of the same name that was purged (another create index).
  [[nodiscard]] virtual std::vector<AllocPtr> allocs_by_job(std::string_view namespace_, std::string_view id, bool all) const = 0;
  [[nodiscard]] virtual std::vector<AllocPtr> allocs_by_node(std::string_view node_id) const = 0;
  // Only those whose client status is not terminal (complete, failed, lost): what occupies the node. An allocation that is
  // told to stop still holds its resources until the client says so.
  [[nodiscard]] virtual std::vector<AllocPtr> live_allocs_by_node(std::string_view node_id) const = 0;
  // The deployment of the highest create index; null when there is none.
  [[nodiscard]] virtual DeploymentPtr latest_deployment(std::string_view namespace_, std::string_view job_id) const = 0;
  [[nodiscard]] virtual std::vector<DeploymentPtr> deployments_by_job(std::string_view namespace_, std::string_view job_id) const = 0;
  // Defaults when none is stored.
  [[nodiscard]] virtual model::SchedulerConfiguration scheduler_config() const = 0;
  [[nodiscard]] virtual std::shared_ptr<const model::NodePool> node_pool(std::string_view name) const = 0;
  [[nodiscard]] virtual std::shared_ptr<const model::HostVolume> host_volume(std::string_view namespace_, std::string_view id) const = 0;
  // What allocations of a group have claimed of sticky volumes.
  using VolumeClaims = std::vector<std::shared_ptr<const model::TaskGroupHostVolumeClaim>>;
  [[nodiscard]] virtual VolumeClaims volume_claims(std::string_view namespace_, std::string_view job_id, std::string_view group) const = 0;
  // Every node and allocation in which this version differs from an earlier one: what it was and what it is, null where it is
  // absent. False when the view cannot tell; nothing was visited then.
  using NodeChange = std::function<void(const NodePtr& before, const NodePtr& after)>;
  using AllocChange = std::function<void(const AllocPtr& before, const AllocPtr& after)>;
  [[nodiscard]] virtual bool each_change(const StateView& earlier, const NodeChange& node, const AllocChange& alloc) const {
    (void)earlier, (void)node, (void)alloc;
    return false;
  }
};

}  // namespace drover::scheduler
