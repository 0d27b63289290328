// The devices of a task: reserved once, held over its restarts, released after its last end.
#include "agent/task/events.h"
#include "agent/task/task_runner.h"
#include "sdk/base/fail_point.h"

namespace drover::agent {

std::vector<device::DeviceSet> TaskRunner::own_devices() const {
  std::vector<device::DeviceSet> out;
  const auto* resources = alloc_->allocated_resources ? alloc_->allocated_resources->tasks.get(task_.name) : nullptr;
  if (resources == nullptr) return out;
  for (const auto& one : resources->devices) out.push_back({one.vendor, one.type, one.name, {one.device_ids.begin(), one.device_ids.end()}});
  return out;
}

device::Owner TaskRunner::as_owner() const {
  return {.namespace_ = alloc_->namespace_, .job_id = alloc_->job_id, .task_group = alloc_->task_group, .alloc_id = alloc_->id, .task = task_.name};
}

// Of several groups the later one wins (plugin protocol 6.2).
Async<Result<>> TaskRunner::reserve_devices() {
  const auto wanted = own_devices();
  if (reserved_ || wanted.empty()) co_return Result<>{};
  if (!local_.holds_devices) {
    // Whatever dies from here on, the plugin is told when the task is over.
    local_.holds_devices = true;
    co_await store();
    fail_point("task.devices_stored");
  }
  device::Reservation all;
  for (const auto& devices : wanted) {
    Result<device::Reservation> one = fail(Code::unavailable, "this node has no devices");
    if (services_.reserve_devices) one = co_await services_.reserve_devices(as_owner(), devices);
    if (!one) {
      add_event(events::hook_failed(now(), fmt::format("devices: {}", one.error().message())));
      co_return fail(one.error());
    }
    for (auto& [name, value] : one->envs) all.envs[name] = std::move(value);
    all.mounts.insert(all.mounts.end(), one->mounts.begin(), one->mounts.end());
    all.devices.insert(all.devices.end(), one->devices.begin(), one->devices.end());
  }
  reserved_ = std::move(all);
  co_return Result<>{};
}

void TaskRunner::hold_devices() const {
  if (!services_.hold_devices) return;
  for (auto& devices : own_devices()) services_.hold_devices(as_owner(), std::move(devices));
}

// Plugin protocol 6.4. Told first and stored after: an agent that dies between tells it once more, which plugins are ready for.
Async<> TaskRunner::let_devices_go() {
  if (!local_.holds_devices) co_return;
  fail_point("task.devices_free");
  for (const auto& devices : own_devices()) {
    Result<> told;
    if (services_.release_devices) told = co_await services_.release_devices(as_owner(), devices);
    if (told) continue;
    log_.warn("the device plugin is told later that the task's devices are free", "error", told.error());
    co_return;
  }
  fail_point("task.devices_released");
  local_.holds_devices = false;
  co_await store();
}

}  // namespace drover::agent
