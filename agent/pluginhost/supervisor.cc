#include "agent/pluginhost/supervisor.h"

namespace drover::pluginhost {
namespace {

Next enter(Supervision& state, Phase phase, UnixNanos now) {
  state.phase = phase;
  state.since = now;
  switch (phase) {
    case Phase::starting: return {Act::start, {}};
    case Phase::running: return {Act::serve, {}};
    case Phase::backoff: case Phase::failed: return {Act::pause, std::chrono::nanoseconds(state.next_start - now)};
    case Phase::stopped: case Phase::skipped: break;
  }
  return {Act::rest, {}};
}

Next again(Supervision& state, UnixNanos now) {
  ++state.restarts;
  state.next_start = 0;
  return enter(state, Phase::starting, now);
}

Next down(Supervision& state, UnixNanos now, double jitter) {
  const std::chrono::nanoseconds served(state.phase == Phase::running ? now - state.since : 0);
  const auto decision = plan_restart(state.history, served, now, jitter);
  if (decision.delay.count() == 0) return again(state, now);
  state.next_start = now + decision.delay.count();
  return enter(state, decision.broken ? Phase::failed : Phase::backoff, now);
}

// What the phase does when nothing concerns it.
Next stay(const Supervision& state, UnixNanos now) {
  Supervision copy = state;
  return enter(copy, state.phase, now);
}
}  // namespace

std::string_view to_string(Phase phase) {
  switch (phase) {
    case Phase::starting: return "starting";
    case Phase::running: return "running";
    case Phase::backoff: return "backoff";
    case Phase::failed: return "failed";
    case Phase::stopped: return "stopped";
    case Phase::skipped: return "skipped";
  }
  return "unknown";
}

Next step(Supervision& state, Happened happened, UnixNanos now, double jitter) {
  const bool waits = state.phase == Phase::backoff || state.phase == Phase::failed;
  switch (happened) {
    case Happened::stop: return enter(state, Phase::stopped, now);
    case Happened::skip: return enter(state, Phase::skipped, now);
    case Happened::begin:
      if (state.phase == Phase::stopped) return enter(state, Phase::starting, now);
      break;
    case Happened::up:
      if (state.phase == Phase::starting) return enter(state, Phase::running, now);
      break;
    case Happened::failed:
      if (state.phase == Phase::starting) return down(state, now, jitter);
      break;
    case Happened::ended:
      if (state.phase == Phase::running) return down(state, now, jitter);
      break;
    case Happened::time_over:
      if (waits && now >= state.next_start) return again(state, now);
      break;
    case Happened::reset:
      state.history = {};
      if (waits || state.phase == Phase::skipped) return again(state, now);
      break;
  }
  return stay(state, now);
}

}  // namespace drover::pluginhost
