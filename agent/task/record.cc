#include "agent/task/record.h"

#include <nlohmann/json.hpp>

#include "sdk/base/encoding.h"

namespace drover::agent {

std::string encode_record(const TaskRecord& r) {
  return nlohmann::json{{"task_id", r.task_id}, {"handle", base64_encode(r.handle)}, {"destroy_id", r.destroy_id}, {"driver", r.driver},
                        {"restarts", r.history.count}, {"window_start", r.history.window_start}, {"run_complete", r.run_complete}}.dump();
}

Result<TaskRecord> decode_record(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return fail(Code::invalid_argument, "the stored record of the task is damaged");
  const auto string = [&](const char* key) {
    const auto at = json.find(key);
    return at != json.end() && at->is_string() ? at->get<std::string>() : std::string();
  };
  const auto number = [&](const char* key) {
    const auto at = json.find(key);
    return at != json.end() && at->is_number_integer() ? at->get<std::int64_t>() : 0;
  };
  TaskRecord out;
  out.task_id = string("task_id");
  auto handle = base64_decode(string("handle"));
  if (!handle) return fail(handle.error(), "the stored handle of the task");
  out.handle = std::move(*handle);
  out.destroy_id = string("destroy_id");
  out.driver = string("driver");
  out.history = {.count = number("restarts"), .window_start = number("window_start")};
  const auto complete = json.find("run_complete");
  out.run_complete = complete != json.end() && complete->is_boolean() && complete->get<bool>();
  return out;
}

std::string alloc_key(const std::string& alloc) { return "alloc/" + alloc; }
std::string record_key(const std::string& alloc, const std::string& task) { return "task/" + alloc + "/" + task; }
std::string state_key(const std::string& alloc, const std::string& task) { return "state/" + alloc + "/" + task; }

}  // namespace drover::agent
