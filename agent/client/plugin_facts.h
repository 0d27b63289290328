// What the node says of its plugins: devices for the scheduler, figures for the API, states for operators. Pure but for the memory
// of a process and for LostDevices.
#pragma once

#include "agent/alloc/alloc_runner.h"
#include "agent/pluginhost/driver_manager.h"
#include "lib/model/alloc.h"
#include "lib/model/node.h"
#include "lib/model/plugin_status.h"
#include "lib/model/stats.h"

namespace drover::agent {

// Drivers with an executor of their own divide by the cores they are told of.
[[nodiscard]] plugin::NodeTopology plugin_topology(const model::Node& node);
[[nodiscard]] model::List<model::NodeDeviceResource> device_resources(const std::vector<device::DeviceGroup>& groups);
// `only`: the devices of one allocation's task; null: all.
[[nodiscard]] model::List<model::DeviceGroupStats> device_stats(const std::vector<device::DeviceGroupStats>& all,
                                                                const model::List<model::AllocatedDeviceResource>* only);
// `tasks`: how many of it run.
[[nodiscard]] model::AgentPlugin agent_plugin(const pluginhost::PluginStatus& status, std::int64_t tasks);

// Devices a task holds that the node does not have any more, or not in health: "acme/gpu/m1 gpu-1 (gone)" (F-32).
[[nodiscard]] std::vector<std::string> lost_devices(const model::List<model::AllocatedDeviceResource>& held, const std::vector<device::DeviceGroup>& groups);

// F-32: a task keeps running without its device, and whoever looks at it learns why it may not work; or it is ended, to be placed
// elsewhere. Loop only.
class LostDevices {
 public:
  // Adds an event to each running task whose lost devices are others than those told of before. `fail`: such a task fails.
  void tell(AllocRunner& runner, const std::vector<device::DeviceGroup>& groups, UnixNanos now, bool fail);

 private:
  std::map<std::string, std::vector<std::string>> told_;  // by allocation and task
};

}  // namespace drover::agent
