// The checks of one task group that need only the node: drivers, constraints, devices, network.
//
// Compiled once per evaluation and group. The first check that fails gives the reason shown in metrics.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/model/job.h"
#include "sdk/base/error.h"
#include "server/scheduler/feasible/constraint.h"
#include "server/scheduler/state_view.h"

namespace drover::scheduler {

// Empty: feasible.
using Reason = std::string;

class JobChecks {
 public:
  explicit JobChecks(const model::Job& job);
  [[nodiscard]] Reason check(const model::Node& node) const;
  // Not only the first.
  void each_failure(const model::Node& node, const std::function<void(const Reason&)>& visit) const;

 private:
  std::vector<ConstraintCheck> constraints_;
};

class GroupChecks {
 public:
  explicit GroupChecks(const model::TaskGroup& group);
  // What nodes of one computed class share.
  [[nodiscard]] Reason check(const model::Node& node) const;
  // Not only the first; with its kind: driver, constraint, device or network.
  void each_failure(const model::Node& node, const std::function<void(const char* kind, const Reason&)>& visit) const;

 private:
  [[nodiscard]] bool has_drivers(const model::Node& node) const;
  [[nodiscard]] Reason check_network(const model::Node& node) const;

  const model::TaskGroup* group_;
  std::vector<std::string> drivers_;  // attribute names "driver.<name>" follow by the same index
  std::vector<ConstraintCheck> constraints_;
  std::string network_mode_ = "host";
  bool has_devices_ = false;
};

// Value of a host network name, which may be a template; none when it does not resolve.
[[nodiscard]] std::optional<std::string> resolve_host_network(std::string_view name, const model::Node& node);

// dc1, dc*, *: one of the patterns matches.
[[nodiscard]] bool datacenter_matches(const model::List<std::string>& patterns, std::string_view datacenter);
[[nodiscard]] bool in_pool(const model::Node& node, std::string_view pool);
[[nodiscard]] bool is_ready(const model::Node& node);

}  // namespace drover::scheduler
