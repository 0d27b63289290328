// Host volumes of a group against those a node offers: volumes of the node's configuration by name, dynamic ones also by what they
// can do and who uses them (server contract 13.4 and 24).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/model/api_volume.h"
#include "server/scheduler/state_view.h"

namespace drover::scheduler {

class VolumeCheck {
 public:
  VolumeCheck(const StateView& view, const model::Job& job, const model::TaskGroup& group);
  [[nodiscard]] bool asks() const { return !requests_.empty(); }
  // `alloc_name` picks the volume of a `per_alloc` request; `on_node` is what else would be on the node.
  [[nodiscard]] bool feasible(const model::Node& node, std::string_view alloc_name, const std::vector<AllocPtr>& on_node) const;

 private:
  [[nodiscard]] bool available(const model::HostVolume& volume, const model::VolumeRequest& request, const std::vector<AllocPtr>& on_node) const;
  // A sticky volume that the group has claimed and that nobody uses now is taken before any other.
  [[nodiscard]] bool claimed_elsewhere(const model::HostVolume& volume) const;

  const StateView& view_;
  std::string namespace_;
  std::vector<const model::VolumeRequest*> requests_;  // for host volumes, in the group
  std::vector<std::shared_ptr<const model::TaskGroupHostVolumeClaim>> claims_;
};

}  // namespace drover::scheduler
