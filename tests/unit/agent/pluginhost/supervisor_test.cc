#include "agent/pluginhost/supervisor.h"

#include <doctest/doctest.h>

#include "agent/pluginhost/plugin_log.h"

using namespace drover;
using namespace drover::pluginhost;
using namespace std::chrono_literals;

namespace {
constexpr UnixNanos second = 1'000'000'000;
constexpr UnixNanos begin_at = 1'000'000 * second;

// A plugin whose every process ends `life` after its start; says how long each pause was.
std::vector<std::chrono::nanoseconds> pauses(Supervision& state, int ends, UnixNanos life, UnixNanos& now) {
  std::vector<std::chrono::nanoseconds> out;
  if (state.phase == Phase::stopped) CHECK(step(state, Happened::begin, now, 0).act == Act::start);
  for (int i = 0; i < ends; ++i) {
    CHECK(step(state, Happened::up, now, 0).act == Act::serve);
    now += life;
    const Next next = step(state, Happened::ended, now, 0);
    CHECK(next.act == Act::pause);
    out.push_back(next.pause);
    now += next.pause.count();
    CHECK(step(state, Happened::time_over, now, 0).act == Act::start);
  }
  return out;
}
}  // namespace

TEST_CASE("supervisor: a plugin is started, served, and after its end started again") {
  Supervision state;
  UnixNanos now = begin_at;
  CHECK(step(state, Happened::begin, now, 0).act == Act::start);
  CHECK(state.phase == Phase::starting);
  CHECK(step(state, Happened::up, now, 0).act == Act::serve);
  CHECK(state.phase == Phase::running);
  CHECK(state.restarts == 0);
  const Next down = step(state, Happened::ended, now + second, 0.5);
  CHECK(down.act == Act::pause);
  CHECK(down.pause == 1050ms);
  CHECK(state.phase == Phase::backoff);
  CHECK(state.next_start == now + second + 1'050'000'000);
  // A timer that fires early starts nothing.
  const Next early = step(state, Happened::time_over, now + second, 0);
  CHECK(early.act == Act::pause);
  CHECK(early.pause == 1050ms);
  CHECK(step(state, Happened::time_over, state.next_start, 0).act == Act::start);
  CHECK(state.restarts == 1);
  CHECK(step(state, Happened::stop, now, 0).act == Act::rest);
  CHECK(state.phase == Phase::stopped);
}

TEST_CASE("P_23 supervisor: pauses double, the breaker opens after ten ends, and closes when an operator says so") {
  Supervision state;
  UnixNanos now = begin_at;
  const auto all = pauses(state, 9, second, now);
  CHECK(all == std::vector<std::chrono::nanoseconds>{1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s, 60s});
  step(state, Happened::up, now, 0);
  const Next open = step(state, Happened::ended, now, 0);
  CHECK(state.phase == Phase::failed);
  CHECK(open.pause == 5min);
  CHECK(step(state, Happened::reset, now, 0).act == Act::start);
  CHECK(state.history.recent_ends.empty());
  step(state, Happened::failed, now, 0);
  CHECK(state.phase == Phase::backoff);
  CHECK(state.next_start == now + second);
}

TEST_CASE("P_23 supervisor: a plugin that ran well is started again at once, and what counts is how long it ran, not how long it took to come up") {
  Supervision state;
  step(state, Happened::begin, begin_at, 0);
  step(state, Happened::up, begin_at, 0);
  const Next next = step(state, Happened::ended, begin_at + 10 * second, 0);
  CHECK(next.act == Act::start);
  CHECK(state.phase == Phase::starting);
  CHECK(state.restarts == 1);
  CHECK(state.since == begin_at + 10 * second);
  // It does not come up again.
  CHECK(step(state, Happened::failed, begin_at + 40 * second, 0).pause == 1s);
  CHECK(state.phase == Phase::backoff);

  Supervision slow;
  step(slow, Happened::begin, begin_at, 0);
  step(slow, Happened::up, begin_at + 30 * second, 0);
  CHECK(step(slow, Happened::ended, begin_at + 39 * second, 0).pause == 1s);
  Supervision never;
  step(never, Happened::begin, begin_at, 0);
  CHECK(step(never, Happened::failed, begin_at + 60 * second, 0).pause == 1s);
}

TEST_CASE("P_23 supervisor: a failed plugin gets one start every five minutes") {
  Supervision state;
  UnixNanos now = begin_at;
  pauses(state, 9, second, now);
  step(state, Happened::up, now, 0);
  const Next open = step(state, Happened::ended, now, 0);
  now += open.pause.count();
  CHECK(step(state, Happened::time_over, now, 0).act == Act::start);
  CHECK(state.phase == Phase::starting);
}

TEST_CASE("supervisor: what is not for this agent rests until it is asked for") {
  Supervision state;
  step(state, Happened::begin, begin_at, 0);
  CHECK(step(state, Happened::skip, begin_at, 0).act == Act::rest);
  // The start that was under way ends in nothing.
  CHECK(step(state, Happened::failed, begin_at, 0).act == Act::rest);
  CHECK(state.phase == Phase::skipped);
  CHECK(step(state, Happened::time_over, begin_at, 0).act == Act::rest);
  CHECK(step(state, Happened::reset, begin_at, 0).act == Act::start);
}

TEST_CASE("supervisor: nothing but the events of a phase moves it") {
  for (const auto happened : {Happened::begin, Happened::failed, Happened::time_over, Happened::up}) {
    Supervision state;
    step(state, Happened::begin, begin_at, 0);
    step(state, Happened::up, begin_at, 0);
    CHECK(step(state, happened, begin_at + second, 0).act == Act::serve);
    CHECK(state.phase == Phase::running);
    CHECK(state.since == begin_at);
  }
}

TEST_CASE("P_22 plugin log: a flood is cut to a thousand lines a second, and what was dropped is counted") {
  LineRate rate;
  std::uint64_t dropped = 0;
  int passed = 0;
  for (int i = 0; i < 20'000; ++i) passed += rate.pass(begin_at, dropped) ? 1 : 0;
  CHECK(passed == 5000);
  CHECK(rate.pass(begin_at + second / 1000, dropped));
  CHECK(dropped == 15'000);
  passed = 0;
  for (int i = 0; i < 5000; ++i) passed += rate.pass(begin_at + second + second / 1000, dropped) ? 1 : 0;
  CHECK(passed == 1000);
}
