#include "agent/task/lifecycle.h"

#include <algorithm>

namespace drover::agent {

Stage stage_of(const model::Task& task) {
  if (!task.lifecycle || task.lifecycle->hook.empty()) return Stage::main;
  const auto& [hook, sidecar] = *task.lifecycle;
  if (hook == "prestart") return sidecar ? Stage::prestart_sidecar : Stage::prestart_ephemeral;
  if (hook == "poststart") return sidecar ? Stage::poststart_sidecar : Stage::poststart_ephemeral;
  return Stage::poststop;
}

namespace {
bool all_of(const std::vector<LifecycleTask>& tasks, Stage stage, auto test) {
  return std::all_of(tasks.begin(), tasks.end(), [&](const LifecycleTask& task) { return task.stage != stage || test(task); });
}
bool dead(const LifecycleTask& task) { return task.state == "dead"; }
}  // namespace

LifecycleState advance(LifecycleState from, const std::vector<LifecycleTask>& tasks) {
  if (from == LifecycleState::poststop) return from;
  // Whatever the state, the end of every other task opens poststop.
  if (std::all_of(tasks.begin(), tasks.end(), [](const LifecycleTask& task) { return task.stage == Stage::poststop || dead(task); })) {
    return LifecycleState::poststop;
  }
  for (;;) {
    switch (from) {
      case LifecycleState::init:
        from = LifecycleState::prestart;
        continue;
      case LifecycleState::prestart:
        if (!all_of(tasks, Stage::prestart_ephemeral, [](const LifecycleTask& task) { return dead(task) && !task.failed; })) return from;
        if (!all_of(tasks, Stage::prestart_sidecar, [](const LifecycleTask& task) { return task.state == "running"; })) return from;
        from = LifecycleState::main;
        continue;
      case LifecycleState::main:
        if (!all_of(tasks, Stage::main, [](const LifecycleTask& task) { return task.state != "pending"; })) return from;
        from = LifecycleState::poststart;
        continue;
      case LifecycleState::poststart:
        if (!all_of(tasks, Stage::poststart_ephemeral, dead)) return from;
        from = LifecycleState::wait_alloc;
        continue;
      case LifecycleState::wait_alloc:
      case LifecycleState::poststop:
        return from;
    }
  }
}

bool may_start(LifecycleState state, Stage stage) {
  switch (state) {
    case LifecycleState::init: return false;
    case LifecycleState::prestart: return stage == Stage::prestart_ephemeral || stage == Stage::prestart_sidecar;
    case LifecycleState::main: return stage == Stage::prestart_sidecar || stage == Stage::main;
    case LifecycleState::poststart:
      return stage == Stage::prestart_sidecar || stage == Stage::main || stage == Stage::poststart_ephemeral || stage == Stage::poststart_sidecar;
    case LifecycleState::wait_alloc: return stage == Stage::prestart_sidecar || stage == Stage::main || stage == Stage::poststart_sidecar;
    case LifecycleState::poststop: return stage == Stage::poststop;
  }
  return false;
}

bool only_sidecars_left(const std::vector<LifecycleTask>& tasks) {
  bool sidecar_alive = false;
  for (const LifecycleTask& task : tasks) {
    if (task.stage == Stage::poststop || dead(task)) continue;
    if (task.stage != Stage::prestart_sidecar && task.stage != Stage::poststart_sidecar) return false;
    sidecar_alive = true;
  }
  return sidecar_alive;
}

}  // namespace drover::agent
