// `job plan`: what would happen if a job were registered now. The scheduler runs on the state as it is with the new job in it, and
// what it wants to write is answered instead of written.
#include "lib/diff/diff.h"
#include "server/periodic/children.h"
#include "server/rpc/job_check.h"
#include "server/rpc/stubs.h"
#include "server/state/txn.h"

namespace drover::rpc {
namespace {

// A snapshot in which one job is another.
class PlannedView final : public scheduler::StateView {
 public:
  PlannedView(state::SnapshotPtr snapshot, state::JobPtr job) : s_(std::move(snapshot)), job_(std::move(job)) {}

  std::uint64_t index() const override { return s_->index(); }
  state::NodePtr node(std::string_view id) const override { return s_->node(id); }
  state::JobPtr job(std::string_view ns, std::string_view id) const override { return is_planned(ns, id) ? job_ : s_->job(ns, id); }
  state::JobPtr job_version(std::string_view ns, std::string_view id, std::uint64_t version) const override {
    return is_planned(ns, id) && version == job_->version ? job_ : s_->job_version(ns, id, version);
  }
  std::vector<state::JobPtr> job_versions(std::string_view ns, std::string_view id) const override {
    std::vector<state::JobPtr> out = s_->job_versions(ns, id);
    if (is_planned(ns, id) && (out.empty() || out.front()->version != job_->version)) out.insert(out.begin(), job_);
    return out;
  }
  void each_node(const std::function<bool(const state::NodePtr&)>& visit) const override { s_->each_node(visit); }
  std::size_t node_count() const override { return s_->node_count(); }
  state::AllocPtr alloc(std::string_view id) const override { return s_->alloc(id); }
  std::vector<state::AllocPtr> allocs_by_job(std::string_view ns, std::string_view id, bool all) const override { return s_->allocs_by_job(ns, id, all); }
  std::vector<state::AllocPtr> allocs_by_node(std::string_view id) const override { return s_->allocs_by_node(id); }
  std::vector<state::AllocPtr> live_allocs_by_node(std::string_view id) const override { return s_->live_allocs_by_node(id); }
  state::DeploymentPtr latest_deployment(std::string_view ns, std::string_view id) const override { return s_->latest_deployment(ns, id); }
  std::vector<state::DeploymentPtr> deployments_by_job(std::string_view ns, std::string_view id) const override { return s_->deployments_by_job(ns, id); }
  model::SchedulerConfiguration scheduler_config() const override { return s_->scheduler_config(); }
  state::NodePoolPtr node_pool(std::string_view name) const override { return s_->node_pool(name); }
  state::HostVolumePtr host_volume(std::string_view ns, std::string_view id) const override { return s_->host_volume(ns, id); }
  VolumeClaims volume_claims(std::string_view ns, std::string_view id, std::string_view group) const override { return s_->volume_claims(ns, id, group); }

 private:
  bool is_planned(std::string_view ns, std::string_view id) const { return job_->namespace_ == ns && job_->id == id; }

  state::SnapshotPtr s_;
  state::JobPtr job_;
};

// The job as registering it would store it. One that asks for nothing new stays as it is, so that its plan says so.
state::JobPtr as_stored(const state::JobPtr& existing, const state::Snapshot& snapshot, model::Job job) {
  if (!existing) {
    job.create_index = job.modify_index = job.job_modify_index = snapshot.index() + 1;
    job.version = 0;
    job.status = "pending";
  } else {
    if (state::same_specification(*existing, job)) return existing;
    job.create_index = existing->create_index;
    job.modify_index = job.job_modify_index = existing->job_modify_index + 1;
    job.version = existing->version + 1;
    job.status = existing->status;
    job.status_description = existing->status_description;
  }
  return std::make_shared<const model::Job>(std::move(job));
}

// As if every allocation of the plan had been committed.
model::PlanResult committed(const model::Plan& plan) {
  model::PlanResult out;
  out.node_update = plan.node_update;
  out.node_allocation = plan.node_allocation;
  out.node_preemptions = plan.node_preemptions;
  out.deployment = plan.deployment;
  out.deployment_updates = plan.deployment_updates;
  return out;
}

void annotate_preemptions(const model::Plan& plan, model::PlanAnnotations& annotations) {
  model::Map<std::string> groups;
  for (const auto& [node, allocs] : plan.node_allocation) {
    for (const auto& alloc : allocs) groups[alloc->id] = alloc->task_group;
  }
  for (const auto& [node, allocs] : plan.node_preemptions) {
    for (const auto& alloc : allocs) {
      annotations.preempted_allocs.push_back(alloc_stub(alloc, false, false));
      const auto* group = groups.get(alloc->preempted_by_allocation);
      if (group != nullptr) ++annotations.desired_tg_updates[*group].preemptions;
    }
  }
}

struct DryRun {
  std::optional<model::Plan> plan;
  std::vector<model::Evaluation> created;
  std::optional<model::Evaluation> ended;
};

DryRun dry_run(scheduler::EvalRun& run, scheduler::ViewPtr view, std::int64_t now) {
  DryRun out;
  scheduler::Step step = run.begin(std::move(view), now);
  for (;;) {
    for (auto& eval : step.create_evals) out.created.push_back(std::move(eval));
    if (!step.plan) break;
    if (!out.plan) out.plan = *step.plan;
    step = run.resume(committed(*step.plan), nullptr, now);
  }
  out.ended = std::move(step.update);
  return out;
}

Result<model::Time> next_launch(const model::Job& job, std::int64_t now) {
  if (!job.periodic || !job.periodic->enabled || job.stop || job.dispatched) return model::Time();
  constexpr std::int64_t second = 1'000'000'000;
  auto found = periodic::next_launch(*job.periodic, now / second);
  if (!found) return fail(found.error(), "failed to parse cron expression");
  return *found ? model::Time(**found * second) : model::Time();
}

Async<Result<model::JobPlanResponse>> plan(Context& c, model::JobPlanRequest request) {
  if (!request.job) co_return fail(Code::internal, "Job required for plan");
  model::Job job = complete_job(c, *request.job, request.namespace_);
  if (job.region != c.region) co_return fail(Code::internal, "No path to region");
  const auto snapshot = c.fsm.store().snapshot();
  const JobVerdict verdict = check_job(c, *snapshot, job);
  if (!verdict.errors.empty()) co_return fail(Error(Code::internal, error_list(verdict.errors)));
  const state::JobPtr existing = snapshot->job(job.namespace_, job.id);
  if (existing) {
    DROVER_CO_TRY(check_update(*existing, job));
  }

  const state::JobPtr planned = as_stored(existing, *snapshot, std::move(job));
  auto eval = new_eval(c, *planned, "job-register");
  eval->job_modify_index = existing && planned != existing ? planned->job_modify_index : 0;
  eval->annotate_plan = true;
  const auto run = c.make_run(*eval, c.rng);
  DryRun result = dry_run(*run, std::make_shared<const PlannedView>(snapshot, planned), c.clock.unix_nanos());
  if (!result.plan || !result.ended) co_return fail(Code::internal, "the scheduler made no plan of job \"{}\"", planned->id);

  model::JobPlanResponse reply;
  reply.annotations = result.plan->annotations;
  if (reply.annotations) annotate_preemptions(*result.plan, *reply.annotations);
  reply.failed_tg_allocs = result.ended->failed_tg_allocs;
  reply.created_evals = std::move(result.created);
  if (reply.created_evals.empty()) reply.created_evals.set_nil();
  auto launch = next_launch(*planned, c.clock.unix_nanos());
  if (!launch) co_return fail(launch.error());
  reply.next_periodic_launch = *launch;
  reply.warnings = warning_list(verdict.warnings);
  if (existing) reply.index = reply.job_modify_index = existing->job_modify_index;
  if (request.diff) {
    reply.diff = diff::diff_jobs(existing.get(), planned.get(), true);
    diff::annotate(*reply.diff, reply.annotations.get());
  }
  co_return reply;
}

}  // namespace

void add_job_plan(Context& c, wire::Registry& registry) {
  registry.add(wire::endpoints::job_plan, std::function([&c](model::JobPlanRequest r) { return plan(c, std::move(r)); }));
}

}  // namespace drover::rpc
