// What is stored of a task beside its public state. Written before a process is started and before anybody is told (9.2).
#pragma once

#include <string>
#include <string_view>

#include "agent/task/restart_policy.h"
#include "sdk/base/error.h"

namespace drover::agent {

struct TaskRecord {
  std::string task_id;      // of the start that is intended or under way: "<alloc>/<task>/<8 hex>"
  std::string handle;       // the driver's, encoded; empty until StartTask has answered
  std::string destroy_id;   // an ended task the driver may not yet have been told to forget
  std::string driver;
  RestartHistory history;
  bool run_complete = false;  // dead for good

  friend bool operator==(const TaskRecord&, const TaskRecord&) = default;
};
[[nodiscard]] std::string encode_record(const TaskRecord& record);
[[nodiscard]] Result<TaskRecord> decode_record(std::string_view text);

[[nodiscard]] std::string alloc_key(const std::string& alloc);
[[nodiscard]] std::string record_key(const std::string& alloc, const std::string& task);
[[nodiscard]] std::string state_key(const std::string& alloc, const std::string& task);

}  // namespace drover::agent
