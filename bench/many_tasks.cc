#include "bench/many_tasks.h"

#include <fmt/format.h>

namespace drover {

model::Job many_tasks(int number, const char* type, std::int64_t count) {
  model::Job job;
  job.id = job.name = fmt::format("job-{}", number);
  job.namespace_ = "default";
  job.type = type;
  job.priority = 50;
  job.datacenters = {"*"};
  job.node_pool = "default";
  model::TaskGroup group;
  group.name = "group";
  group.count = count;
  group.ephemeral_disk.ensure().size_mb = 10;
  group.restart_policy = model::RestartPolicy{.attempts = 3, .interval = std::chrono::hours(24), .delay = std::chrono::seconds(15), .mode = "fail"};
  group.reschedule_policy = model::ReschedulePolicy{};
  model::Task task;
  task.name = "task";
  task.log_config = model::LogConfig{.max_files = 1, .max_file_size_mb = 1};
  task.driver = "mock_driver";
  task.resources = model::Resources{.cpu = 20, .memory_mb = 20};
  group.tasks.push_back(std::move(task));
  job.task_groups.push_back(std::move(group));
  return job;
}

model::TaskState running_task(std::int64_t now) {
  model::TaskState out;
  out.state = "running";
  out.started_at = model::Time(now);
  const auto event = [&](const char* type, const char* text) {
    model::TaskEvent made;
    made.type = type;
    made.time = now;
    made.message = made.display_message = text;
    out.events.push_back(std::move(made));
  };
  event("Received", "Task received by client");
  event("Task Setup", "Building Task Directory");
  event("Started", "Task started by client");
  return out;
}

}  // namespace drover
