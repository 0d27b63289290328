// What a driver is told to start (plugin protocol 5.4). Pure.
#pragma once

#include <string>

#include "agent/task/environment.h"
#include "lib/model/alloc.h"
#include "lib/model/node.h"
#include "sdk/device/device.h"
#include "sdk/driver/driver.h"

namespace drover::agent {

struct TaskConfigInput {
  const model::Allocation& alloc;
  const model::TaskGroup& group;
  const model::Task& task;
  const model::Node& node;
  std::string driver_task_id;
  std::string alloc_dir;       // on the host
  std::string driver_config;   // encoded
  Environment environment;
  device::Reservation devices = {};
};

[[nodiscard]] driver::TaskConfig make_task_config(const TaskConfigInput& input);

// The variables of a driver's config block as a JSON object: environment, `env`, `node`, `attr`, `meta`.
[[nodiscard]] std::string config_variables_json(const Environment& environment, const model::Node& node, const std::string& region);

}  // namespace drover::agent
