// A scheduler that fills every group's count on the first ready node, in one plan.
#pragma once

#include "sdk/base/uuid.h"
#include "server/scheduler/scheduler.h"

namespace drover {

class FakeRun final : public scheduler::EvalRun {
 public:
  FakeRun(model::Evaluation eval, Rng& rng) : eval_(std::move(eval)), rng_(rng) {}
  scheduler::Step begin(scheduler::ViewPtr view, UnixNanos now) override {
    scheduler::Step step;
    const auto job = view->job(eval_.namespace_, eval_.job_id);
    scheduler::NodePtr target;
    view->each_node([&](const scheduler::NodePtr& node) {
      if (node->status == "ready" && node->scheduling_eligibility == "eligible") target = node;
      return target == nullptr;
    });
    model::Plan plan;
    plan.job = job;
    plan.priority = eval_.priority;
    const auto existing = view->allocs_by_job(eval_.namespace_, eval_.job_id, true);
    if (!job || job->stop) {
      for (const auto& alloc : existing) {
        if (alloc->desired_status != "run") continue;
        auto stop = std::make_shared<model::Allocation>(*alloc);
        stop->desired_status = "stop";
        stop->desired_description = "alloc not needed due to job update";
        plan.node_update[alloc->node_id].push_back(std::move(stop));
      }
    } else if (target) {
      std::size_t live = 0;
      for (const auto& alloc : existing) live += alloc->desired_status == "run" ? 1 : 0;
      for (const auto& group : job->task_groups) {
        for (auto i = static_cast<std::int64_t>(live); i < group.count; ++i) place(plan, *job, group.name, i, *target, now);
      }
    } else {
      model::Evaluation blocked = eval_;
      blocked.id = make_uuid(rng_);
      blocked.status = "blocked";
      blocked.triggered_by = "queued-allocs";
      blocked.previous_eval = eval_.id;
      blocked.escaped_computed_class = true;
      step.create_evals.push_back(blocked);
      eval_.blocked_eval = blocked.id;
      for (const auto& group : job->task_groups) eval_.failed_tg_allocs[group.name].nodes_evaluated = 0;
    }
    if (plan.node_update.empty() && plan.node_allocation.empty()) {
      step.update = done();
      return step;
    }
    step.plan = std::move(plan);
    return step;
  }
  scheduler::Step resume(const model::PlanResult&, scheduler::ViewPtr, UnixNanos) override {
    scheduler::Step step;
    step.update = done();
    return step;
  }

 private:
  void place(model::Plan& plan, const model::Job& job, const std::string& group, std::int64_t i, const model::Node& node, UnixNanos now) {
    auto alloc = std::make_shared<model::Allocation>();
    alloc->id = make_uuid(rng_);
    alloc->namespace_ = job.namespace_;
    alloc->eval_id = eval_.id;
    alloc->name = job.id + "." + group + "[" + std::to_string(i) + "]";
    alloc->node_id = node.id;
    alloc->job_id = job.id;
    alloc->task_group = group;
    alloc->desired_status = "run";
    alloc->client_status = "pending";
    alloc->create_time = now;
    plan.node_allocation[node.id].push_back(std::move(alloc));
  }
  model::Evaluation done() {
    eval_.status = "complete";
    return eval_;
  }
  model::Evaluation eval_;
  Rng& rng_;
};

inline std::unique_ptr<scheduler::EvalRun> fake_run(model::Evaluation eval, Rng& rng, scheduler::NodeTable*) { return std::make_unique<FakeRun>(std::move(eval), rng); }

}  // namespace drover
