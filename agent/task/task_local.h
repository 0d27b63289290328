// What a task runner must find again after a restart of the agent: stored as one record a task (client contract 9).
#pragma once

#include <string>

#include "agent/task/restart_policy.h"
#include "lib/model/alloc.h"
#include "sdk/base/error.h"

namespace drover::agent {

// Where the driver says that the task is reached (plugin protocol 5.3, network_override): what a registration of its services with
// address mode "driver" or "auto" goes by. Only what a host accepts (P-26).
struct TaskNetwork {
  model::Map<std::int64_t> port_map;  // by label; a label of the group's network goes by the group's `to` instead
  std::string ip;                     // empty: the driver told none
  bool auto_advertise = false;        // mode "auto" means this address rather than the host's

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("PortMap", self.port_map);
    v("IP", self.ip);
    v("AutoAdvertise", self.auto_advertise);
  }
  friend bool operator==(const TaskNetwork&, const TaskNetwork&) = default;
};

struct TaskLocal {
  // The id of the current or next StartTask: `<alloc>/<task>/<8 hex>`. Stored before the driver is asked to start it.
  std::string driver_task_id;
  // The driver's handle; stored before anybody is told that the task runs. Empty: not started, or ended and destroyed.
  std::string handle;
  model::Box<TaskNetwork> network;  // of the last start; null when the driver told none
  model::TaskState state;
  RestartHistory restarts;
  bool run_complete = false;  // the task will not run again in this allocation
  // The end of what `handle` names is in `state`; what is left to do is to let the driver forget it.
  bool ended = false;
  // What StopTask was, or is just being, asked for: "kill", "restart" or nothing.
  std::string stopping;
  UnixNanos restart_at = 0;  // not before this; 0: at once
  // Stored before devices are reserved, and no longer true when their plugin knows that they are free.
  bool holds_devices = false;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("DriverTaskID", self.driver_task_id);
    v("Handle", self.handle);
    v("Network", self.network);
    v("State", self.state);
    v("Restarts", self.restarts);
    v("RunComplete", self.run_complete);
    v("Ended", self.ended);
    v("Stopping", self.stopping);
    v("RestartAt", self.restart_at);
    v("HoldsDevices", self.holds_devices);
  }
};

[[nodiscard]] std::string encode_task_local(const TaskLocal& local);
[[nodiscard]] Result<TaskLocal> decode_task_local(std::string_view bytes);

}  // namespace drover::agent
