#include "agent/task/hooks/hook.h"

namespace drover::agent {

std::vector<std::unique_ptr<TaskHook>> make_task_hooks() {
  std::vector<std::unique_ptr<TaskHook>> out;
  out.push_back(make_task_dir_hook());
  out.push_back(make_log_config_hook());
  out.push_back(make_environment_hook());
  out.push_back(make_resources_hook());
  out.push_back(make_driver_config_hook());
  return out;
}

}  // namespace drover::agent
