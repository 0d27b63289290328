#include "server/scheduler/rank/stack.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "server/scheduler/alloc_state.h"
#include "server/scheduler/rank/place.h"

namespace drover::scheduler {
namespace {

constexpr std::string_view class_ineligible = "computed class ineligible";

double bin_packing(const Quantities& used, const Quantities& capacity, bool spread) {
  const auto free = [](std::int64_t part, std::int64_t total) { return 1 - static_cast<double>(part) / static_cast<double>(total); };
  const double sum = std::pow(10, free(used.cpu, capacity.cpu)) + std::pow(10, free(used.memory_mb, capacity.memory_mb));
  const double score = spread ? sum - 2 : 20 - sum;
  return std::clamp(score, 0.0, 18.0) / 18;
}

std::string_view exceeded(const Quantities& capacity, const Quantities& used) {
  if (capacity.cpu < used.cpu) return "cpu";
  if (capacity.memory_mb < used.memory_mb) return "memory";
  return capacity.disk_mb < used.disk_mb ? "disk" : std::string_view();
}

Quantities quantities(const Usage& usage) { return {usage.cpu, usage.memory_mb, usage.disk_mb}; }
Quantities quantities(const Capacity& capacity) { return {capacity.cpu, capacity.memory_mb, capacity.disk_mb}; }

}  // namespace

// One way round the field.
struct Stack::Selection {
  GroupRules& rules;
  Field& field;
  const SelectOptions& options;
  std::size_t start;      // position of the first node to visit
  std::size_t at;         // the next candidate
  std::size_t end;        // one past the last that is known of this lap
  bool second_lap = false;  // from the ring's beginning to `start`
  std::vector<std::uint32_t> exhausted = {};  // by kind
  std::vector<std::uint32_t> preempting = {};  // candidates that were worked out with evictions
};

Stack::Stack(const StateView& view, NodeTable& table, PlanDraft& draft, Eligibility& eligibility, Rng& rng, bool batch, bool system)
    : view_(view), table_(table), draft_(draft), eligibility_(eligibility), rng_(rng), batch_(batch), system_(system),
      touched_(table.size()) {}
Stack::~Stack() = default;

void Stack::set_job(const model::Job& job) {
  job_ = &job;
  job_checks_ = std::make_unique<JobChecks>(job);
  job_by_class_.assign(table_.classes(), Verdict::unknown);
  rules_.clear();
  fields_.clear();
  eligibility_.set_job(job);
  distinct_hosts_ = !system_ && has_distinct_hosts(job.constraints);
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

void Stack::set_rows(std::vector<std::uint32_t> rows) {
  fields_.clear();
  ring_ = Ring(std::move(rows), !system_);
}

GroupRules& Stack::rules_of(const model::TaskGroup& group) {
  auto& entry = rules_[&group];
  if (!entry) {
    entry = std::make_unique<GroupRules>(view_, table_, *job_, group, oversubscribe_);
    entry->escaped = eligibility_.group_escaped(group.name);
  }
  return *entry;
}

Field& Stack::field_of(const model::TaskGroup& group) {
  auto& entry = fields_[&group];
  if (!entry) entry = std::make_unique<Field>(ring_, table_.size());
  return *entry;
}

std::size_t Stack::limit(const GroupRules& rules, std::size_t nodes) const {
  if (compare_all_ || system_) return nodes;
  if (!rules.affinities.empty() || !rules.spreads.empty()) {
    return std::max(static_cast<std::size_t>(std::max<std::int64_t>(rules.group->count, 0)), static_cast<std::size_t>(node_limit_));
  }
  if (batch_ || nodes < 2) return 2;
  return std::max<std::size_t>(2, static_cast<std::size_t>(std::bit_width(nodes - 1)));  // ceil(log2(n))
}

void Stack::take_events() {
  const auto& events = draft_.events();
  for (; events_read_ < events.size(); ++events_read_) {
    const auto& node_id = events[events_read_].alloc->node_id;
    if (!table_.knows(node_id)) continue;
    const auto row = table_.row_of(node_id);
    touched_[row] = true;
    for (const auto& [group, field] : fields_) {
      if (auto* candidate = field->find(row)) candidate->state = Candidate::State::unknown;
    }
  }
}

std::optional<Placement> Stack::select(const model::TaskGroup& group, const SelectOptions& options) {
  take_events();
  auto& rules = rules_of(group);
  if (options.preferred != nullptr && table_.knows(options.preferred->id)) {
    Ring alone({table_.row_of(options.preferred->id)}, false);
    Field field(alone, table_.size());
    if (auto placement = run(rules, field, options)) return placement;
  }
  return run(rules, field_of(group), options);
}

void Stack::explore(GroupRules& rules, Field& field) {
  const auto position = field.explored++;
  const auto place = field.base + position;
  const auto at = place < field.ring->size() ? place : place - field.ring->size();
  const auto number = field.ring->row(at, rng_);
  field.ring->begin = at + 1;
  const auto& row = table_[number];
  const auto& node = *row.node;
  // False when the node is refused. Nodes of one class get one verdict, unless something escapes the classes.
  const auto judge = [&](std::vector<Verdict>& by_class, bool escaped, const auto& check, const auto& remember) {
    const bool alone = escaped || row.node_class == 0;
    auto* verdict = alone ? nullptr : &by_class[row.node_class];
    if (verdict != nullptr && *verdict != Verdict::unknown) {
      if (*verdict == Verdict::ineligible) field.filter(position, node.node_class, class_ineligible);
      return *verdict == Verdict::eligible;
    }
    const auto reason = check(node);
    if (verdict != nullptr) {
      *verdict = reason.empty() ? Verdict::eligible : Verdict::ineligible;
      remember(reason.empty());
    }
    if (reason.empty()) return true;
    if (verdict != nullptr) field.first_of_class.emplace_back(field.filtered.size(), field.kind(node.node_class, class_ineligible));
    field.filter(position, node.node_class, reason);
    return false;
  };
  if (!judge(job_by_class_, eligibility_.job_escaped(), [&](const model::Node& n) { return job_checks_->check(n); },
             [&](bool eligible) { eligibility_.set_job(node.computed_class, eligible); })) {
    return;
  }
  if (!judge(rules.by_class, rules.escaped, [&](const model::Node& n) { return rules.checks.check(n); },
             [&](bool eligible) { eligibility_.set_group(rules.group->name, node.computed_class, eligible); })) {
    return;
  }
  Candidate candidate;
  candidate.row = number;
  candidate.position = static_cast<std::uint32_t>(position);
  for (const auto& [check, weight] : rules.affinities) {
    if (check.matches(node)) candidate.affinity += weight;
  }
  if (rules.affinity_weights > 0) candidate.affinity /= rules.affinity_weights;
  if (!rules.spreads.empty()) rules.spreads.values_of(node, field.values);
  field.add(candidate);
}

Candidate* Stack::next(Selection& s) {
  for (;;) {
    if (s.at < s.end) return &s.field.candidates[s.at++];
    if (s.second_lap) return nullptr;
    if (s.field.explored < s.field.ring->size()) {
      explore(s.rules, s.field);
      s.end = s.field.candidates.size();
      continue;
    }
    s.second_lap = true;
    s.at = 0;
    s.end = s.field.candidate_from(s.start);
  }
}

bool Stack::passes(Selection& s, const model::Node& node) {
  if (s.rules.volumes.asks() && !s.rules.volumes.feasible(node, s.options.alloc_name, draft_.proposed(view_, node.id))) {
    metrics_.filtered(node.node_class, "missing compatible host volumes");
    return false;
  }
  return passes_distinct(s.rules, node);
}

bool Stack::passes_distinct(GroupRules& rules, const model::Node& node) {
  if (distinct_hosts_ || (!system_ && rules.distinct_hosts)) {
    for (const auto& alloc : draft_.proposed(view_, node.id)) {
      if (alloc->job_id != job_->id || alloc->namespace_ != job_->namespace_) continue;
      if (distinct_hosts_ || alloc->task_group == rules.group->name) {
        metrics_.filtered(node.node_class, "distinct_hosts");
        return false;
      }
    }
  }
  for (auto& entry : rules.distinct) {
    const auto value = entry.properties.value(node);
    if (!value) {
      metrics_.filtered(node.node_class, fmt::format("missing property \"{}\"", entry.properties.property()));
      return false;
    }
    const auto used = entry.properties.used(*value);
    if (used >= entry.allowed) {
      metrics_.filtered(node.node_class,
                        fmt::format("distinct_property: {}={} used by {} allocs", entry.properties.property(), *value, used));
      return false;
    }
  }
  return true;
}

void Stack::set_base(const GroupRules& rules, Candidate& c, const Quantities& used, const Quantities& capacity) {
  const auto same = [](const Quantities& a, const Quantities& b) { return a.cpu == b.cpu && a.memory_mb == b.memory_mb; };
  if (!same(packed_.used, used) || !same(packed_.capacity, capacity)) {
    packed_.used = used;
    packed_.capacity = capacity;
    packed_.score = bin_packing(used, capacity, spread_algorithm_);
  }
  c.binpack = packed_.score;
  c.base = c.binpack;
  c.terms = 1;
  if (c.scores_devices) {
    c.base += c.devices;
    ++c.terms;
  }
  if (!system_ && c.same > 0) {
    c.base += -static_cast<double>(c.same + 1) / static_cast<double>(rules.group->count);
    ++c.terms;
  }
  c.state = Candidate::State::fits;
}

void Stack::settle(GroupRules& rules, Field& field, Candidate& c, bool preempt) {
  const auto& row = table_.counted(c.row);
  const auto exhausted = [&](std::string_view dimension) {
    c.state = Candidate::State::exhausted;
    c.dimension = field.kind(row.node->node_class, dimension);
  };
  const bool plain = !preempt && rules.fixed && row.with_cores == 0;
  const auto settle_plain = [&](const Quantities& others, std::size_t allocs, std::size_t same) {
    const Quantities used = {others.cpu + rules.ask.cpu, others.memory_mb + rules.ask.memory_mb, others.disk_mb + rules.ask.disk_mb};
    auto dimension = exceeded(row.capacity, used);
    const auto max = row.node->node_max_allocs;
    if (max > 0 && static_cast<std::int64_t>(allocs) + 1 > max) dimension = "max allocation exceeded";
    if (!dimension.empty()) return exhausted(dimension);
    c.same = static_cast<std::uint32_t>(same);
    set_base(rules, c, used, row.capacity);
  };
  if (plain && !touched_[c.row]) return settle_plain(row.used, static_cast<std::size_t>(row.allocs), rules.stored_on(c.row));
  const auto proposed = draft_.proposed(view_, row.node->id);
  const auto same = static_cast<std::size_t>(std::ranges::count_if(proposed, [&](const AllocPtr& alloc) {
    return alloc->job_id == job_->id && alloc->task_group == rules.group->name;
  }));
  if (plain) {
    Usage sum;
    for (const auto& alloc : proposed) sum.add(alloc_usage(*alloc));
    if (sum.cores.empty()) return settle_plain(quantities(sum), proposed.size(), same);
  }
  std::optional<Preemptor> preemptor;
  if (preempt) preemptor.emplace(*job_, draft_);
  auto offer = offer_resources(*rules.group, *row.node, proposed, oversubscribe_, rng_, preemptor ? &*preemptor : nullptr);
  if (!offer) return exhausted(offer.error().message());
  c.same = static_cast<std::uint32_t>(same);
  c.scores_devices = offer->device_weights != 0;
  if (c.scores_devices) c.devices = offer->device_matched_weights / offer->device_weights;
  c.evicts = !system_ && !offer->evicted.empty();
  if (c.evicts) c.preemption = preemption_score(offer->evicted);
  set_base(rules, c, quantities(offer->used), quantities(offer->capacity));
  if (rules.fixed && !preempt) return;
  // Kept for the case that it is chosen: ports were drawn at random, another draw may fail.
  const auto index = static_cast<std::size_t>(&c - field.candidates.data());
  if (field.offers.size() <= index) field.offers.resize(field.candidates.size());
  field.offers[index] = std::make_shared<const Offer>(*std::move(offer));
}

Scores Stack::scores_of(const Selection& s, const Candidate& c, double spread) const {
  // A scorer that has nothing to say shows 0, which does not count for the mean.
  Scores out;
  out.reserve(7);
  out.emplace_back("binpack", c.binpack);
  if (c.scores_devices) out.emplace_back("devices", c.devices);
  if (system_) return out;
  const double collision = c.same == 0 ? 0 : -static_cast<double>(c.same + 1) / static_cast<double>(s.rules.group->count);
  out.emplace_back("job-anti-affinity", collision);
  out.emplace_back("node-reschedule-penalty", s.options.penalty_nodes.contains(table_[c.row].node->id) ? -1 : 0);
  out.emplace_back("node-affinity", s.rules.affinities.empty() ? 0 : c.affinity);
  if (spread != 0) out.emplace_back("allocation-spread", spread);
  if (c.evicts) out.emplace_back("preemption", c.preemption);
  return out;
}

Placement Stack::placement_of(Selection& s, std::uint32_t chosen, double final_score, double spread) {
  const auto& c = s.field.candidates[chosen];
  Placement out;
  out.node = table_[c.row].node;
  out.final_score = final_score;
  out.scores = scores_of(s, c, spread);
  if (s.rules.fixed && !s.options.preempt) {
    out.resources = *s.rules.fixed;
    return out;
  }
  out.resources = s.field.offers[chosen]->resources;
  out.evicted = s.field.offers[chosen]->evicted;
  return out;
}

std::optional<Placement> Stack::run(GroupRules& rules, Field& field, const SelectOptions& options) {
  constexpr std::size_t max_skipped = 3;
  struct Scored {
    std::uint32_t candidate = 0;
    double spread = 0;
  };
  metrics_ = {};
  rules.spreads.refresh(draft_);
  for (auto& entry : rules.distinct) entry.properties.refresh(draft_);
  const bool changing = rules.volumes.asks() || distinct_hosts_ || (!system_ && rules.distinct_hosts) || !rules.distinct.empty();
  Selection s{rules, field, options, field.offset, field.candidate_from(field.offset), field.candidates.size()};
  Best<Scored> shown;
  std::optional<Best<Scored>::Entry> best;
  const auto take = [&](double score, const Scored& scored) {
    if (!best || score > best->score) best = {score, scored};
  };
  std::vector<Best<Scored>::Entry> skipped;  // scored 0 or less: only when nothing better is found
  const auto wanted = limit(rules, field.ring->size());
  std::size_t compared = 0;
  std::optional<std::size_t> last;  // position of the candidate that was visited last; none: the whole ring was
  const bool penalties = !system_ && !options.penalty_nodes.empty();
  const bool affinities = !system_ && !rules.affinities.empty();
  const auto spread_values = system_ ? 0 : rules.spreads.size();
  // The mean of all that has something to say.
  const auto score = [&](const Candidate& c, Scored& scored) {
    double sum = c.base;
    int terms = c.terms;
    const auto add = [&](double value) {
      sum += value;
      ++terms;
    };
    if (penalties && options.penalty_nodes.contains(table_[c.row].node->id)) add(-1);
    if (affinities) add(c.affinity);
    if (spread_values > 0) {
      scored.spread = rules.spreads.score(&field.values[scored.candidate * spread_values]);
      if (scored.spread != 0) add(scored.spread);
    }
    if (c.evicts) add(c.preemption);
    return sum / terms;
  };
  while (compared < wanted) {
    auto* c = next(s);
    if (c == nullptr) {
      last.reset();
      break;
    }
    last = c->position;
    if (changing && !passes(s, *table_[c->row].node)) continue;
    const auto index = static_cast<std::uint32_t>(c - field.candidates.data());
    if (options.preempt) {
      settle(rules, field, *c, true);
      s.preempting.push_back(index);
    } else if (c->state == Candidate::State::unknown) {
      settle(rules, field, *c, false);
    }
    if (c->state == Candidate::State::exhausted) {
      if (s.exhausted.size() < field.kinds.size()) s.exhausted.resize(field.kinds.size());
      ++s.exhausted[c->dimension];
      continue;
    }
    Scored scored{index};
    const double final_score = score(*c, scored);
    shown.offer(final_score, scored);
    if (!compare_all_ && final_score <= 0 && skipped.size() < max_skipped) {
      skipped.push_back({final_score, scored});
      continue;
    }
    take(final_score, scored);
    ++compared;
  }
  for (const auto& entry : skipped) {
    if (compared++ >= wanted) break;
    take(entry.score, entry.what);
  }
  const auto nodes = field.ring->size();
  const auto visited = !last ? nodes : s.second_lap ? nodes - s.start + *last + 1 : *last + 1 - s.start;
  metrics_.evaluated(visited);
  field.count_filtered(s.start, visited, metrics_);
  field.count_exhausted(s.exhausted, metrics_);
  for (const auto& entry : shown) {
    const auto& c = field.candidates[entry.what.candidate];
    metrics_.scored(table_[c.row].node->id, scores_of(s, c, entry.what.spread), entry.score);
  }
  if (last) field.offset = (*last + 1) % nodes;
  std::optional<Placement> out;
  if (best) {
    out = placement_of(s, best->what.candidate, best->score, best->what.spread);
    out->metrics = metrics_.take();
  } else {
    last_metrics_ = metrics_.take();
  }
  for (const auto index : s.preempting) field.candidates[index].state = Candidate::State::unknown;
  return out;
}

}  // namespace drover::scheduler
