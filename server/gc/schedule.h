// When which kind of garbage is looked for: each has its own interval, counted from the beginning of a leadership. Pure.
#pragma once

#include <array>
#include <chrono>

#include "server/gc/collector.h"

namespace drover::gc {

class Schedule {
 public:
  using Time = std::chrono::steady_clock::time_point;
  explicit Schedule(const GcOptions& options) {
    kinds_[0] = {&Round::evals, options.eval_interval, {}};
    kinds_[1] = {&Round::jobs, options.job_interval, {}};
    kinds_[2] = {&Round::nodes, options.node_interval, {}};
    kinds_[3] = {&Round::deployments, options.deployment_interval, {}};
  }

  void start(Time now) {
    for (auto& kind : kinds_) kind.next = now + kind.interval;
  }
  [[nodiscard]] Time next_deadline() const {
    Time out = kinds_[0].next;
    for (const auto& kind : kinds_) out = std::min(out, kind.next);
    return out;
  }
  // What is due, which begins its next interval with that. Kinds that fall together share a round, and so a walk over the tables.
  [[nodiscard]] Round take_due(Time now) {
    Round out;
    for (auto& kind : kinds_) {
      if (kind.next > now) continue;
      out.*kind.member = true;
      kind.next = now + kind.interval;
    }
    return out;
  }

 private:
  struct Kind {
    bool Round::*member = nullptr;
    std::chrono::nanoseconds interval{};
    Time next{};
  };
  std::array<Kind, 4> kinds_;
};

}  // namespace drover::gc
