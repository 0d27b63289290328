#include "server/broker/blocked_evals.h"

#include <algorithm>

namespace drover::broker {
namespace {
constexpr std::chrono::minutes unblock_memory{15};

bool per_node(const model::Evaluation& eval) { return !eval.node_id.empty() && (eval.type == "system" || eval.type == "sysbatch"); }
}  // namespace

void BlockedEvals::set_enabled(bool enabled) {
  enabled_ = enabled;
  if (enabled) return;
  evals_.clear();
  by_job_.clear();
  unblocks_.clear();
  duplicates_.clear();
}

bool BlockedEvals::missed(const model::Evaluation& eval) const {
  for (const auto& [computed_class, unblock] : unblocks_) {
    if (unblock.index <= eval.snapshot_index) continue;
    if (eval.escaped_computed_class) return true;
    const bool* eligible = eval.class_eligibility.get(computed_class);
    // A class it never saw may be what it waits for.
    if (eligible == nullptr || *eligible) return true;
  }
  return false;
}

void BlockedEvals::block(const EvalPtr& eval) {
  if (!enabled_) return;
  if (!per_node(*eval)) {
    const JobKey key{eval->namespace_, eval->job_id};
    if (const auto other = by_job_.find(key); other != by_job_.end() && other->second != eval->id) {
      const EvalPtr existing = evals_.at(other->second);
      const auto age = [](const model::Evaluation& e) { return std::max(e.create_index, e.snapshot_index); };
      if (age(*eval) < age(*existing)) {
        duplicates_.push_back(eval);
        return;
      }
      duplicates_.push_back(existing);
      remove(*existing);
    }
    by_job_[key] = eval->id;
  }
  evals_[eval->id] = eval;
  if (missed(*eval)) release({eval});
}

void BlockedEvals::remove(const model::Evaluation& eval) {
  const std::string id = eval.id;
  const auto job = by_job_.find({eval.namespace_, eval.job_id});
  if (job != by_job_.end() && job->second == id) by_job_.erase(job);
  evals_.erase(id);
}

void BlockedEvals::release(const std::vector<EvalPtr>& evals) {
  for (const auto& eval : evals) {
    remove(*eval);
    release_(eval);
  }
}

void BlockedEvals::unblock(const std::string& computed_class, std::uint64_t index) {
  if (!enabled_) return;
  unblocks_[computed_class] = {index, clock_.monotonic()};
  std::vector<EvalPtr> out;
  for (const auto& [id, eval] : evals_) {
    const bool* eligible = eval->class_eligibility.get(computed_class);
    if (eval->escaped_computed_class || eligible == nullptr || *eligible) out.push_back(eval);
  }
  release(out);
}

void BlockedEvals::unblock_node(const std::string& node_id) {
  std::vector<EvalPtr> out;
  for (const auto& [id, eval] : evals_) {
    if (eval->node_id == node_id) out.push_back(eval);
  }
  release(out);
}

void BlockedEvals::unblock_failed() {
  std::vector<EvalPtr> out;
  for (const auto& [id, eval] : evals_) {
    if (eval->triggered_by == "max-plan-attempts") out.push_back(eval);
  }
  release(out);
}

void BlockedEvals::untrack(const std::string& namespace_, const std::string& job_id) {
  std::erase_if(evals_, [&](const auto& entry) { return entry.second->namespace_ == namespace_ && entry.second->job_id == job_id; });
  by_job_.erase({namespace_, job_id});
}

void BlockedEvals::prune() {
  const auto now = clock_.monotonic();
  std::erase_if(unblocks_, [&](const auto& entry) { return now - entry.second.at > unblock_memory; });
}

BlockedEvals::Stats BlockedEvals::stats() const {
  Stats out;
  for (const auto& [id, eval] : evals_) {
    ++out.blocked;
    if (eval->escaped_computed_class) ++out.escaped;
    if (!eval->quota_limit_reached.empty()) ++out.quota_limited;
  }
  return out;
}

std::vector<EvalPtr> BlockedEvals::all() const {
  std::vector<EvalPtr> out;
  out.reserve(evals_.size());
  for (const auto& [id, eval] : evals_) out.push_back(eval);
  return out;
}

}  // namespace drover::broker
