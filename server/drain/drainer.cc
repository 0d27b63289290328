#include "server/drain/drainer.h"

#include <algorithm>

#include "sdk/base/uuid.h"

namespace drover::drain {
namespace {

constexpr std::size_t ids_per_entry = 7281;
constexpr std::int64_t second = 1'000'000'000;

}  // namespace

Drainer::Drainer(const Executor& executor, Scope& scope, fsm::Writer& writer, fsm::Fsm& fsm, const Clock& clock, Rng& rng, Logger log)
    : scope_(scope), writer_(writer), fsm_(fsm), clock_(clock), rng_(rng), log_(std::move(log)), wake_(executor) {}

void Drainer::start() {
  fsm_.store().tables().nodes.scan([this](const state::NodePtr& node) {
    node_changed(nullptr, node);
    return true;
  });
  scope_.spawn(run());
}

void Drainer::stop() {
  nodes_.clear();
  wake_.reset();
}

void Drainer::node_changed(const state::NodePtr& before, const state::NodePtr& after) {
  if (after && after->drain_strategy) {
    const Deadline wanted = deadline(*after->drain_strategy);
    const auto [at, fresh] = nodes_.try_emplace(after->id);
    Due& due = at->second;
    if (fresh || due.deadline != wanted) due = {wanted, due_at(clock_, wanted.at, std::max<nanoseconds>(nanoseconds(0), after->drain_strategy->deadline))};
    wake_.set();
  } else if (const auto& gone = after ? after : before) {
    nodes_.erase(gone->id);
  }
}

void Drainer::alloc_changed(const state::AllocPtr& before, const state::AllocPtr& after) {
  if (nodes_.empty()) return;
  if (before && after && before->client_status == after->client_status && before->desired_status == after->desired_status &&
      before->deployment_status == after->deployment_status) {
    return;
  }
  wake_.set();
}

std::optional<MonoTime> Drainer::next_deadline() const {
  std::optional<MonoTime> out;
  const auto now = clock_.monotonic();
  for (const auto& [id, due] : nodes_) {
    if (due.deadline.none || due.passed(now)) continue;
    if (!out || due.at < *out) out = due.at;
  }
  return out;
}

void Drainer::tick(MonoTime now) {
  if (std::ranges::any_of(nodes_, [&](const auto& entry) { return entry.second.passed(now); })) wake_.set();
}

Async<> Drainer::run() {
  for (;;) {
    co_await wake_.wait();
    wake_.reset();
    co_await pass();
  }
}

Async<> Drainer::pass() {
  const auto snapshot = fsm_.store().snapshot();
  const MonoTime now = clock_.monotonic();
  std::map<std::string, model::DesiredTransition> marks;
  std::set<std::pair<std::string, std::string>> jobs;
  std::vector<std::pair<state::NodePtr, bool>> done;
  for (const auto& [id, due] : nodes_) {
    const auto node = snapshot->node(id);
    if (!node || !node->drain_strategy) continue;
    const auto on_node = snapshot->allocs_by_node(id);
    const auto left = remaining(*node->drain_strategy, on_node);
    const bool forced = due.passed(now);
    if (forced) {
      for (const auto& alloc : left) {
        if (!alloc->desired_transition.migrate.value_or(false)) marks[alloc->id] = mark(*alloc, true);
      }
    }
    if (node_done(on_node)) {
      // The jobs that stay to the end follow; the drain is over without waiting for them.
      for (const auto& alloc : left) {
        if (!alloc->desired_transition.migrate.value_or(false)) marks[alloc->id] = mark(*alloc, false);
      }
      done.emplace_back(node, forced);
    }
    for (const auto& alloc : left) {
      if (!stays_to_the_end(*alloc)) jobs.emplace(alloc->namespace_, alloc->job_id);
    }
  }
  const auto draining = [&](std::string_view node_id) { return nodes_.contains(node_id); };
  for (const auto& [namespace_, id] : jobs) {
    const auto job = snapshot->job(namespace_, id);
    if (!job || job->stop) continue;
    const auto verdict = drain_job(*job, snapshot->allocs_by_job(namespace_, id, true), draining, snapshot->index());
    for (const auto& alloc : verdict.drain) marks.try_emplace(alloc->id, mark(*alloc, false));
  }
  if (!marks.empty()) co_await mark_allocs(std::move(marks));
  for (const auto& [node, forced] : done) co_await finish(node, forced);
}

Async<> Drainer::mark_allocs(std::map<std::string, model::DesiredTransition> marks) {
  const auto snapshot = fsm_.store().snapshot();
  const UnixNanos now = clock_.unix_nanos();
  auto at = marks.begin();
  while (at != marks.end()) {
    fsm::AllocDesiredTransition message;
    message.now = now;
    std::set<std::pair<std::string, std::string>> jobs;
    for (std::size_t n = 0; n < ids_per_entry && at != marks.end(); ++n, ++at) {
      message.transitions[at->first] = at->second;
      const auto alloc = snapshot->alloc(at->first);
      if (!alloc || !alloc->job || !jobs.emplace(alloc->namespace_, alloc->job_id).second) continue;
      auto eval = std::make_shared<model::Evaluation>();
      eval->id = make_uuid(rng_);
      eval->namespace_ = alloc->namespace_;
      eval->priority = alloc->job->priority;
      eval->type = alloc->job->type;
      eval->triggered_by = "node-drain";
      eval->job_id = alloc->job_id;
      eval->job_modify_index = alloc->job->job_modify_index;
      eval->status = "pending";
      eval->create_time = eval->modify_time = now;
      message.evals.push_back(std::move(eval));
    }
    auto written = co_await writer_.write(std::move(message));
    if (!written) {
      log_.warn("marking allocations to leave their nodes failed", "error", written.error());
      co_return;
    }
  }
}

Async<> Drainer::finish(state::NodePtr node, bool forced) {
  const UnixNanos now = clock_.unix_nanos();
  fsm::NodeDrain message;
  message.node_id = node->id;
  message.status = "complete";
  message.updated_at = now / second;
  model::NodeEvent event;
  event.message = "Node drain complete";
  event.subsystem = "Drain";
  event.timestamp = model::Time(now);
  if (forced) event.details["deadline_reached"] = "true";
  message.event = std::move(event);
  log_.info("node drain complete", "node_id", node->id, "deadline_reached", forced);
  auto written = co_await writer_.write(std::move(message));
  if (!written) log_.warn("ending a node's drain failed", "node_id", node->id, "error", written.error());
}

}  // namespace drover::drain
