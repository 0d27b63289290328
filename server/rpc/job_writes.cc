#include <algorithm>

#include "sdk/base/fail_point.h"
#include "sdk/base/uuid.h"
#include "server/rpc/job_check.h"

namespace drover::rpc {
namespace {

void preserve(const model::JobRegisterRequest& request, const model::Job& old_job, model::Job& job) {
  for (auto& group : job.task_groups) {
    const auto old_group = std::ranges::find(old_job.task_groups, group.name, &model::TaskGroup::name);
    if (old_group == old_job.task_groups.end()) continue;
    if (request.preserve_counts) group.count = old_group->count;
    if (!request.preserve_resources) continue;
    for (auto& task : group.tasks) {
      const auto old_task = std::ranges::find(old_group->tasks, task.name, &model::Task::name);
      if (old_task != old_group->tasks.end()) task.resources = old_task->resources;
    }
  }
}

Result<> check_eval_priority(const Context& c, std::int64_t priority) {
  if (priority == 0 || (priority >= 1 && priority <= c.job_max_priority)) return {};
  return fail(Code::invalid_argument, "Eval priority must be between 1 and {} inclusively", c.job_max_priority);
}

Async<Result<model::JobRegisterResponse>> register_job(Context& c, model::JobRegisterRequest request) {
  if (!request.job) co_return fail(Code::internal, "missing job for registration");
  model::Job job = complete_job(c, *request.job, request.namespace_);
  const auto elsewhere = [&](const model::MultiregionRegion& region) { return region.name != c.region; };
  if (job.region != c.region || (job.multiregion && std::ranges::any_of(job.multiregion->regions, elsewhere))) {
    co_return fail(Code::internal, "No path to region");
  }

  const auto snapshot = c.fsm.store().snapshot();
  const state::JobPtr existing = snapshot->job(job.namespace_, job.id);
  if (existing && (request.preserve_counts || request.preserve_resources)) preserve(request, *existing, job);
  JobVerdict verdict = check_job(c, *snapshot, job);
  if (!verdict.errors.empty()) co_return fail(Error(Code::internal, error_list(verdict.errors)));
  DROVER_CO_TRY(check_eval_priority(c, request.eval_priority));
  if (existing) {
    DROVER_CO_TRY(check_update(*existing, job));
  }
  job.submit_time = c.clock.unix_nanos();
  // The log entry carries every id; one that its target has already is kept when the entry is applied.
  for (auto& group : job.task_groups) {
    if (group.scaling && group.scaling->id.empty()) group.scaling->id = make_uuid(c.rng);
  }

  fsm::JobRegister message;
  if (request.submission) {
    if (request.submission->source.size() > c.job_max_source_size) {
      verdict.warnings.push_back(fmt::format("job source size of {} B exceeds maximum of {} B and will be discarded",
                                             request.submission->source.size(), c.job_max_source_size));
    } else {
      message.submission = std::make_shared<const model::JobSubmission>(*request.submission);
    }
  }
  model::JobRegisterResponse reply;
  if (has_evals(job)) {
    auto eval = new_eval(c, job, "job-register");
    if (request.eval_priority > 0) eval->priority = request.eval_priority;
    reply.eval_id = eval->id;
    message.eval = std::move(eval);
  }
  message.enforce_index = request.enforce_index;
  message.job_modify_index = request.job_modify_index;
  message.tracked_versions = c.job_tracked_versions;
  const std::string ns = job.namespace_;
  const std::string id = job.id;
  message.job = std::make_shared<const model::Job>(std::move(job));
  auto index = co_await c.writer.write(std::move(message));
  fail_point("server.job_stored");
  if (!index) co_return fail(index.error());
  reply.index = *index;
  if (!reply.eval_id.empty()) reply.eval_create_index = *index;
  const state::JobPtr stored = c.fsm.store().snapshot()->job(ns, id);
  reply.job_modify_index = stored ? stored->job_modify_index : *index;
  reply.warnings = warning_list(verdict.warnings);
  co_return reply;
}

Async<Result<model::JobDeregisterResponse>> deregister(Context& c, model::JobDeregisterRequest request) {
  if (request.job_id.empty()) co_return fail(Code::internal, "missing job ID for deregistering");
  DROVER_CO_TRY(check_eval_priority(c, request.eval_priority));
  const std::string ns = namespace_or_default(request.namespace_);
  const state::JobPtr job = c.fsm.store().snapshot()->job(ns, request.job_id);
  model::JobDeregisterResponse reply;
  // Stopping what does not exist is no error, and writes nothing.
  if (!job) co_return reply;
  fsm::JobDeregister message;
  message.namespace_ = ns;
  message.job_id = request.job_id;
  message.purge = request.purge;
  message.no_shutdown_delay = request.no_shutdown_delay;
  message.submit_time = c.clock.unix_nanos();
  if (has_evals(*job)) {
    auto eval = new_eval(c, *job, "job-deregister");
    eval->type = "service";  // whatever the job's type is; a visible value
    if (request.eval_priority > 0) eval->priority = request.eval_priority;
    reply.eval_id = eval->id;
    message.eval = std::move(eval);
  }
  auto index = co_await c.writer.write(std::move(message));
  fail_point("server.stop_stored");
  if (!index) co_return fail(index.error());
  reply.index = reply.job_modify_index = reply.eval_create_index = *index;
  co_return reply;
}

Async<Result<model::JobRegisterResponse>> evaluate(Context& c, model::JobEvaluateRequest request) {
  if (request.job_id.empty()) co_return fail(Code::internal, "missing job ID for evaluation");
  const std::string ns = namespace_or_default(request.namespace_);
  const auto snapshot = c.fsm.store().snapshot();
  const state::JobPtr job = snapshot->job(ns, request.job_id);
  if (!job) co_return fail(Code::internal, "job not found");
  if (job->periodic) co_return fail(Code::internal, "can't evaluate periodic job");
  if (job->parameterized_job && !job->dispatched) co_return fail(Code::internal, "can't evaluate parameterized job");
  fsm::AllocDesiredTransition message;
  message.now = c.clock.unix_nanos();
  if (request.eval_options.force_reschedule) {
    for (const auto& alloc : snapshot->allocs_by_job(ns, request.job_id, false)) {
      if (alloc->client_status != "failed" || alloc->desired_status == "stop" || !alloc->next_allocation.empty()) continue;
      message.transitions[alloc->id].force_reschedule = true;
    }
  }
  auto eval = new_eval(c, *job, "job-register");
  model::JobRegisterResponse reply;
  reply.eval_id = eval->id;
  message.evals.push_back(std::move(eval));
  auto index = co_await c.writer.write(std::move(message));
  if (!index) co_return fail(index.error());
  reply.index = reply.eval_create_index = *index;
  reply.job_modify_index = job->job_modify_index;
  co_return reply;
}

Async<Result<model::JobValidateResponse>> validate(Context& c, model::JobValidateRequest request) {
  if (!request.job) co_return fail(Code::internal, "missing job for validation");
  model::Job job = complete_job(c, *request.job, request.namespace_);
  JobVerdict verdict = check_job(c, *c.fsm.store().snapshot(), job);
  model::JobValidateResponse reply;
  reply.driver_config_validated = true;
  for (const auto& error : verdict.errors) reply.validation_errors.push_back(error);
  reply.error = error_list(verdict.errors);
  reply.warnings = warning_list(verdict.warnings);
  co_return reply;
}

}  // namespace

void add_job_writes(Context& c, wire::Registry& registry) {
  namespace e = wire::endpoints;
  registry.add(e::job_register, std::function([&c](model::JobRegisterRequest r) { return register_job(c, std::move(r)); }));
  registry.add(e::job_deregister, std::function([&c](model::JobDeregisterRequest r) { return deregister(c, std::move(r)); }));
  registry.add(e::job_evaluate, std::function([&c](model::JobEvaluateRequest r) { return evaluate(c, std::move(r)); }));
  registry.add(e::job_validate, std::function([&c](model::JobValidateRequest r) { return validate(c, std::move(r)); }));
}

}  // namespace drover::rpc
