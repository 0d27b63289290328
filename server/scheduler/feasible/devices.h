// Device groups of a node against what a task asks for: does it have them, and which instances to hand out.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lib/model/alloc.h"
#include "lib/model/node.h"
#include "sdk/base/error.h"

namespace drover::scheduler {

// Name ("gpu", "nvidia/gpu", "nvidia/gpu/V100") and constraints.
[[nodiscard]] bool device_matches(const model::NodeDeviceResource& device, const model::RequestedDevice& ask);
// Enough healthy instances for all requests of the group together, whoever uses them now.
[[nodiscard]] bool node_has_devices(const model::Node& node, const model::TaskGroup& group);

// Which instances are in use. Built once per node and copied to try a placement.
class DeviceUse {
 public:
  explicit DeviceUse(const model::Node& node);
  // False when an instance is used twice.
  bool add(const model::AllocatedDeviceResource& devices);
  bool add(const model::Allocation& alloc);

  struct Offer {
    model::AllocatedDeviceResource devices;
    double matched_weights = 0;  // of the affinities that hold
  };
  // The group with the highest affinity; its first free instances.
  [[nodiscard]] Result<Offer> assign(const model::RequestedDevice& ask) const;

  struct Matching {
    const model::NodeDeviceResource* device;
    std::int64_t free;  // healthy instances that nobody uses
  };
  [[nodiscard]] std::vector<Matching> matching(const model::RequestedDevice& ask) const;

 private:
  struct Group {
    const model::NodeDeviceResource* device;  // in the node, which outlives this
    std::map<std::string, int, std::less<>> uses;
  };
  std::vector<Group> groups_;
};

}  // namespace drover::scheduler
