#include "server/broker/eval_broker.h"

#include <algorithm>

#include "sdk/base/uuid.h"

namespace drover::broker {

bool EvalBroker::ReadyOrder::operator()(const EvalPtr& a, const EvalPtr& b) const {
  if (a->job_id != b->job_id && a->priority != b->priority) return a->priority > b->priority;
  if (a->create_index != b->create_index) return a->create_index < b->create_index;
  return a->id < b->id;
}

bool EvalBroker::PendingOrder::operator()(const EvalPtr& a, const EvalPtr& b) const {
  if (a->priority != b->priority) return a->priority > b->priority;
  if (a->modify_index != b->modify_index) return a->modify_index > b->modify_index;
  return a->id < b->id;
}

void EvalBroker::set_enabled(bool enabled) {
  enabled_ = enabled;
  if (enabled) return;
  known_.clear();
  deliveries_.clear();
  ready_.clear();
  in_flight_.clear();
  pending_.clear();
  unacked_.clear();
  again_.clear();
  waiting_.clear();
  cancelable_.clear();
}

void EvalBroker::enqueue(EvalPtr eval, bool again) {
  if (!enabled_) return;
  if (known_.contains(eval->id)) {
    if (again && unacked_.contains(eval->id)) again_[eval->id] = std::move(eval);
    return;
  }
  known_.insert(eval->id);
  const MonoTime now = clock_.monotonic();
  if (eval->wait.count() > 0) {
    wait_until(now + eval->wait, eval, false);
  } else if (!eval->wait_until.is_zero() && eval->wait_until.unix_nanos() > clock_.unix_nanos()) {
    wait_until(now + std::chrono::nanoseconds(eval->wait_until.unix_nanos() - clock_.unix_nanos()), eval, false);
  } else {
    admit(eval);
  }
}

void EvalBroker::wait_until(MonoTime due, const EvalPtr& eval, bool admitted) { waiting_.emplace(due, Waiting{eval, admitted}); }

void EvalBroker::admit(const EvalPtr& eval) {
  // Core evaluations have made-up jobs that never collide.
  if (!eval->job_id.empty()) {
    const JobKey key = job_of(*eval);
    const auto [at, free] = in_flight_.try_emplace(key, eval->id);
    if (!free && at->second != eval->id) {
      pending_[key].insert(eval);
      return;
    }
  }
  make_ready(eval, eval->type);
}

void EvalBroker::make_ready(const EvalPtr& eval, std::string_view queue) {
  ready_[std::string(queue)].insert(eval);
  if (on_ready_) on_ready_();
}

std::optional<Delivery> EvalBroker::dequeue(const std::vector<std::string>& types) {
  std::vector<std::string_view> best;  // types whose heads are equally urgent
  std::int64_t priority = 0;
  for (const auto& type : types) {
    const auto queue = ready_.find(type);
    if (queue == ready_.end() || queue->second.empty()) continue;
    const std::int64_t head = (*queue->second.begin())->priority;
    if (!best.empty() && head < priority) continue;
    if (!best.empty() && head > priority) best.clear();
    priority = head;
    best.emplace_back(queue->first);
  }
  if (best.empty()) return std::nullopt;
  const std::string queue(best.size() == 1 ? best.front() : best[rng_.below(best.size())]);
  auto& heads = ready_[queue];
  EvalPtr eval = *heads.begin();
  heads.erase(heads.begin());
  ++deliveries_[eval->id];
  Delivery out{eval, make_uuid(rng_)};
  unacked_[eval->id] = Unacked{eval, out.token, queue, clock_.monotonic() + options_.nack_timeout};
  return out;
}

Result<EvalBroker::Unacked> EvalBroker::take_unacked(std::string_view eval_id, std::string_view token) {
  const auto found = unacked_.find(eval_id);
  if (found == unacked_.end()) return fail(Code::not_found, "evaluation ID not found");
  if (found->second.token != token) return fail(Code::conflict, "token does not match for evaluation ID");
  Unacked held = std::move(found->second);
  unacked_.erase(found);
  return held;
}

Result<> EvalBroker::ack(std::string_view eval_id, std::string_view token) {
  auto held = take_unacked(eval_id, token);
  if (!held) return fail(held.error());
  const EvalPtr eval = held->eval;
  known_.erase(eval->id);
  deliveries_.erase(eval->id);
  if (!eval->job_id.empty()) {
    const JobKey key = job_of(*eval);
    in_flight_.erase(key);
    if (const auto waiting = pending_.find(key); waiting != pending_.end()) {
      const EvalPtr next = *waiting->second.begin();
      for (auto at = std::next(waiting->second.begin()); at != waiting->second.end(); ++at) {
        known_.erase((*at)->id);
        cancelable_.push_back(*at);
      }
      pending_.erase(waiting);
      admit(next);
      if (!cancelable_.empty() && on_ready_) on_ready_();
    }
  }
  if (const auto more = again_.find(eval->id); more != again_.end()) {
    EvalPtr next = std::move(more->second);
    again_.erase(more);
    enqueue(std::move(next));
  }
  return {};
}

Result<> EvalBroker::nack(std::string_view eval_id, std::string_view token) {
  auto held = take_unacked(eval_id, token);
  if (!held) return fail(held.error());
  give_back(std::move(*held));
  return {};
}

void EvalBroker::give_back(Unacked held) {
  again_.erase(held.eval->id);
  const int deliveries = deliveries_[held.eval->id];
  if (deliveries >= options_.delivery_limit) {
    make_ready(held.eval, failed_queue);
    return;
  }
  const auto delay = deliveries <= 1 ? options_.initial_nack_delay : options_.later_nack_delay * (deliveries - 1);
  wait_until(clock_.monotonic() + delay, held.eval, true);
}

bool EvalBroker::outstanding(std::string_view eval_id, std::string_view token) const {
  const auto found = unacked_.find(eval_id);
  return found != unacked_.end() && found->second.token == token;
}

void EvalBroker::pause_timer(std::string_view eval_id, std::string_view token) {
  if (outstanding(eval_id, token)) unacked_.find(eval_id)->second.deadline.reset();
}

void EvalBroker::resume_timer(std::string_view eval_id, std::string_view token) {
  if (outstanding(eval_id, token)) unacked_.find(eval_id)->second.deadline = clock_.monotonic() + options_.nack_timeout;
}

std::optional<MonoTime> EvalBroker::next_deadline() const {
  std::optional<MonoTime> next;
  if (!waiting_.empty()) next = waiting_.begin()->first;
  for (const auto& [id, held] : unacked_) {
    if (held.deadline && (!next || *held.deadline < *next)) next = held.deadline;
  }
  return next;
}

void EvalBroker::tick() {
  const MonoTime now = clock_.monotonic();
  while (!waiting_.empty() && waiting_.begin()->first <= now) {
    const Waiting due = std::move(waiting_.begin()->second);
    waiting_.erase(waiting_.begin());
    if (due.admitted) make_ready(due.eval, due.eval->type);
    else admit(due.eval);
  }
  std::vector<std::pair<std::string, std::string>> late;
  for (const auto& [id, held] : unacked_) {
    if (held.deadline && *held.deadline <= now) late.emplace_back(id, held.token);
  }
  for (const auto& [id, token] : late) (void)nack(id, token);
}

std::vector<EvalPtr> EvalBroker::take_cancelable(std::size_t limit) {
  const auto count = static_cast<std::ptrdiff_t>(std::min(limit, cancelable_.size()));
  std::vector<EvalPtr> out(cancelable_.begin(), cancelable_.begin() + count);
  cancelable_.erase(cancelable_.begin(), cancelable_.begin() + count);
  return out;
}

EvalBroker::Stats EvalBroker::stats() const {
  Stats out;
  for (const auto& [type, evals] : ready_) {
    out.ready += evals.size();
    out.by_type[type].ready = evals.size();
  }
  for (const auto& [id, held] : unacked_) ++out.by_type[held.queue].unacked;
  out.unacked = unacked_.size();
  for (const auto& [job, evals] : pending_) out.pending += evals.size();
  out.waiting = waiting_.size();
  out.cancelable = cancelable_.size();
  return out;
}

}  // namespace drover::broker
