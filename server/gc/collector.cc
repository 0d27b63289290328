#include "server/gc/collector.h"

#include <algorithm>
#include <limits>
#include <set>
#include <string_view>

namespace drover::gc {
namespace {

constexpr std::size_t ids_per_entry = 7281;
constexpr std::size_t jobs_per_entry = 2048;

bool over(const state::JobPtr& job) { return !job || job->stop || job->status == "dead"; }

// The policy would still have something to do with a failed allocation.
bool may_be_rescheduled(const model::Job& job, const model::Allocation& alloc, std::int64_t now) {
  if (!alloc.next_allocation.empty()) return false;
  const auto group = std::ranges::find(job.task_groups, alloc.task_group, &model::TaskGroup::name);
  if (group == job.task_groups.end() || !group->reschedule_policy) return false;
  const model::ReschedulePolicy& policy = *group->reschedule_policy;
  if (!policy.unlimited && policy.attempts == 0) return false;
  if (policy.unlimited) return true;
  if (!alloc.reschedule_tracker || alloc.reschedule_tracker->events.empty()) return true;
  const std::int64_t last = alloc.reschedule_tracker->events.back().reschedule_time;
  return now - last < policy.interval.count();
}

template <class Message, class T, class Fill>
Async<Result<std::uint64_t>> in_batches(fsm::Writer& writer, std::vector<T> all, std::size_t limit, Fill fill) {
  std::uint64_t last = 0;
  for (std::size_t at = 0; at < all.size(); at += limit) {
    Message message;
    for (std::size_t i = at; i < std::min(all.size(), at + limit); ++i) fill(message, all[i]);
    auto index = co_await writer.write(std::move(message));
    if (!index) co_return index;
    last = *index;
  }
  co_return last;
}

}  // namespace

bool collectable(const state::Snapshot& snapshot, const model::Allocation& alloc, std::int64_t cutoff, std::int64_t now) {
  if (!state::terminal(alloc) || alloc.modify_time > cutoff) return false;
  // Its client still has to report the end.
  if (alloc.client_status == "running") return false;
  const state::JobPtr job = snapshot.job(alloc.namespace_, alloc.job_id);
  if (over(job) || alloc.desired_status == "stop" || alloc.client_status != "failed") return true;
  return !may_be_rescheduled(*job, alloc, now);
}

EvalVerdict judge_eval(const state::Snapshot& snapshot, const model::Evaluation& eval, std::int64_t cutoff, std::int64_t now,
                       bool allow_batch) {
  EvalVerdict out;
  if (!state::terminal(eval) || eval.modify_time > cutoff) return out;
  const state::JobPtr job = snapshot.job(eval.namespace_, eval.job_id);
  const auto allocs = snapshot.allocs_by_eval(eval.id);
  const bool whole = eval.type != "batch" || !job || (job->status == "dead" && (job->stop || allow_batch));
  for (const auto& alloc : allocs) {
    const bool over_now = state::terminal(*alloc) && alloc->client_status != "running" && alloc->modify_time <= cutoff;
    const bool goes = whole ? collectable(snapshot, *alloc, cutoff, now) : over_now && alloc->create_index < job->job_modify_index;
    if (goes) out.allocs.push_back(alloc->id);
  }
  out.eval = out.allocs.size() == allocs.size();
  return out;
}

namespace {

// The cut-off of one kind of object. All of time lies before it when ages do not count.
class Cutoff {
 public:
  Cutoff(const Past& past, bool force) : past_(past), force_(force) {}
  std::int64_t operator()(std::chrono::nanoseconds threshold) const {
    return force_ ? std::numeric_limits<std::int64_t>::max() : past_.stamp_before(threshold);
  }

 private:
  const Past& past_;
  bool force_;
};

bool job_is_garbage(const state::Snapshot& snapshot, const state::JobPtr& job, const std::vector<state::EvalPtr>& evals,
                    const std::vector<state::AllocPtr>& allocs, std::int64_t cutoff, std::int64_t now) {
  const auto over_and_old = [&](const state::EvalPtr& eval) { return state::terminal(*eval) && eval->modify_time <= cutoff; };
  if (!std::ranges::all_of(evals, over_and_old)) return false;
  if (!std::ranges::all_of(allocs, [&](const auto& alloc) { return collectable(snapshot, *alloc, cutoff, now); })) return false;
  const auto versions = snapshot.job_versions(job->namespace_, job->id);
  return std::ranges::none_of(versions, [](const auto& version) { return static_cast<bool>(version->version_tag); });
}

// A job that goes takes all its evaluations and allocations along.
void find_jobs(Garbage& out, const state::Snapshot& snapshot, std::int64_t cutoff, std::int64_t now) {
  snapshot.tables().jobs.scan([&](const state::JobPtr& job) {
    if (job->status != "dead" || job->submit_time > cutoff) return true;
    const bool parent = job->periodic || (job->parameterized_job && !job->dispatched);
    if (parent && !job->stop) return true;
    const auto evals = snapshot.evals_by_job(job->namespace_, job->id);
    const auto allocs = snapshot.allocs_by_job(job->namespace_, job->id, true);
    if (!job_is_garbage(snapshot, job, evals, allocs, cutoff, now)) return true;
    out.jobs.emplace_back(job->namespace_, job->id);
    for (const auto& eval : evals) out.evals.push_back(eval->id);
    for (const auto& alloc : allocs) out.allocs.push_back(alloc->id);
    return true;
  });
}

bool has_live(const std::vector<state::AllocPtr>& allocs) {
  return std::ranges::any_of(allocs, [](const auto& alloc) { return !state::terminal(*alloc); });
}

}  // namespace

Garbage find_garbage(const state::Snapshot& snapshot, const GcOptions& options, const Past& past, Round round) {
  Garbage out;
  const std::int64_t now = past.now();
  const Cutoff cutoff(past, round.force);
  const state::Tables& t = snapshot.tables();
  if (round.jobs) find_jobs(out, snapshot, cutoff(options.job_threshold), now);
  if (round.evals) {
    const std::set<std::pair<std::string_view, std::string_view>> gone(out.jobs.begin(), out.jobs.end());
    t.evals.scan([&](const state::EvalPtr& eval) {
      if (!gone.empty() && gone.contains({eval->namespace_, eval->job_id})) return true;
      const auto limit = cutoff(eval->type == "batch" ? options.batch_eval_threshold : options.eval_threshold);
      auto verdict = judge_eval(snapshot, *eval, limit, now, false);
      if (verdict.eval) out.evals.push_back(eval->id);
      std::ranges::move(verdict.allocs, std::back_inserter(out.allocs));
      return true;
    });
  }
  if (round.deployments) {
    t.deployments.scan([&](const state::DeploymentPtr& deployment) {
      if (state::active(*deployment) || deployment->modify_time > cutoff(options.deployment_threshold)) return true;
      if (!has_live(snapshot.allocs_by_deployment(deployment->id))) out.deployments.push_back(deployment->id);
      return true;
    });
  }
  if (round.nodes) {
    t.nodes.scan([&](const state::NodePtr& node) {
      // The time of a node's status is kept in seconds.
      if (node->status != "down" || node->status_updated_at > cutoff(options.node_threshold) / 1'000'000'000) return true;
      if (!has_live(snapshot.allocs_by_node(node->id))) out.nodes.push_back(node->id);
      return true;
    });
  }
  return out;
}

Async<Result<std::uint64_t>> collect(fsm::Writer& writer, fsm::Fsm& fsm, Pool& pool, GcOptions options, Past past, Round round) {
  auto find = [snapshot = fsm.store().snapshot(), options, past = std::move(past), round] { return find_garbage(*snapshot, options, past, round); };
  Garbage garbage = co_await run_blocking(pool, std::move(find));
  std::uint64_t last = 0;
  const auto keep = [&](const Result<std::uint64_t>& index) { if (index) last = std::max(last, *index); };

  // Jobs before their evaluations: a purged job has no status to derive.
  auto jobs = co_await in_batches<fsm::JobBatchDeregister>(writer, std::move(garbage.jobs), jobs_per_entry,
                                                           [](auto& m, auto& job) { m.jobs.push_back({job.first, job.second}); });
  if (!jobs) co_return jobs;
  keep(jobs);
  auto evals = co_await in_batches<fsm::EvalDelete>(writer, std::move(garbage.evals), ids_per_entry,
                                                    [](auto& m, auto& id) { m.evals.push_back(std::move(id)); });
  if (!evals) co_return evals;
  keep(evals);
  auto allocs = co_await in_batches<fsm::EvalDelete>(writer, std::move(garbage.allocs), ids_per_entry,
                                                     [](auto& m, auto& id) { m.allocs.push_back(std::move(id)); });
  if (!allocs) co_return allocs;
  keep(allocs);
  auto deployments = co_await in_batches<fsm::DeploymentDelete>(writer, std::move(garbage.deployments), ids_per_entry,
                                                                [](auto& m, auto& id) { m.deployments.push_back(std::move(id)); });
  if (!deployments) co_return deployments;
  keep(deployments);
  auto nodes = co_await in_batches<fsm::NodeDeregister>(writer, std::move(garbage.nodes), ids_per_entry,
                                                        [](auto& m, auto& id) { m.node_ids.push_back(std::move(id)); });
  if (!nodes) co_return nodes;
  keep(nodes);
  co_return last;
}

}  // namespace drover::gc
