#include "server/rpc/alloc_updates.h"

#include <algorithm>

#include "sdk/base/fail_point.h"

namespace drover::rpc {
namespace {

// Clocks that are kept together differ by less.
constexpr std::int64_t tolerated = 1'000'000'000;

bool credible(const model::Time& time, std::int64_t created, std::int64_t now) {
  return time.is_zero() || (time.unix_nanos() >= created - tolerated && time.unix_nanos() <= now + tolerated);
}

// A failed allocation whose policy still has an attempt left.
bool reschedule_eligible(const model::Allocation& alloc, std::int64_t now) {
  if (!alloc.job || state::server_terminal(alloc) || !alloc.next_allocation.empty()) return false;
  const auto group = std::ranges::find(alloc.job->task_groups, alloc.task_group, &model::TaskGroup::name);
  if (group == alloc.job->task_groups.end() || !group->reschedule_policy) return false;
  const model::ReschedulePolicy& policy = *group->reschedule_policy;
  if (policy.unlimited) return true;
  if (policy.attempts == 0) return false;
  if (!alloc.reschedule_tracker) return true;
  const auto recent = std::ranges::count_if(alloc.reschedule_tracker->events, [&](const model::RescheduleEvent& event) {
    return event.reschedule_time > now - policy.interval.count();
  });
  return recent < policy.attempts;
}

std::string_view trigger_of(const state::Snapshot& snapshot, const model::Allocation& stored, const model::Allocation& update, std::int64_t now) {
  const state::JobPtr job = snapshot.job(stored.namespace_, stored.job_id);
  if (!job) return state::terminal(stored) ? "" : "job-deregister";
  if (update.client_status == "failed" && stored.client_status != "failed" && stored.followup_eval_id.empty() &&
      reschedule_eligible(stored, now)) {
    return "alloc-failure";
  }
  if (stored.client_status == "unknown" && update.client_status == "running") return "reconnect";
  // A healthy allocation lets its deployment go on: one entry less than if the watcher asked. What an unhealthy one means
  // is the watcher's to say.
  const auto healthy = [](const model::Allocation& alloc) { return alloc.deployment_status && alloc.deployment_status->healthy.value_or(false); };
  if (!stored.deployment_id.empty() && healthy(update) && !healthy(stored)) return "deployment-watcher";
  return "";
}

}  // namespace

std::shared_ptr<const model::Allocation> in_our_time(std::shared_ptr<const model::Allocation> report, std::int64_t created, std::int64_t now) {
  const bool health = !report->deployment_status || credible(report->deployment_status->timestamp, created, now);
  const bool ends = std::ranges::all_of(report->task_states, [&](const auto& entry) { return credible(entry.second.finished_at, created, now); });
  if (health && ends) return report;
  auto out = std::make_shared<model::Allocation>(*report);
  if (!health) out->deployment_status->timestamp = model::Time(now);
  for (auto& [name, state] : out->task_states) {
    if (!credible(state.finished_at, created, now)) state.finished_at = model::Time(now);
  }
  return out;
}

fsm::EvalList update_evals(Context& c, const state::Snapshot& snapshot, const fsm::AllocList& updates) {
  fsm::EvalList out;
  const std::int64_t now = c.clock.unix_nanos();
  for (const auto& update : updates) {
    const state::AllocPtr stored = snapshot.alloc(update->id);
    if (!stored || !stored->job) continue;
    const std::string_view trigger = trigger_of(snapshot, *stored, *update, now);
    if (trigger.empty()) continue;
    const bool there = std::ranges::any_of(out, [&](const auto& eval) {
      return eval->namespace_ == stored->namespace_ && eval->job_id == stored->job_id;
    });
    if (!there) out.push_back(new_eval(c, *stored->job, trigger));
  }
  return out;
}

Async<Result<std::uint64_t>> AllocUpdates::write(fsm::AllocList allocs, fsm::EvalList evals) {
  if (!next_) next_ = std::make_shared<Batch>(c_.executor);
  const std::shared_ptr<Batch> batch = next_;
  for (auto& alloc : allocs) batch->message.allocs.push_back(std::move(alloc));
  for (auto& eval : evals) {
    const bool there = std::ranges::any_of(batch->message.evals, [&](const auto& other) {
      return other->namespace_ == eval->namespace_ && other->job_id == eval->job_id;
    });
    if (!there) batch->message.evals.push_back(std::move(eval));
  }
  if (!writing_) {
    writing_ = true;
    c_.scope.spawn(run());
  }
  co_await batch->done.wait();
  co_return batch->index;
}

Async<> AllocUpdates::run() {
  while (next_) {
    const std::shared_ptr<Batch> batch = std::exchange(next_, nullptr);
    batch->message.now = c_.clock.unix_nanos();
    auto index = co_await c_.writer.write(std::move(batch->message));
    fail_point("server.update_stored");
    batch->index = std::move(index);
    batch->done.set();
  }
  writing_ = false;
}

}  // namespace drover::rpc
