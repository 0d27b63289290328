#include "agent/task/lifecycle.h"

#include <algorithm>

namespace drover::agent {

Stage stage_of(const model::Task& task) {
  if (!task.lifecycle) return Stage::main;
  const bool sidecar = task.lifecycle->sidecar;
  if (task.lifecycle->hook == "prestart") return sidecar ? Stage::prestart_sidecar : Stage::prestart_ephemeral;
  if (task.lifecycle->hook == "poststart") return sidecar ? Stage::poststart_sidecar : Stage::poststart_ephemeral;
  if (task.lifecycle->hook == "poststop") return Stage::poststop;
  return Stage::main;
}
bool is_sidecar(Stage stage) { return stage == Stage::prestart_sidecar || stage == Stage::poststart_sidecar; }

std::string_view to_string(GroupState state) {
  switch (state) {
    case GroupState::init: return "init";
    case GroupState::prestart: return "prestart";
    case GroupState::main: return "main";
    case GroupState::poststart: return "poststart";
    case GroupState::wait_alloc: return "wait_alloc";
    case GroupState::poststop: return "poststop";
  }
  return "";
}

bool may_start(GroupState group, Stage stage) {
  const bool prestart = stage == Stage::prestart_ephemeral || stage == Stage::prestart_sidecar;
  const bool poststart = stage == Stage::poststart_ephemeral || stage == Stage::poststart_sidecar;
  switch (group) {
    case GroupState::init: return false;
    case GroupState::prestart: return prestart;
    case GroupState::main: return stage == Stage::prestart_sidecar || stage == Stage::main;
    case GroupState::poststart: return stage == Stage::prestart_sidecar || stage == Stage::main || poststart;
    case GroupState::wait_alloc: return stage == Stage::prestart_sidecar || stage == Stage::main || stage == Stage::poststart_sidecar;
    case GroupState::poststop: return stage == Stage::poststop;
  }
  return false;
}

namespace {
template <class Pred>
bool all_of(const std::vector<TaskView>& tasks, Stage stage, Pred pred) {
  return std::all_of(tasks.begin(), tasks.end(), [&](const TaskView& task) { return task.stage != stage || pred(task); });
}
bool others_dead(const std::vector<TaskView>& tasks) {
  return std::all_of(tasks.begin(), tasks.end(), [](const TaskView& t) { return t.stage == Stage::poststop || t.state == "dead"; });
}

GroupState step(GroupState state, const std::vector<TaskView>& tasks) {
  if (state != GroupState::poststop && state != GroupState::init && others_dead(tasks)) return GroupState::poststop;
  switch (state) {
    case GroupState::init:
      return std::all_of(tasks.begin(), tasks.end(), [](const TaskView& t) { return t.state == "pending"; }) ? GroupState::prestart : state;
    case GroupState::prestart:
      return all_of(tasks, Stage::prestart_ephemeral, [](const TaskView& t) { return t.state == "dead" && !t.failed; }) &&
                     all_of(tasks, Stage::prestart_sidecar, [](const TaskView& t) { return t.state == "running"; })
                 ? GroupState::main : state;
    case GroupState::main:
      return all_of(tasks, Stage::main, [](const TaskView& t) { return t.state != "pending"; }) ? GroupState::poststart : state;
    case GroupState::poststart:
      return all_of(tasks, Stage::poststart_ephemeral, [](const TaskView& t) { return t.state == "dead"; }) ? GroupState::wait_alloc : state;
    case GroupState::wait_alloc:
    case GroupState::poststop: return state;
  }
  return state;
}
}  // namespace

GroupState advance(GroupState from, const std::vector<TaskView>& tasks) {
  for (GroupState next = step(from, tasks); next != from; next = step(from, tasks)) from = next;
  return from;
}

std::vector<std::vector<std::string>> stop_waves(const std::vector<TaskView>& tasks, bool all) {
  std::vector<std::string> leader, normal, sidecars;
  for (const auto& task : tasks) {
    if (task.state == "dead" || (task.stage == Stage::poststop && !all)) continue;
    if (task.leader) leader.push_back(task.name);
    else if (is_sidecar(task.stage)) sidecars.push_back(task.name);
    else normal.push_back(task.name);
  }
  std::vector<std::vector<std::string>> waves;
  for (auto& wave : {leader, normal, sidecars}) if (!wave.empty()) waves.push_back(wave);
  return waves;
}

KillOrder kill_order(const std::vector<TaskView>& tasks) {
  KillOrder out;
  const auto live = [](const TaskView& t) { return t.stage != Stage::poststop && t.state != "dead"; };
  if (std::none_of(tasks.begin(), tasks.end(), live)) return out;
  const auto failed = std::find_if(tasks.begin(), tasks.end(), [](const TaskView& t) { return t.stage != Stage::poststop && t.state == "dead" && t.failed; });
  const auto leader = std::find_if(tasks.begin(), tasks.end(), [](const TaskView& t) { return t.leader && t.state == "dead"; });
  const bool only_sidecars = std::all_of(tasks.begin(), tasks.end(), [&](const TaskView& t) { return !live(t) || is_sidecar(t.stage); });
  if (failed != tasks.end()) {
    out.why = KillOrder::Why::sibling_failed;
    out.task = failed->name;
  } else if (leader != tasks.end()) {
    out.why = KillOrder::Why::leader_dead;
    out.task = leader->name;
  } else if (only_sidecars) {
    out.why = KillOrder::Why::only_sidecars_left;
  } else {
    return out;
  }
  out.waves = stop_waves(tasks, false);
  return out;
}

ClientStatus client_status(const model::Map<model::TaskState>& states) {
  bool pending = false, running = false;
  for (const auto& [name, state] : states) {
    if (state.state == "dead" && state.failed) return {"failed", "Failed tasks"};
    if (state.state == "running") running = true;
    if (state.state == "pending") pending = true;
  }
  if (running) return {"running", "Tasks are running"};
  if (pending) return {"pending", "No tasks have started"};
  return {"complete", "All tasks have completed"};
}

}  // namespace drover::agent
