#include "server/scheduler/reconcile/reschedule.h"

#include <algorithm>

#include "server/scheduler/alloc_state.h"

namespace drover::scheduler {
namespace {

const model::ReschedulePolicy* policy_of(const model::Allocation& alloc) {
  const auto* group = group_of(alloc);
  return group == nullptr ? nullptr : group->reschedule_policy.get();
}

const model::List<model::RescheduleEvent>& events_of(const model::Allocation& alloc) {
  static const model::List<model::RescheduleEvent> none;
  return alloc.reschedule_tracker ? alloc.reschedule_tracker->events : none;
}

}  // namespace

bool last_reschedule_failed(const model::Allocation& alloc) {
  return alloc.reschedule_tracker && alloc.reschedule_tracker->last_reschedule == "no placement";
}

UnixNanos last_event_time(const model::Allocation& alloc) {
  UnixNanos latest = 0;
  for (const auto& [name, state] : alloc.task_states) latest = std::max(latest, state.finished_at.unix_nanos());
  return latest != 0 ? latest : alloc.modify_time;
}

std::chrono::nanoseconds next_delay(const model::Allocation& alloc) {
  const auto* policy = policy_of(alloc);
  if (policy == nullptr) return {};
  const auto& events = events_of(alloc);
  if (events.empty()) return policy->delay;
  auto delay = policy->delay;
  if (policy->delay_function == "exponential") {
    delay = events.back().delay * 2;
  } else if (policy->delay_function == "fibonacci") {
    if (events.size() >= 2) {
      const auto last = events[events.size() - 1].delay;
      const auto before = events[events.size() - 2].delay;
      // After the cap a new series starts.
      delay = before == policy->max_delay && last == policy->delay ? last : last + before;
    }
  } else {
    return delay;
  }
  if (policy->max_delay.count() > 0 && delay > policy->max_delay) {
    delay = policy->max_delay;
    if (last_event_time(alloc) - events.back().reschedule_time > delay.count()) delay = policy->delay;
  }
  return delay;
}

std::optional<UnixNanos> reschedule_time_after(const model::Allocation& alloc, UnixNanos from) {
  const auto* policy = policy_of(alloc);
  if (policy == nullptr) return std::nullopt;
  const auto delay = next_delay(alloc);
  bool eligible = policy->unlimited;
  if (!eligible && policy->attempts > 0) {
    if (!alloc.reschedule_tracker) {
      eligible = true;
    } else {
      const auto attempted = std::ranges::count_if(events_of(alloc), [&](const model::RescheduleEvent& event) {
        return from - event.reschedule_time < policy->interval.count();
      });
      eligible = attempted < policy->attempts && delay < policy->interval;
    }
  }
  if (!eligible) return std::nullopt;
  return from + delay.count();
}

std::optional<UnixNanos> next_reschedule_time(const model::Allocation& alloc) {
  if (alloc.client_status != "failed") return std::nullopt;
  if (alloc.desired_status == "stop" && !last_reschedule_failed(alloc)) return std::nullopt;
  const auto failed_at = last_event_time(alloc);
  if (failed_at == 0) return std::nullopt;
  return reschedule_time_after(alloc, failed_at);
}

model::RescheduleTracker next_tracker(const model::Allocation& previous, UnixNanos now) {
  constexpr std::size_t kept_when_unlimited = 5;
  model::RescheduleTracker tracker;
  const auto* policy = policy_of(previous);
  const auto& events = events_of(previous);
  if (policy != nullptr && policy->attempts > 0) {
    for (const auto& event : events) {
      if (policy->interval.count() > 0 && now - event.reschedule_time <= policy->interval.count()) tracker.events.push_back(event);
    }
  } else {
    const auto skip = events.size() > kept_when_unlimited ? events.size() - kept_when_unlimited : 0;
    tracker.events.insert(tracker.events.end(), events.begin() + static_cast<std::ptrdiff_t>(skip), events.end());
  }
  tracker.events.push_back({.reschedule_time = now, .prev_alloc_id = previous.id, .prev_node_id = previous.node_id, .delay = next_delay(previous)});
  tracker.last_reschedule = "ok";
  return tracker;
}

}  // namespace drover::scheduler
