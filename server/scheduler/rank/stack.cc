#include "server/scheduler/rank/stack.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "server/scheduler/alloc_state.h"
#include "server/scheduler/rank/place.h"

namespace drover::scheduler {
namespace {

bool has_distinct_hosts(const model::List<model::Constraint>& constraints) {
  return std::ranges::any_of(constraints, [](const model::Constraint& c) {
    return c.operand == "distinct_hosts" && c.rtarget != "false" && c.rtarget != "0" && c.rtarget != "f" && c.rtarget != "F" &&
           c.rtarget != "FALSE" && c.rtarget != "False";
  });
}

double bin_packing(const Offer& offer, bool spread) {
  const auto free = [](std::int64_t used, std::int64_t total) {
    return 1 - static_cast<double>(used) / static_cast<double>(total);
  };
  const double sum = std::pow(10, free(offer.used.cpu, offer.capacity.cpu)) +
                     std::pow(10, free(offer.used.memory_mb, offer.capacity.memory_mb));
  const double score = spread ? sum - 2 : 20 - sum;
  return std::clamp(score, 0.0, 18.0) / 18;
}

struct DistinctProperty {
  PropertySet properties;
  std::uint64_t allowed;
};

void add_distinct(std::vector<DistinctProperty>& into, const model::List<model::Constraint>& constraints, const StateView& view,
                  const model::Job& job, std::string_view group) {
  for (const auto& constraint : constraints) {
    if (constraint.operand != "distinct_property") continue;
    std::uint64_t allowed = 1;
    if (!constraint.rtarget.empty()) allowed = std::strtoull(constraint.rtarget.c_str(), nullptr, 10);
    into.push_back({PropertySet(view, job, group, constraint.ltarget), allowed});
  }
}

}  // namespace

struct Stack::Group {
  Group(const StateView& view, const model::Job& job, const model::TaskGroup& task_group)
      : group(&task_group), checks(task_group), spreads(view, job, task_group) {
    distinct_hosts = has_distinct_hosts(task_group.constraints);
    add_distinct(distinct, job.constraints, view, job, {});
    add_distinct(distinct, task_group.constraints, view, job, task_group.name);
    const auto add_affinities = [&](const model::List<model::Affinity>& list) {
      for (const auto& affinity : list) {
        affinities.emplace_back(ConstraintCheck(affinity), static_cast<double>(affinity.weight));
        affinity_weights += std::abs(static_cast<double>(affinity.weight));
      }
    };
    add_affinities(job.affinities);
    add_affinities(task_group.affinities);
    for (const auto& task : task_group.tasks) add_affinities(task.affinities);
    for (const auto& task : task_group.tasks) {
      for (const auto& constraint : task.constraints) {
        if (constraint.operand == "distinct_property") add_distinct(distinct, {constraint}, view, job, task_group.name);
      }
    }
  }
  const model::TaskGroup* group;
  GroupChecks checks;
  SpreadScorer spreads;
  bool distinct_hosts = false;
  std::vector<DistinctProperty> distinct;
  std::vector<std::pair<ConstraintCheck, double>> affinities;
  double affinity_weights = 0;
};

Stack::Stack(const StateView& view, PlanDraft& draft, Eligibility& eligibility, Rng& rng, bool batch, bool system)
    : view_(view), draft_(draft), eligibility_(eligibility), rng_(rng), batch_(batch), system_(system) {}
Stack::~Stack() = default;

void Stack::set_job(const model::Job& job) {
  job_ = &job;
  job_checks_ = std::make_unique<JobChecks>(job);
  groups_.clear();
  eligibility_.set_job(job);
  const auto config = view_.scheduler_config();
  oversubscribe_ = config.memory_oversubscription_enabled;
  spread_algorithm_ = config.scheduler_algorithm == "spread";
  if (config.node_limit_for_feasibility_checks > 0) node_limit_ = config.node_limit_for_feasibility_checks;
  // The job's pool may have its own rules.
  const auto pool = view_.node_pool(job.node_pool.empty() ? "default" : job.node_pool);
  if (pool != nullptr && pool->scheduler_configuration) {
    const auto& own = *pool->scheduler_configuration;
    if (own.memory_oversubscription_enabled) oversubscribe_ = *own.memory_oversubscription_enabled;
    if (!own.scheduler_algorithm.empty()) spread_algorithm_ = own.scheduler_algorithm == "spread";
  }
}

void Stack::set_nodes(std::vector<NodePtr> nodes) {
  nodes_ = std::move(nodes);
  offset_ = 0;
  seen_ = 0;
  if (system_) return;
  for (std::size_t i = nodes_.size(); i > 1; --i) std::swap(nodes_[i - 1], nodes_[rng_.below(i)]);
}

Stack::Group& Stack::group_state(const model::TaskGroup& group) {
  auto& entry = groups_[&group];
  if (!entry) entry = std::make_unique<Group>(view_, *job_, group);
  return *entry;
}

std::size_t Stack::limit(const Group& group) const {
  if (compare_all_ || system_) return nodes_.size();
  if (!group.affinities.empty() || !group.spreads.empty()) {
    return std::max(static_cast<std::size_t>(std::max<std::int64_t>(group.group->count, 0)), static_cast<std::size_t>(node_limit_));
  }
  if (batch_ || nodes_.size() < 2) return 2;
  return std::max<std::size_t>(2, static_cast<std::size_t>(std::bit_width(nodes_.size() - 1)));  // ceil(log2(n))
}

std::optional<Placement> Stack::select(const model::TaskGroup& group, const SelectOptions& options) {
  auto& state = group_state(group);
  if (options.preferred != nullptr) {
    auto rest = std::exchange(nodes_, {options.preferred});
    const auto offset = std::exchange(offset_, 0);
    auto placement = run(state, options);
    nodes_ = std::move(rest);
    offset_ = offset;
    if (placement) return placement;
  }
  return run(state, options);
}

std::optional<Placement> Stack::run(Group& group, const SelectOptions& options) {
  constexpr std::size_t max_skipped = 3;
  seen_ = 0;
  metrics_ = {};
  std::vector<Placement> skipped;  // scored 0 or less: only when nothing better is found
  std::optional<Placement> best;
  const auto take = [&](Placement candidate) {
    if (!best || candidate.final_score > best->final_score) best = std::move(candidate);
  };
  const auto wanted = limit(group);
  std::size_t compared = 0;
  bool more = true;
  while (compared < wanted && more) {
    auto candidate = next_ranked(group, options);
    while (!compare_all_ && candidate && candidate->final_score <= 0 && skipped.size() < max_skipped) {
      skipped.push_back(std::move(*candidate));
      candidate = next_ranked(group, options);
    }
    if (candidate) {
      take(std::move(*candidate));
      ++compared;
    } else {
      more = false;
    }
  }
  for (auto& candidate : skipped) {
    if (compared++ >= wanted) break;
    take(std::move(candidate));
  }
  last_metrics_ = metrics_.take();
  if (best) best->metrics = last_metrics_;
  return best;
}

NodePtr Stack::next_node() {
  if (seen_ == nodes_.size()) return nullptr;
  if (offset_ >= nodes_.size()) offset_ = 0;
  ++seen_;
  metrics_.evaluated();
  return nodes_[offset_++];
}

NodePtr Stack::next_feasible(Group& group, const SelectOptions& options) {
  using Verdict = Eligibility::Verdict;
  constexpr std::string_view class_ineligible = "computed class ineligible";
  while (auto node = next_node()) {
    const auto& name = group.group->name;
    const auto job = eligibility_.job(node->computed_class);
    if (job == Verdict::ineligible) {
      metrics_.filtered(*node, class_ineligible);
      continue;
    }
    if (job != Verdict::eligible) {
      const auto reason = job_checks_->check(*node);
      if (job == Verdict::unknown) eligibility_.set_job(node->computed_class, reason.empty());
      if (!reason.empty()) {
        metrics_.filtered(*node, reason);
        continue;
      }
    }
    const auto verdict = eligibility_.group(name, node->computed_class);
    if (verdict == Verdict::ineligible) {
      metrics_.filtered(*node, class_ineligible);
      continue;
    }
    if (verdict != Verdict::eligible) {
      const auto reason = group.checks.check(*node);
      if (verdict == Verdict::unknown) eligibility_.set_group(name, node->computed_class, reason.empty());
      if (!reason.empty()) {
        metrics_.filtered(*node, reason);
        continue;
      }
    }
    if (const auto reason = group.checks.check_available(*node, options.alloc_name); !reason.empty()) {
      metrics_.filtered(*node, reason);
      continue;
    }
    if (!passes_distinct(group, node)) continue;
    return node;
  }
  return nullptr;
}

bool Stack::passes_distinct(Group& group, const NodePtr& node) {
  const bool by_job = !system_ && has_distinct_hosts(job_->constraints);
  if (by_job || (!system_ && group.distinct_hosts)) {
    for (const auto& alloc : draft_.proposed(view_, node->id)) {
      if (alloc->job_id != job_->id || alloc->namespace_ != job_->namespace_) continue;
      if (by_job || alloc->task_group == group.group->name) {
        metrics_.filtered(*node, "distinct_hosts");
        return false;
      }
    }
  }
  for (auto& entry : group.distinct) {
    entry.properties.refresh(draft_);
    const auto value = entry.properties.value(*node);
    if (!value) {
      metrics_.filtered(*node, fmt::format("missing property \"{}\"", entry.properties.property()));
      return false;
    }
    const auto used = entry.properties.used(*value);
    if (used >= entry.allowed) {
      metrics_.filtered(*node, fmt::format("distinct_property: {}={} used by {} allocs", entry.properties.property(), *value, used));
      return false;
    }
  }
  return true;
}

std::optional<Placement> Stack::next_ranked(Group& group, const SelectOptions& options) {
  while (const auto node = next_feasible(group, options)) {
    if (auto placement = rank(group, node, options)) return placement;
  }
  return std::nullopt;
}

std::optional<Placement> Stack::rank(Group& group, const NodePtr& node, const SelectOptions& options) {
  const auto proposed = draft_.proposed(view_, node->id);
  std::optional<Preemptor> preemptor;
  if (options.preempt) preemptor.emplace(*job_, draft_);
  auto offer = offer_resources(*group.group, *node, proposed, oversubscribe_, rng_, preemptor ? &*preemptor : nullptr);
  if (!offer) {
    metrics_.exhausted(*node, offer.error().message());
    return std::nullopt;
  }
  Placement placement;
  placement.node = node;
  double sum = 0;
  int appended = 0;
  // A scorer that has nothing to say shows 0, which does not count for the mean.
  const auto score = [&](std::string_view name, double value, bool counts) {
    placement.scores.emplace_back(name, value);
    if (!counts) return;
    sum += value;
    ++appended;
  };
  score("binpack", bin_packing(*offer, spread_algorithm_), true);
  if (offer->device_weights != 0) score("devices", offer->device_matched_weights / offer->device_weights, true);
  if (!system_) {
    const auto same = std::ranges::count_if(proposed, [&](const AllocPtr& alloc) {
      return alloc->job_id == job_->id && alloc->task_group == group.group->name;
    });
    const double collision = same == 0 ? 0 : -static_cast<double>(same + 1) / static_cast<double>(group.group->count);
    score("job-anti-affinity", collision, same > 0);
    const bool penalty = options.penalty_nodes.contains(node->id);
    score("node-reschedule-penalty", penalty ? -1 : 0, penalty);
    double affinity = 0;
    for (const auto& [check, weight] : group.affinities) {
      if (check.matches(*node)) affinity += weight;
    }
    if (group.affinity_weights > 0) affinity /= group.affinity_weights;
    score("node-affinity", affinity, !group.affinities.empty());
    if (!group.spreads.empty()) {
      const double spread = group.spreads.score(*node, draft_);
      if (spread != 0) score("allocation-spread", spread, true);
    }
    if (!offer->evicted.empty()) score("preemption", preemption_score(offer->evicted), true);
  }
  placement.final_score = sum / appended;
  placement.resources = std::move(offer->resources);
  placement.evicted = std::move(offer->evicted);
  metrics_.scored(node->id, placement.scores, placement.final_score);
  return placement;
}

}  // namespace drover::scheduler
