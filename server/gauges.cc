#include "server/gauges.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>
#include <tuple>

namespace drover {
namespace {

constexpr std::chrono::milliseconds longest_step{2};
constexpr std::size_t between_looks = 16;  // summaries, at the clock

struct Lacking {
  std::int64_t cpu = 0;     // MHz
  std::int64_t memory = 0;  // MiB
};

double whole(auto value) { return static_cast<double>(value); }

// Classes and datacenters in which a group found no room.
void add_lacking(const model::Evaluation& eval, std::map<std::tuple<std::string, std::string, std::string>, Lacking>& by_class, Lacking& of_job) {
  for (const auto& [group, metric] : eval.failed_tg_allocs) {
    Lacking lacking;
    for (const auto& [task, resources] : metric.resources_exhausted) {
      lacking.cpu += resources.cpu;
      lacking.memory += resources.memory_mb;
    }
    of_job.cpu += lacking.cpu;
    of_job.memory += lacking.memory;
    std::set<std::string> classes;
    for (const auto& [name, count] : metric.class_exhausted) classes.insert(name);
    if (classes.empty()) classes.emplace();
    for (const auto& [datacenter, count] : metric.nodes_available) {
      for (const std::string& node_class : classes) {
        Lacking& sum = by_class[{datacenter, node_class, metric.node_pool}];
        sum.cpu += lacking.cpu;
        sum.memory += lacking.memory;
      }
    }
  }
}

void publish_log(const metrics::Meter& meter, const std::map<std::string, std::string>& log) {
  const auto publish = [&](const char* counted, const char* gauge) {
    const auto at = log.find(counted);
    if (at == log.end()) return;
    meter.gauge(gauge, std::strtod(at->second.c_str(), nullptr));
  };
  publish("applied_index", "raft.appliedIndex");
  publish("last_log_index", "raft.lastIndex");
  publish("last_snapshot_index", "nomad.state.snapshotIndex");
  publish("num_peers", "raft.peers");
}

}  // namespace

void publish_blocked(const metrics::Meter& meter, const std::vector<state::EvalPtr>& blocked) {
  std::map<std::tuple<std::string, std::string, std::string>, Lacking> by_class;
  std::map<std::pair<std::string, std::string>, Lacking> by_job;
  for (const auto& eval : blocked) add_lacking(*eval, by_class, by_job[{eval->namespace_, eval->job_id}]);
  for (const auto& [job, lacking] : by_job) {
    const metrics::Labels labels{{"namespace", job.first}, {"job", job.second}};
    meter.gauge("nomad.blocked_evals.job.cpu", whole(lacking.cpu), labels);
    meter.gauge("nomad.blocked_evals.job.memory", whole(lacking.memory), labels);
  }
  for (const auto& [where, lacking] : by_class) {
    const metrics::Labels labels{{"datacenter", std::get<0>(where)}, {"node_class", std::get<1>(where)}, {"node_pool", std::get<2>(where)}};
    meter.gauge("nomad.blocked_evals.cpu", whole(lacking.cpu), labels);
    meter.gauge("nomad.blocked_evals.memory", whole(lacking.memory), labels);
  }
}

metrics::Labels summary_labels(const model::JobSummary& summary, const std::string& group) {
  metrics::Labels out{{"job", summary.job_id}, {"task_group", group}, {"namespace", summary.namespace_}};
  for (const auto& [mark, label] : {std::pair{"/dispatch-", "dispatch_id"}, std::pair{"/periodic-", "periodic_id"}}) {
    const auto at = summary.job_id.find(mark);
    if (at == std::string::npos) continue;
    out.emplace_back("parent_id", summary.job_id.substr(0, at));
    out.emplace_back(label, summary.job_id.substr(at + std::string_view(mark).size()));
  }
  return out;
}

void ServerGauges::publish(const state::Tables& tables, const Leader& leader, const std::map<std::string, std::string>& log) {
  publish_log(meter_, log);
  if (!leader.established()) return;
  publish_evals(leader);
  publish_jobs(tables);
}

void ServerGauges::publish_evals(const Leader& leader) {
  const broker::EvalBroker::Stats evals = leader.eval_broker().stats();
  meter_.gauge("nomad.broker.total_ready", whole(evals.ready));
  meter_.gauge("nomad.broker.total_unacked", whole(evals.unacked));
  meter_.gauge("nomad.broker.total_pending", whole(evals.pending));
  meter_.gauge("nomad.broker.total_waiting", whole(evals.waiting));
  meter_.gauge("nomad.broker.total_cancelable", whole(evals.cancelable));
  for (const auto& [type, count] : evals.by_type) {
    meter_.gauge("nomad.broker." + type + ".ready", whole(count.ready));
    meter_.gauge("nomad.broker." + type + ".unacked", whole(count.unacked));
  }
  const broker::BlockedEvals::Stats blocked = leader.blocked_evals().stats();
  meter_.gauge("nomad.blocked_evals.total_blocked", whole(blocked.blocked));
  meter_.gauge("nomad.blocked_evals.total_escaped", whole(blocked.escaped));
  meter_.gauge("nomad.blocked_evals.total_quota_limit", whole(blocked.quota_limited));
  publish_blocked(meter_, leader.blocked_evals().all());
  meter_.gauge("nomad.plan.queue_depth", whole(leader.plan_queue_depth()));
  meter_.gauge("nomad.heartbeat.active", whole(leader.heartbeat_timers()));
}

void ServerGauges::publish_jobs(const state::Tables& tables) {
  const auto now = clock_.monotonic();
  const std::uint64_t index = std::max(tables.index_of(state::Table::jobs), tables.index_of(state::Table::job_summary));
  const bool all = now - all_at_ >= options_.repeat;
  if (walk_ || (!all && (index == jobs_index_ || now - jobs_at_ < options_.repeat / 2))) return;
  published_ = all ? 0 : jobs_index_;
  jobs_index_ = index;
  jobs_at_ = now;
  if (all) all_at_ = now;
  std::map<std::string, std::size_t> by_status{{"pending", 0}, {"running", 0}, {"dead", 0}};
  tables.jobs.scan([&](const state::JobPtr& job) {
    ++by_status[job->status];
    return true;
  });
  for (const auto& [status, count] : by_status) meter_.gauge("nomad.job_status." + status, whole(count));
  walk_ = tables;
  walked_ = {};
  (void)publish_more();
}

bool ServerGauges::publish_more() {
  if (!walk_) return false;
  const auto end = clock_.monotonic() + longest_step;
  std::size_t count = 0;
  bool all = true;
  walk_->summaries.scan({walked_.first, walked_.second}, [&](const state::SummaryPtr& summary) {
    if (summary->namespace_ == walked_.first && summary->job_id == walked_.second) return true;
    if (summary->modify_index > published_) publish_summary(*summary);
    if (++count % between_looks != 0 || clock_.monotonic() < end) return true;
    walked_ = {summary->namespace_, summary->job_id};
    all = false;
    return false;
  });
  if (all) walk_.reset();
  return !all;
}

void ServerGauges::publish_summary(const model::JobSummary& summary) {
  if (!options_.dispatched_jobs && summary.job_id.find("/dispatch-") != std::string::npos) return;
  for (const auto& [group, counts] : summary.summary) {
    const metrics::Labels labels = summary_labels(summary, group);
    const auto publish = [&](const char* name, std::int64_t value) { meter_.gauge(name, whole(value), labels); };
    publish("nomad.job_summary.queued", counts.queued);
    publish("nomad.job_summary.complete", counts.complete);
    publish("nomad.job_summary.failed", counts.failed);
    publish("nomad.job_summary.running", counts.running);
    publish("nomad.job_summary.starting", counts.starting);
    publish("nomad.job_summary.lost", counts.lost);
    publish("nomad.job_summary.unknown", counts.unknown);
  }
}

}  // namespace drover
