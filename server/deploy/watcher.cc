#include "server/deploy/watcher.h"

#include <algorithm>

#include "sdk/base/uuid.h"

namespace drover::deploy {

std::shared_ptr<model::Evaluation> deployment_eval(const model::Deployment& deployment, const model::Job& job, UnixNanos now, Rng& rng) {
  auto eval = std::make_shared<model::Evaluation>();
  eval->id = make_uuid(rng);
  eval->namespace_ = deployment.namespace_;
  eval->priority = deployment.eval_priority > 0 ? deployment.eval_priority : job.priority;
  eval->type = job.type;
  eval->triggered_by = "deployment-watcher";
  eval->job_id = deployment.job_id;
  eval->job_modify_index = job.job_modify_index;
  eval->deployment_id = deployment.id;
  eval->status = "pending";
  eval->create_time = eval->modify_time = now;
  return eval;
}

Watcher::Watcher(const Executor& executor, Scope& scope, fsm::Writer& writer, fsm::Fsm& fsm, const Clock& clock, Rng& rng,
                 std::int64_t tracked_versions, Logger log)
    : scope_(scope), writer_(writer), fsm_(fsm), clock_(clock), rng_(rng), tracked_versions_(tracked_versions), log_(std::move(log)),
      wake_(executor) {}

void Watcher::start() {
  fsm_.store().tables().deployments.scan([this](const state::DeploymentPtr& deployment) {
    if (state::active(*deployment)) want(deployment->id);
    return true;
  });
  scope_.spawn(run());
}

void Watcher::stop() {
  wanted_.clear();
  deadlines_.clear();
  wake_.reset();
}

void Watcher::want(const std::string& id) {
  deadlines_.try_emplace(id);
  wanted_.insert(id);
  wake_.set();
}

void Watcher::deployment_changed(const state::DeploymentPtr& before, const state::DeploymentPtr& after) {
  if (after && state::active(*after)) {
    want(after->id);
  } else if (const auto& gone = after ? after : before) {
    deadlines_.erase(gone->id);
    wanted_.erase(gone->id);
  }
}

void Watcher::alloc_changed(const state::AllocPtr& before, const state::AllocPtr& after) {
  if (!after || after->deployment_id.empty() || !deadlines_.contains(after->deployment_id)) return;
  if (before && before->deployment_status == after->deployment_status && before->client_status == after->client_status) return;
  want(after->deployment_id);
}

std::optional<MonoTime> Watcher::next_deadline() const {
  std::optional<MonoTime> out;
  for (const auto& [id, due] : deadlines_) {
    if (due.armed && (!out || due.at < *out)) out = due.at;
  }
  return out;
}

void Watcher::tick(MonoTime now) {
  for (auto& [id, due] : deadlines_) {
    if (!due.armed || due.at > now) continue;
    due.armed = false;
    wanted_.insert(id);
    wake_.set();
  }
}

bool Watcher::overdue(const model::Deployment& deployment, std::optional<UnixNanos> cutoff) {
  Due& due = deadlines_[deployment.id];
  due.armed = false;
  if (deployment.status != "running" || !cutoff) return false;
  if (due.cutoff != *cutoff) {
    nanoseconds longest{};
    for (const auto& [name, group] : deployment.task_groups) longest = std::max<nanoseconds>(longest, group.progress_deadline);
    due.cutoff = *cutoff;
    due.at = due_at(clock_, *cutoff, longest);
  }
  due.armed = due.at > clock_.monotonic();
  return !due.armed;
}

Async<> Watcher::run() {
  for (;;) {
    co_await wake_.wait();
    wake_.reset();
    while (!wanted_.empty()) {
      std::string id = *wanted_.begin();
      wanted_.erase(wanted_.begin());
      co_await look(std::move(id));
    }
  }
}

Async<> Watcher::look(std::string id) {
  const auto snapshot = fsm_.store().snapshot();
  const auto deployment = snapshot->deployment(id);
  if (!deployment || !state::active(*deployment)) {
    deadlines_.erase(id);
    co_return;
  }
  const JobPtr job = snapshot->job(deployment->namespace_, deployment->job_id);
  // The scheduler ends the deployment of a job that is gone, stopped or changed.
  if (!job || job->stop || job->version != deployment->job_version || job->create_index != deployment->job_create_index) co_return;
  const auto allocs = snapshot->allocs_by_deployment(id);
  const UnixNanos now = clock_.unix_nanos();
  if (overdue(*deployment, progress_cutoff(*deployment, allocs))) {
    // Healthy canaries that wait for a person are not failed by the clock.
    const auto verdict = at_deadline(*deployment, *job);
    if (verdict.fail) {
      co_await fail_deployment(deployment, job, description::deadline, verdict.rollback);
      co_return;
    }
  }
  std::uint64_t latest_eval = 0;
  for (const auto& eval : snapshot->evals_by_job(deployment->namespace_, deployment->job_id)) {
    latest_eval = std::max(latest_eval, eval->create_index);
  }
  Reaction reaction = react(*deployment, *job, allocs, latest_eval, now);
  if (reaction.fail) {
    co_await fail_deployment(deployment, job, description::unhealthy, reaction.rollback);
    co_return;
  }
  if (may_promote(*deployment, allocs)) {
    fsm::DeploymentPromote message;
    message.deployment_id = id;
    message.all = true;
    message.now = now;
    message.eval = evaluation(*deployment, *job);
    auto written = co_await writer_.write(std::move(message));
    if (!written) log_.warn("promoting a deployment failed", "deployment_id", id, "error", written.error());
    co_return;
  }
  if (!reaction.create_eval && reaction.allow_replacements.empty()) co_return;
  fsm::AllocDesiredTransition message;
  for (const auto& alloc : reaction.allow_replacements) message.transitions[alloc].reschedule = true;
  message.evals.push_back(evaluation(*deployment, *job));
  message.now = now;
  auto written = co_await writer_.write(std::move(message));
  if (!written) log_.warn("moving a deployment on failed", "deployment_id", id, "error", written.error());
}

Async<> Watcher::fail_deployment(state::DeploymentPtr deployment, JobPtr job, std::string reason, bool rollback) {
  fsm::DeploymentStatus message;
  if (rollback) {
    auto back = roll_back(fsm_.store().snapshot()->job_versions(job->namespace_, job->id), *job, reason);
    message.job = std::move(back.job);
    message.tracked_versions = tracked_versions_;
    reason = std::move(back.description);
  }
  message.update.deployment_id = deployment->id;
  message.update.status = "failed";
  message.update.status_description = reason;
  message.update.updated_at = clock_.unix_nanos();
  message.eval = evaluation(*deployment, *job);
  log_.info("deployment failed", "deployment_id", deployment->id, "job_id", job->id, "reason", reason);
  auto written = co_await writer_.write(std::move(message));
  if (!written) log_.warn("failing a deployment failed", "deployment_id", deployment->id, "error", written.error());
}

std::shared_ptr<model::Evaluation> Watcher::evaluation(const model::Deployment& deployment, const model::Job& job) {
  return deployment_eval(deployment, job, clock_.unix_nanos(), rng_);
}

}  // namespace drover::deploy
