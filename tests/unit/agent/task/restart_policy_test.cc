#include "agent/task/restart_policy.h"

#include <doctest/doctest.h>

using namespace drover;
using namespace drover::agent;
using Kind = RestartDecision::Kind;
using namespace std::chrono_literals;

namespace {

constexpr UnixNanos start = 1'700'000'000'000'000'000;

model::RestartPolicy policy(std::int64_t attempts, const std::string& mode = "fail", nanoseconds delay = 15s, nanoseconds interval = 30min) {
  model::RestartPolicy out;
  out.attempts = attempts;
  out.mode = mode;
  out.delay = delay;
  out.interval = interval;
  return out;
}
constexpr TaskOutcome failed{};
constexpr TaskOutcome success{.successful = true};

}  // namespace

TEST_CASE("restart policy: who decides first") {
  Rng rng(1);
  RestartHistory history;
  const auto decide = [&](const TaskOutcome& outcome, std::int64_t attempts, bool stops) {
    history = {};
    return next_restart(policy(attempts), stops, outcome, start, rng, history);
  };
  CHECK(decide({.killed = true, .restart_requested = true}, 2, false).kind == Kind::killed);
  const auto asked = decide({.restart_requested = true}, 0, false);
  CHECK(asked.kind == Kind::restart);
  CHECK(asked.delay == 0s);
  CHECK(history.count == 0);  // not counted
  CHECK(decide(success, 0, true).kind == Kind::terminated);
  CHECK(decide(success, 0, true).reason.empty());
  CHECK(decide(success, 0, false).reason == "Policy allows no restarts");
  CHECK(decide(failed, 0, true).kind == Kind::not_restarting);
  CHECK(decide({.started = false, .recoverable = false}, 2, false).reason == "Error was unrecoverable");
  CHECK(decide({.started = false, .recoverable = true}, 2, false).kind == Kind::restart);
  CHECK(decide(success, 2, true).reason == "Restart unnecessary as task terminated successfully");
  CHECK(decide(success, 2, false).reason == "Restart within policy");
}

TEST_CASE("restart policy: attempts are counted within the interval") {
  Rng rng(1);
  RestartHistory history;
  const auto fail_at = [&](nanoseconds after, const model::RestartPolicy& of) { return next_restart(of, false, failed, start + after.count(), rng, history); };
  SUBCASE("mode fail") {
    CHECK(fail_at(0s, policy(2)).kind == Kind::restart);
    CHECK(fail_at(1min, policy(2)).kind == Kind::restart);
    const auto third = fail_at(2min, policy(2));
    CHECK(third.kind == Kind::not_restarting);
    CHECK(third.reason == "Exceeded allowed attempts 2 in interval 30m0s and mode is \"fail\"");
  }
  SUBCASE("a window that is over begins anew") {
    CHECK(fail_at(0s, policy(1)).kind == Kind::restart);
    CHECK(fail_at(31min, policy(1)).kind == Kind::restart);
    CHECK(history.count == 1);
    CHECK(fail_at(32min, policy(1)).kind == Kind::not_restarting);
  }
  SUBCASE("mode delay waits for the rest of the window") {
    CHECK(fail_at(0s, policy(1, "delay")).kind == Kind::restart);
    const auto second = fail_at(10min, policy(1, "delay"));
    CHECK(second.kind == Kind::restart);
    CHECK(second.delay == 20min);
    CHECK(second.reason == "Exceeded allowed attempts, applying a delay");
  }
}

TEST_CASE("restart policy: the delay has up to a quarter of jitter") {
  Rng rng(7);
  bool differs = false;
  for (int i = 0; i < 100; ++i) {
    RestartHistory history;
    const auto decision = next_restart(policy(1, "fail", 8s), false, failed, start, rng, history);
    CHECK(decision.delay >= 8s);
    CHECK(decision.delay < 10s);
    differs = differs || decision.delay != 8s;
  }
  CHECK(differs);
  RestartHistory history;
  CHECK(next_restart(policy(1, "fail", 0s), false, failed, start, rng, history).delay == 0s);
}

TEST_CASE("restart policy: where an exit code of 0 is the end") {
  model::Task task;
  CHECK(success_stops("batch", task));
  CHECK(success_stops("sysbatch", task));
  CHECK_FALSE(success_stops("service", task));
  CHECK_FALSE(success_stops("system", task));
  const auto with = [&](const std::string& hook, bool sidecar) {
    model::TaskLifecycleConfig lifecycle;
    lifecycle.hook = hook;
    lifecycle.sidecar = sidecar;
    task.lifecycle.ensure() = lifecycle;
    return success_stops("service", task);
  };
  CHECK(with("prestart", false));
  CHECK_FALSE(with("prestart", true));
  CHECK(with("poststart", false));
  CHECK_FALSE(with("poststart", true));
  CHECK(with("poststop", false));
  CHECK(with("poststop", true));
}
