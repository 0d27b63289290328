// Which tasks of a group may run now, and which must be stopped (client.md 3.6). Pure.
//
// The state machine of the reference, driven by task states alone, so that after a restart of the agent it runs forward on
// the saved states to where it was.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lib/model/alloc.h"

namespace drover::agent {

enum class Stage { prestart_ephemeral, prestart_sidecar, main, poststart_ephemeral, poststart_sidecar, poststop };
[[nodiscard]] Stage stage_of(const model::Task& task);
[[nodiscard]] bool is_sidecar(Stage stage);

enum class GroupState { init, prestart, main, poststart, wait_alloc, poststop };
[[nodiscard]] std::string_view to_string(GroupState state);

// The view of one task the rules need.
struct TaskView {
  std::string name;
  Stage stage = Stage::main;
  bool leader = false;
  std::string state = "pending";  // pending, running, dead
  bool failed = false;
};

[[nodiscard]] bool may_start(GroupState group, Stage stage);
// The state after all transitions that `tasks` allow, starting from `from`.
[[nodiscard]] GroupState advance(GroupState from, const std::vector<TaskView>& tasks);

// A reason to end tasks that still run.
struct KillOrder {
  enum class Why { none, sibling_failed, leader_dead, only_sidecars_left };
  Why why = Why::none;
  std::string task;                            // the failed sibling or the leader
  std::vector<std::vector<std::string>> waves;  // each is stopped in parallel and fully, then the next
};
[[nodiscard]] KillOrder kill_order(const std::vector<TaskView>& tasks);
// The waves of stopping a whole allocation: leader, then normal tasks, then sidecars. Poststop only if `all`.
[[nodiscard]] std::vector<std::vector<std::string>> stop_waves(const std::vector<TaskView>& tasks, bool all);

struct ClientStatus {
  std::string status, description;
  friend bool operator==(const ClientStatus&, const ClientStatus&) = default;
};
// Client status of the allocation from its task states (3.3).
[[nodiscard]] ClientStatus client_status(const model::Map<model::TaskState>& states);

}  // namespace drover::agent
