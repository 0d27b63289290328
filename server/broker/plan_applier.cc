#include "server/broker/plan_applier.h"

#include <algorithm>

#include "sdk/base/fail_point.h"
#include "sdk/base/uuid.h"

namespace drover::broker {

PlanApplier::PlanApplier(const Executor& executor, Scope& scope, fsm::Writer& writer, fsm::Fsm& fsm, EvalBroker& broker,
                         const Clock& clock, FitCheck fits, Logger log, metrics::Meter meter, std::size_t pipeline)
    : executor_(executor), scope_(scope), writer_(writer), fsm_(fsm), broker_(broker), clock_(clock), fits_(std::move(fits)),
      log_(std::move(log)), meter_(meter), pipeline_(pipeline), changed_(executor) {}

Async<Result<model::PlanResult>> PlanApplier::submit(std::shared_ptr<const model::Plan> plan) {
  if (!broker_.outstanding(plan->eval_id, plan->eval_token)) {
    co_return fail(Code::conflict, "plan of evaluation {}: evaluation token does not match", plan->eval_id);
  }
  const auto start = clock_.monotonic();
  broker_.pause_timer(plan->eval_id, plan->eval_token);
  auto pending = std::make_shared<Pending>(plan, executor_);
  queue_[plan->priority].push_back(pending);
  ++depth_;
  changed_.notify_all();
  co_await pending->done.wait();
  broker_.resume_timer(plan->eval_id, plan->eval_token);
  meter_.since("nomad.plan.submit", start);
  co_return std::move(pending->result);
}

PlanApplier::PendingPtr PlanApplier::pop() {
  if (queue_.empty()) return nullptr;
  const auto first = queue_.begin();
  PendingPtr out = std::move(first->second.front());
  first->second.pop_front();
  if (first->second.empty()) queue_.erase(first);
  --depth_;
  return out;
}

void PlanApplier::flush() {
  while (PendingPtr pending = pop()) finish(*pending, fail(Code::no_leader, "No cluster leader"));
  ++generation_;
  uncommitted_.clear();
  use_.clear();
}

void PlanApplier::finish(Pending& pending, Result<model::PlanResult> result) {
  pending.result = std::move(result);
  pending.done.set();
}

Async<> PlanApplier::run() {
  for (;;) {
    if (queue_.empty() || uncommitted_.size() >= pipeline_) {
      co_await changed_.wait();
      continue;
    }
    const PendingPtr pending = pop();
    const model::Plan& plan = *pending->plan;
    // The evaluation may have been given to another worker while the plan was queued.
    if (!broker_.outstanding(plan.eval_id, plan.eval_token)) {
      finish(*pending, fail(Code::conflict, "plan of evaluation {}: evaluation token does not match", plan.eval_id));
      continue;
    }
    const auto snapshot = fsm_.store().snapshot();
    const auto start = clock_.monotonic();
    use_.sync(snapshot);
    const auto quick = [&](const model::Node& node, const model::List<state::AllocPtr>& placed) {
      return use_.surely_fit(node, placed, plan.job.get(), uncommitted_);
    };
    PlanCheck checked = check_plan(plan, *snapshot, [this](std::string_view node) { return live_on(node); }, fits_, quick);
    meter_.since("nomad.plan.evaluate", start);
    for (const auto& rejection : checked.rejected) {
      meter_.count("nomad.plan.node_rejected", 1, {{"node_id", rejection.node_id}});
      log_.debug("plan for node rejected", "node_id", rejection.node_id, "reason", rejection.reason, "eval_id", plan.eval_id);
    }
    if (is_noop(checked.result)) {
      finish(*pending, std::move(checked.result));
      continue;
    }
    const std::int64_t now = clock_.unix_nanos();
    fsm::PlanResult entry = plan_entry(plan, checked.result, preemption_evals(checked.result, now), now, *snapshot);
    uncommitted_.push_back(std::move(checked.result));
    scope_.spawn(commit(pending, std::move(entry), std::prev(uncommitted_.end())));
  }
}

Async<> PlanApplier::commit(PendingPtr pending, fsm::PlanResult entry, std::list<model::PlanResult>::iterator overlay) {
  const std::uint64_t generation = generation_;
  const auto start = clock_.monotonic();
  meter_.sample("nomad.plan.outstanding_apply", static_cast<double>(uncommitted_.size()));
  auto index = co_await writer_.write(std::move(entry));
  fail_point("server.plan_stored");
  meter_.since("nomad.plan.raft_dispatch", start);
  meter_.since("nomad.plan.apply", start);
  if (generation != generation_) {
    finish(*pending, fail(Code::no_leader, "No cluster leader"));
    co_return;
  }
  model::PlanResult result = std::move(*overlay);
  uncommitted_.erase(overlay);
  changed_.notify_all();
  if (!index) {
    finish(*pending, fail(index.error(), "committing the plan of evaluation {}", pending->plan->eval_id));
    co_return;
  }
  result.alloc_index = *index;
  // A plan that was committed in part is tried again against a state that has this part.
  if (result.refresh_index != 0) result.refresh_index = std::max(result.refresh_index, *index);
  finish(*pending, std::move(result));
}

std::vector<state::AllocPtr> PlanApplier::live_on(std::string_view node_id) const {
  std::vector<state::AllocPtr> live = fsm_.store().snapshot()->live_allocs_by_node(node_id);
  for (const auto& result : uncommitted_) {
    const auto* placed = result.node_allocation.get(node_id);
    if (placed == nullptr) continue;
    for (const auto& alloc : *placed) {
      std::erase_if(live, [&](const state::AllocPtr& there) { return there->id == alloc->id; });
      live.push_back(alloc);
    }
  }
  return live;
}

fsm::EvalList PlanApplier::preemption_evals(const model::PlanResult& result, std::int64_t now) const {
  fsm::EvalList out;
  std::set<std::pair<std::string, std::string>> jobs;
  const auto snapshot = fsm_.store().snapshot();
  for (const auto& [node, allocs] : result.node_preemptions) {
    for (const auto& preempted : allocs) {
      const state::AllocPtr alloc = snapshot->alloc(preempted->id);
      if (!alloc || !alloc->job || !jobs.emplace(alloc->namespace_, alloc->job_id).second) continue;
      auto eval = std::make_shared<model::Evaluation>();
      eval->id = make_uuid();
      eval->namespace_ = alloc->namespace_;
      eval->priority = alloc->job->priority;
      eval->type = alloc->job->type;
      eval->triggered_by = "preemption";
      eval->job_id = alloc->job_id;
      eval->status = "pending";
      eval->create_time = eval->modify_time = now;
      out.push_back(std::move(eval));
    }
  }
  return out;
}

}  // namespace drover::broker
