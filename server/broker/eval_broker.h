// Hands evaluations to workers: one per job at a time, most urgent first, again when a worker fails (server contract 6).
//
// In memory, on the leader's loop. No timers of its own: the owner calls tick() at next_deadline(). Nothing is persisted; a new
// leader enqueues what the tables hold.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sdk/base/clock.h"
#include "sdk/base/error.h"
#include "server/state/tables.h"

namespace drover::broker {

using state::EvalPtr;
using MonoTime = std::chrono::steady_clock::time_point;

// The queue of evaluations that were given up after too many deliveries; the leader drains it.
inline constexpr std::string_view failed_queue = "_failed";

struct Delivery {
  EvalPtr eval;
  std::string token;
};

struct EvalBrokerOptions {
  std::chrono::nanoseconds nack_timeout = std::chrono::seconds(60);
  std::chrono::nanoseconds initial_nack_delay = std::chrono::seconds(1);
  std::chrono::nanoseconds later_nack_delay = std::chrono::seconds(20);
  int delivery_limit = 3;
};

class EvalBroker {
 public:
  EvalBroker(const Clock& clock, Rng& rng, EvalBrokerOptions options = {}) : clock_(clock), rng_(rng), options_(options) {}

  // Called whenever an evaluation has become ready.
  void set_on_ready(std::function<void()> on_ready) { on_ready_ = std::move(on_ready); }
  // Disabling forgets everything.
  void set_enabled(bool enabled);
  [[nodiscard]] bool enabled() const { return enabled_; }

  // Idempotent by evaluation id. With `again`, one that a worker holds is enqueued once that worker acknowledges it.
  void enqueue(EvalPtr eval, bool again = false);
  // The most urgent evaluation of these scheduler types; starts its redelivery timer.
  [[nodiscard]] std::optional<Delivery> dequeue(const std::vector<std::string>& types);
  [[nodiscard]] Result<> ack(std::string_view eval_id, std::string_view token);
  [[nodiscard]] Result<> nack(std::string_view eval_id, std::string_view token);
  // Whether a worker holds this evaluation by this token.
  [[nodiscard]] bool outstanding(std::string_view eval_id, std::string_view token) const;
  // While its plan is being applied an evaluation is not redelivered.
  void pause_timer(std::string_view eval_id, std::string_view token);
  void resume_timer(std::string_view eval_id, std::string_view token);

  [[nodiscard]] std::optional<MonoTime> next_deadline() const;
  void tick();

  // Evaluations that a more recent one of their job made needless.
  [[nodiscard]] std::vector<EvalPtr> take_cancelable(std::size_t limit);

  struct Stats {
    struct OfType {
      std::size_t ready = 0, unacked = 0;
    };
    std::size_t ready = 0, unacked = 0, pending = 0, waiting = 0, cancelable = 0;
    std::map<std::string, OfType> by_type;
  };
  [[nodiscard]] Stats stats() const;

 private:
  using JobKey = std::pair<std::string, std::string>;
  // Urgent first: priority, then age.
  struct ReadyOrder {
    bool operator()(const EvalPtr& a, const EvalPtr& b) const;
  };
  // Of one job: priority, then the newest.
  struct PendingOrder {
    bool operator()(const EvalPtr& a, const EvalPtr& b) const;
  };
  struct Unacked {
    EvalPtr eval;
    std::string token;
    std::string queue;
    std::optional<MonoTime> deadline;  // none while paused
  };

  static JobKey job_of(const model::Evaluation& eval) { return {eval.namespace_, eval.job_id}; }
  void make_ready(const EvalPtr& eval, std::string_view queue);
  void admit(const EvalPtr& eval);
  void wait_until(MonoTime due, const EvalPtr& eval, bool admitted);
  [[nodiscard]] Result<Unacked> take_unacked(std::string_view eval_id, std::string_view token);
  void give_back(Unacked held);

  const Clock& clock_;
  Rng& rng_;
  EvalBrokerOptions options_;
  std::function<void()> on_ready_;
  bool enabled_ = false;
  std::set<std::string, std::less<>> known_;                         // ids anywhere in here
  std::map<std::string, int, std::less<>> deliveries_;
  std::map<std::string, std::set<EvalPtr, ReadyOrder>, std::less<>> ready_;  // by scheduler type
  std::map<JobKey, std::string> in_flight_;                          // job -> the evaluation that is ready or held
  std::map<JobKey, std::set<EvalPtr, PendingOrder>> pending_;
  std::map<std::string, Unacked, std::less<>> unacked_;
  std::map<std::string, EvalPtr, std::less<>> again_;                // to enqueue after the acknowledgement
  struct Waiting {
    EvalPtr eval;
    bool admitted;  // its job is already reserved for it
  };
  std::multimap<MonoTime, Waiting> waiting_;
  std::vector<EvalPtr> cancelable_;
};

}  // namespace drover::broker
