#include <algorithm>

#include "server/state/txn.h"

namespace drover::state {
namespace {

// The children counter a status belongs to.
std::int64_t* counter(model::JobChildrenSummary& children, std::string_view status) {
  if (status == "pending") return &children.pending;
  if (status == "running") return &children.running;
  if (status == "dead") return &children.dead;
  return nullptr;
}

bool parent_only(const model::Job& job) { return (job.periodic && job.periodic->enabled) || (job.parameterized_job && !job.dispatched); }

}  // namespace

bool same_specification(const model::Job& a, const model::Job& b) {
  model::Job copy = b;
  copy.status = a.status;
  copy.status_description = a.status_description;
  copy.stable = a.stable;
  copy.version = a.version;
  copy.submit_time = a.submit_time;
  copy.create_index = a.create_index;
  copy.modify_index = a.modify_index;
  copy.job_modify_index = a.job_modify_index;
  copy.nomad_token_id = a.nomad_token_id;
  copy.version_tag = a.version_tag;
  copy.dispatch_idempotency_token = a.dispatch_idempotency_token;
  return copy == a;
}

void Txn::want_status(std::string_view namespace_, std::string_view id, bool eval_deleted) {
  bool& flag = statuses_wanted_[{std::string(namespace_), std::string(id)}];
  flag = flag || eval_deleted;
}

void Txn::store_job(JobPtr job) {
  const JobPtr* found = t_.jobs.find({job->namespace_, job->id});
  const JobPtr before = found != nullptr ? *found : nullptr;
  t_.jobs.put(job);
  record(Table::jobs, before ? Object(before) : Object(), std::move(job));
}

void Txn::store_version(const JobPtr& job, std::size_t tracked_versions) {
  const JobPtr* found = t_.versions.find({job->namespace_, job->id, job->version});
  const JobPtr before = found != nullptr ? *found : nullptr;
  t_.versions.put(job);
  record(Table::job_version, before ? Object(before) : Object(), job);
  std::vector<JobPtr> all;  // newest first
  t_.versions.scan_back({job->namespace_, job->id, job->version}, [&](const JobPtr& version) {
    if (version->namespace_ != job->namespace_ || version->id != job->id) return false;
    all.push_back(version);
    return true;
  });
  std::vector<JobPtr> untagged;
  for (const auto& version : all) {
    if (!version->version_tag) untagged.push_back(version);
  }
  if (tracked_versions == 0 || untagged.size() <= tracked_versions) return;
  // The newest stable version outlives the limit: something must be left to go back to.
  const auto stable = std::find_if(untagged.begin(), untagged.end(), [](const JobPtr& version) { return version->stable; });
  JobPtr victim = untagged.back();
  if (stable != untagged.end() && *stable == victim) victim = untagged[untagged.size() - 2];
  t_.versions.erase({victim->namespace_, victim->id, victim->version});
  if (const SubmissionPtr* submission = t_.submissions.find({victim->namespace_, victim->id, victim->version})) {
    SubmissionPtr gone = *submission;
    t_.submissions.erase({victim->namespace_, victim->id, victim->version});
    record(Table::job_submission, std::move(gone), {});
  }
  record(Table::job_version, std::move(victim), {});
}

void Txn::put_job(model::Job job, const model::JobSubmission* submission, std::size_t tracked_versions) {
  const JobPtr* found = t_.jobs.find({job.namespace_, job.id});
  const JobPtr before = found != nullptr ? *found : nullptr;
  bool new_version = true;
  if (before) {
    job.create_index = before->create_index;
    job.modify_index = index_;
    new_version = !same_specification(*before, job);
    if (new_version) {
      job.version = before->version + 1;
      job.job_modify_index = index_;
      job.stable = false;
      job.version_tag.reset();
    } else {
      job.version = before->version;
      job.job_modify_index = before->job_modify_index;
      job.stable = before->stable;
      job.version_tag = before->version_tag;
      job.submit_time = before->submit_time;
    }
    job.status = before->status;
    job.status_description = before->status_description;
  } else {
    job.create_index = job.modify_index = job.job_modify_index = index_;
    job.version = 0;
    job.status = "pending";
  }
  // Registering an unchanged job is seen by nobody who watches jobs: nothing is written.
  if (before && !new_version) {
    want_status(job.namespace_, job.id);
    return;
  }
  // After the comparison: a policy that comes without the id it was given counts as another one, as users know it.
  adopt_scaling(job);
  const JobPtr stored = std::make_shared<const model::Job>(std::move(job));
  store_job(stored);
  store_version(stored, tracked_versions);
  store_scaling(stored->namespace_, stored->id, stored.get());
  if (submission != nullptr && new_version) {
    auto text = std::make_shared<model::JobSubmission>(*submission);
    text->namespace_ = stored->namespace_;
    text->job_id = stored->id;
    text->version = stored->version;
    text->job_modify_index = index_;
    SubmissionPtr kept = std::move(text);
    t_.submissions.put(kept);
    record(Table::job_submission, {}, std::move(kept));
  }

  const SummaryPtr* old_summary = t_.summaries.find({stored->namespace_, stored->id});
  model::JobSummary summary;
  if (old_summary != nullptr) {
    summary = **old_summary;
  } else {
    summary.job_id = stored->id;
    summary.namespace_ = stored->namespace_;
    summary.children = model::JobChildrenSummary{};
    summary.create_index = index_;
  }
  bool changed = old_summary == nullptr;
  for (const auto& group : stored->task_groups) changed = summary.summary.try_emplace(group.name).second || changed;
  if (changed) store_summary(std::move(summary));
  note_launch(*stored);
  // A new child counts in its parent's summary from its birth.
  if (!before && !stored->parent_id.empty()) count_child(*stored, {}, stored->status);
  want_status(stored->namespace_, stored->id);
}

void Txn::stop_job(std::string_view namespace_, std::string_view id, std::int64_t submit_time) {
  const JobPtr* found = t_.jobs.find({namespace_, id});
  if (found == nullptr) return;
  model::Job job = **found;
  const bool was_stopped = job.stop;
  job.stop = true;
  job.modify_index = index_;
  if (!was_stopped) {
    job.version += 1;
    job.job_modify_index = index_;
    job.stable = false;
    job.version_tag.reset();
    job.submit_time = submit_time;
  }
  const JobPtr stored = std::make_shared<const model::Job>(std::move(job));
  store_job(stored);
  if (!was_stopped) store_version(stored, 0);
  note_launch(*stored);
  want_status(namespace_, id);
}

void Txn::purge_job(std::string_view namespace_, std::string_view id) {
  const JobPtr* found = t_.jobs.find({namespace_, id});
  if (found == nullptr) return;
  const JobPtr job = *found;
  if (!job->parent_id.empty()) {
    const SummaryPtr* parent = t_.summaries.find({job->namespace_, job->parent_id});
    if (parent != nullptr && (*parent)->children) {
      // A dead child stays counted; one that vanishes alive counts as dead.
      if (job->status != "dead") count_child(*job, job->status, "dead");
    }
  }
  t_.jobs.erase({namespace_, id});
  std::vector<JobPtr> versions;
  t_.versions.scan({job->namespace_, job->id, 0}, [&](const JobPtr& version) {
    if (version->namespace_ != job->namespace_ || version->id != job->id) return false;
    versions.push_back(version);
    return true;
  });
  for (const auto& version : versions) {
    t_.versions.erase({version->namespace_, version->id, version->version});
    record(Table::job_version, version, {});
  }
  std::vector<SubmissionPtr> submissions;
  t_.submissions.scan({job->namespace_, job->id, 0}, [&](const SubmissionPtr& submission) {
    if (submission->namespace_ != job->namespace_ || submission->job_id != job->id) return false;
    submissions.push_back(submission);
    return true;
  });
  for (const auto& submission : submissions) {
    t_.submissions.erase({submission->namespace_, submission->job_id, submission->version});
    record(Table::job_submission, submission, {});
  }
  if (const SummaryPtr* summary = t_.summaries.find({job->namespace_, job->id})) {
    SummaryPtr gone = *summary;
    t_.summaries.erase({job->namespace_, job->id});
    record(Table::job_summary, std::move(gone), {});
  }
  store_scaling(job->namespace_, job->id, nullptr);
  if (const ScalingEventsPtr* events = t_.scaling_events.find({job->namespace_, job->id})) {
    ScalingEventsPtr gone = *events;
    t_.scaling_events.erase({job->namespace_, job->id});
    record(Table::scaling_event, std::move(gone), {});
  }
  store_launch(job->namespace_, job->id, std::nullopt);
  statuses_wanted_.erase({job->namespace_, job->id});
  record(Table::jobs, job, {});
}

void Txn::store_summary(model::JobSummary summary) {
  const SummaryPtr* found = t_.summaries.find({summary.namespace_, summary.job_id});
  const SummaryPtr before = found != nullptr ? *found : nullptr;
  summary.modify_index = index_;
  auto stored = std::make_shared<const model::JobSummary>(std::move(summary));
  t_.summaries.put(stored);
  record(Table::job_summary, before ? Object(before) : Object(), std::move(stored));
}

void Txn::count_child(const model::Job& job, const std::string& old_status, const std::string& new_status) {
  const SummaryPtr* found = t_.summaries.find({job.namespace_, job.parent_id});
  if (found == nullptr) return;
  model::JobSummary summary = **found;
  model::JobChildrenSummary& children = summary.children.ensure();
  if (std::int64_t* from = counter(children, old_status); from != nullptr && *from > 0) --*from;
  if (std::int64_t* to = counter(children, new_status)) ++*to;
  store_summary(std::move(summary));
}

void Txn::count_queued(const model::Evaluation& eval) {
  if (eval.queued_allocations.empty()) return;
  const SummaryPtr* found = t_.summaries.find({eval.namespace_, eval.job_id});
  if (found == nullptr) return;
  model::JobSummary summary = **found;
  bool changed = false;
  for (const auto& [group, count] : eval.queued_allocations) {
    model::TaskGroupSummary* counters = summary.summary.get(group);
    if (counters == nullptr || counters->queued == count) continue;
    counters->queued = count;
    changed = true;
  }
  if (changed) store_summary(std::move(summary));
}

std::string Txn::derive_status(const model::Job& job, bool eval_deleted) const {
  if (job.type == "system" || parent_only(job)) return job.stop ? "dead" : "running";
  bool live = false;
  t_.deployments_job.scan({job.namespace_, job.id, {}}, [&](const DeploymentPtr& deployment) {
    if (deployment->namespace_ != job.namespace_ || deployment->job_id != job.id) return false;
    live = deployment->job_create_index == job.create_index && active(*deployment);
    return !live;
  });
  if (live) return "running";
  t_.allocs_job.scan({job.namespace_, job.id, {}}, [&](const AllocPtr& alloc) {
    if (alloc->namespace_ != job.namespace_ || alloc->job_id != job.id) return false;
    live = (!alloc->job || alloc->job->create_index == job.create_index) && !terminal(*alloc);
    return !live;
  });
  if (live) return "running";
  bool any_eval = false;
  bool waiting = false;
  t_.evals_job.scan({job.namespace_, job.id, {}}, [&](const EvalPtr& eval) {
    if (eval->namespace_ != job.namespace_ || eval->job_id != job.id) return false;
    any_eval = true;
    waiting = !terminal(*eval);
    return !waiting;
  });
  if (waiting) return "pending";
  return any_eval || eval_deleted || job.stop ? "dead" : "pending";
}

void Txn::finish() {
  for (const auto& [key, eval_deleted] : std::exchange(statuses_wanted_, {})) {
    const JobPtr* found = t_.jobs.find({key.first, key.second});
    if (found == nullptr) continue;
    const JobPtr before = *found;
    std::string status = derive_status(*before, eval_deleted);
    if (status == before->status) continue;
    model::Job job = *before;
    job.status = std::move(status);
    job.modify_index = index_;
    const JobPtr stored = std::make_shared<const model::Job>(std::move(job));
    store_job(stored);
    if (!stored->parent_id.empty()) count_child(*stored, before->status, stored->status);
  }
}

void Txn::reconcile_summaries() {
  std::vector<SummaryPtr> all;
  t_.summaries.scan([&](const SummaryPtr& summary) { all.push_back(summary); return true; });
  for (const auto& before : all) {
    const JobPtr* job = t_.jobs.find({before->namespace_, before->job_id});
    model::JobSummary summary = *before;
    for (auto& [group, counters] : summary.summary) counters = model::TaskGroupSummary{.queued = counters.queued};
    if (job != nullptr) {
      for (const auto& group : (*job)->task_groups) summary.summary.try_emplace(group.name);
    }
    t_.allocs_job.scan({before->namespace_, before->job_id, {}}, [&](const AllocPtr& alloc) {
      if (alloc->namespace_ != before->namespace_ || alloc->job_id != before->job_id) return false;
      if (job != nullptr && alloc->job && alloc->job->create_index != (*job)->create_index) return true;
      model::TaskGroupSummary& counters = summary.summary[alloc->task_group];
      if (alloc->client_status == "complete") ++counters.complete;
      else if (alloc->client_status == "failed") ++counters.failed;
      else if (alloc->client_status == "lost") ++counters.lost;
      else if (alloc->client_status == "unknown") ++counters.unknown;
      else if (alloc->client_status == "running") ++counters.running;
      else ++counters.starting;
      return true;
    });
    if (!(summary == *before)) store_summary(std::move(summary));
  }
}

}  // namespace drover::state
