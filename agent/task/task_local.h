// What a task runner must find again after a restart of the agent: stored as one record a task (client contract 9).
#pragma once

#include <string>

#include "agent/task/restart_policy.h"
#include "lib/model/alloc.h"
#include "sdk/base/error.h"

namespace drover::agent {

struct TaskLocal {
  // The id of the current or next StartTask: `<alloc>/<task>/<8 hex>`. Stored before the driver is asked to start it.
  std::string driver_task_id;
  // The driver's handle; stored before anybody is told that the task runs. Empty: not started, or ended and destroyed.
  std::string handle;
  model::TaskState state;
  RestartHistory restarts;
  bool run_complete = false;  // the task will not run again in this allocation
  // The end of what `handle` names is in `state`; what is left to do is to let the driver forget it.
  bool ended = false;
  // What StopTask was, or is just being, asked for: "kill", "restart" or nothing.
  std::string stopping;
  UnixNanos restart_at = 0;  // not before this; 0: at once

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("DriverTaskID", self.driver_task_id);
    v("Handle", self.handle);
    v("State", self.state);
    v("Restarts", self.restarts);
    v("RunComplete", self.run_complete);
    v("Ended", self.ended);
    v("Stopping", self.stopping);
    v("RestartAt", self.restart_at);
  }
};

[[nodiscard]] std::string encode_task_local(const TaskLocal& local);
[[nodiscard]] Result<TaskLocal> decode_task_local(std::string_view bytes);

}  // namespace drover::agent
