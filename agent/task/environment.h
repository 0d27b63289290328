// The environment a task gets (client.md 3.11). Pure: allocation, node and directories in, variables out.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "agent/task/interpolation.h"
#include "lib/model/alloc.h"
#include "lib/model/node.h"

namespace drover::agent {

struct TaskDirectories {
  std::string alloc, task, secrets;  // as the task sees them: NOMAD_ALLOC_DIR, NOMAD_TASK_DIR, NOMAD_SECRETS_DIR
};

struct EnvironmentInput {
  const model::Allocation& alloc;
  const model::TaskGroup& group;
  const model::Task& task;
  const model::Node& node;
  std::string region;
  TaskDirectories directories;
  const Variables& host;  // the agent's own environment, already filtered; added only where nothing else is set
};

// node.*, attr.* and meta.* for interpolation.
[[nodiscard]] Variables node_variables(const model::Node& node, const std::string& region);
// Every variable of the task, `env` block and meta interpolated.
[[nodiscard]] Variables task_environment(const EnvironmentInput& input);
// The agent's environment without what is denied (N-044, N-045). `denylist`: comma-separated names, empty for the built-in list.
[[nodiscard]] Variables filter_host_environment(const Variables& environment, const std::string& denylist);
// Index of an allocation's name "job.group[3]"; empty when there is none.
[[nodiscard]] std::string alloc_index(std::string_view alloc_name);
// Letters, digits (not first), `_` and `.` stay; every other byte becomes `_`.
[[nodiscard]] std::string clean_variable_name(std::string_view name);

}  // namespace drover::agent
