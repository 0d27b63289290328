#include "server/scheduler/alloc_state.h"

#include <algorithm>
#include <charconv>

namespace drover::scheduler {

bool client_terminal(const model::Allocation& alloc) {
  return alloc.client_status == "complete" || alloc.client_status == "failed" || alloc.client_status == "lost";
}

bool server_terminal(const model::Allocation& alloc) {
  return alloc.desired_status == "stop" || alloc.desired_status == "evict";
}

bool terminal(const model::Allocation& alloc) { return server_terminal(alloc) || client_terminal(alloc); }

bool ran_successfully(const model::Allocation& alloc) {
  if (alloc.task_states.empty()) return false;
  return std::ranges::all_of(alloc.task_states, [](const auto& entry) {
    return entry.second.state == "dead" && !entry.second.failed;
  });
}

bool is_canary(const model::Allocation& alloc) { return alloc.deployment_status && alloc.deployment_status->canary; }

bool is_healthy(const model::Allocation& alloc) {
  return alloc.deployment_status && alloc.deployment_status->healthy.value_or(false);
}

bool is_unhealthy(const model::Allocation& alloc) {
  return alloc.deployment_status && alloc.deployment_status->healthy && !*alloc.deployment_status->healthy;
}

std::int64_t name_index(std::string_view name) {
  const auto open = name.rfind('[');
  if (open == std::string_view::npos || !name.ends_with(']')) return -1;
  std::int64_t index = -1;
  const auto digits = name.substr(open + 1, name.size() - open - 2);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
  return error == std::errc{} && end == digits.data() + digits.size() ? index : -1;
}

std::string alloc_name(std::string_view job_id, std::string_view group, std::int64_t index) {
  return fmt::format("{}.{}[{}]", job_id, group, index);
}

const model::TaskGroup* find_group(const model::Job* job, std::string_view name) {
  if (job == nullptr) return nullptr;
  const auto at = std::ranges::find(job->task_groups, name, &model::TaskGroup::name);
  return at == job->task_groups.end() ? nullptr : &*at;
}

const model::TaskGroup* group_of(const model::Allocation& alloc) { return find_group(alloc.job.get(), alloc.task_group); }

DisconnectRules disconnect_rules(const model::TaskGroup& group) {
  DisconnectRules rules;
  if (group.disconnect) {
    rules.lost_after = group.disconnect->lost_after;
    rules.stop_on_client_after = group.disconnect->stop_on_client_after;
    rules.replace = group.disconnect->replace.value_or(true);
    if (!group.disconnect->reconcile.empty()) rules.reconcile = group.disconnect->reconcile;
    return rules;
  }
  if (group.max_client_disconnect) rules.lost_after = *group.max_client_disconnect;
  rules.stop_on_client_after = group.stop_after_client_disconnect;
  return rules;
}

UnixNanos last_unknown(const model::Allocation& alloc) {
  UnixNanos latest = 0;
  for (const auto& state : alloc.alloc_states) {
    if (state.field == 0 && state.value == "unknown") latest = std::max(latest, state.time.unix_nanos());
  }
  return latest;
}

bool needs_to_reconnect(const model::Allocation& alloc) {
  // The last recorded server view is "unknown" while the client reports something else again.
  for (auto at = alloc.alloc_states.rbegin(); at != alloc.alloc_states.rend(); ++at) {
    if (at->field == 0) return at->value == "unknown" && alloc.client_status != "unknown";
  }
  return false;
}

bool expired(const model::Allocation& alloc, UnixNanos now) {
  if (alloc.client_status != "unknown") return false;
  const auto since = last_unknown(alloc);
  if (since == 0) return false;
  const auto* group = group_of(alloc);
  if (group == nullptr) return false;
  const auto rules = disconnect_rules(*group);
  if (rules.lost_after.count() == 0 && rules.replace) return false;
  return now >= since + rules.lost_after.count();
}

void append_client_status(model::Allocation& alloc, std::string_view status, UnixNanos now) {
  alloc.alloc_states.push_back({.field = 0, .value = std::string(status), .time = model::Time(now)});
}

}  // namespace drover::scheduler
