// Which tasks of an allocation may start now (client contract 3.6). Pure: a function of the tasks' states.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lib/model/task.h"

namespace drover::agent {

enum class Stage : std::uint8_t { prestart_ephemeral, prestart_sidecar, main, poststart_ephemeral, poststart_sidecar, poststop };
[[nodiscard]] Stage stage_of(const model::Task& task);

// One task as the coordination sees it. `state` is "pending", "running" or "dead".
struct LifecycleTask {
  Stage stage = Stage::main;
  std::string state = "pending";
  bool failed = false;
  bool ever_started = false;
};

enum class LifecycleState : std::uint8_t { init, prestart, main, poststart, wait_alloc, poststop };

// Moves forward from `from` as far as the states allow.
[[nodiscard]] LifecycleState advance(LifecycleState from, const std::vector<LifecycleTask>& tasks);
[[nodiscard]] bool may_start(LifecycleState state, Stage stage);
// True when only sidecars are left alive while main tasks have ended: they are to be killed.
[[nodiscard]] bool only_sidecars_left(const std::vector<LifecycleTask>& tasks);

}  // namespace drover::agent
