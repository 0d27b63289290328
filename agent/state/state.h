// What the client must not forget over a restart: who it is, its allocations, where each task stands, how to reach its plugins.
//
// Owned by the agent's main, used on its loop; a thread of its own ("agent-state") does everything that blocks. A `commit` that
// returned success has reached the disk. Commits that arrive while one is being written share the next transaction, so a
// crowd of tasks costs one fdatasync; all changes of one commit stand or fall together. A value that did not change is not written.
//
// Values are bytes: the owners of the types encode them. Each carries a checksum; one that does not match is left out and named.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sdk/async/asio.h"
#include "sdk/base/clock.h"
#include "sdk/base/error.h"

namespace drover {

// What a value is. The names in the file are those of `to_string`.
enum class StateKind : std::uint8_t {
  // Of the node; no allocation. `name` tells several apart where there can be several.
  node_id,
  node_secret,
  node_identity,
  node_meta,
  node_registration,
  plugin,          // name: type/plugin; how to attach to its process again
  dynamic_plugin,  // name: type/plugin
  host_volume,     // name: volume id
  // Of an allocation.
  alloc,
  deployment_status,
  network_status,
  acknowledged_state,
  alloc_volumes,
  alloc_identities,
  check_result,    // name: check id
  // Of a task; name: the task.
  task_local,      // hook results and the like
  task_state,
  task_handle,
};
[[nodiscard]] std::string_view to_string(StateKind kind);

struct StateKey {
  StateKind kind = StateKind::node_id;
  std::string alloc_id;
  std::string name;
  friend auto operator<=>(const StateKey&, const StateKey&) = default;
};

struct StateChange {
  // Stores the value; without one, removes it.
  [[nodiscard]] static StateChange put(StateKey key, std::string value) { return {.key = std::move(key), .value = std::move(value)}; }
  [[nodiscard]] static StateChange remove(StateKey key) { return {.key = std::move(key)}; }
  // Everything of the allocation and its tasks.
  [[nodiscard]] static StateChange remove_alloc(std::string alloc_id) { return {.key = {.alloc_id = std::move(alloc_id)}, .whole_alloc = true}; }

  StateKey key;
  std::optional<std::string> value;
  bool whole_alloc = false;
};

struct StoredTask {
  std::optional<std::string> local;
  std::optional<std::string> state;
  std::optional<std::string> handle;
};

struct StoredAlloc {
  std::optional<std::string> alloc;  // empty: a leftover without its allocation
  std::map<std::string, StoredTask> tasks;
  std::map<StateKey, std::string> others;
};

// Everything that was stored, read once at start.
struct StoredState {
  std::optional<std::string> node_id;
  std::optional<std::string> node_secret;
  std::map<std::string, StoredAlloc> allocs;
  std::map<std::string, std::string> plugins;
  std::map<StateKey, std::string> others;  // of the node
  // To be logged: what was moved aside, and values that were left out.
  std::vector<std::string> problems;
  // True when the file had been damaged and this is an empty one: adopt what runs.
  bool quarantined = false;
};

class StateStore {
 public:
  struct Options {
    std::string path;  // client/state.db
    Executor executor;
    const Clock* clock = &system_clock();
    std::uint64_t reserve_bytes = 16u << 20;  // kept for stops and exits on a full disk (L-08)
    std::size_t max_waiting_bytes = 64u << 20;
  };
  struct Opened {
    std::unique_ptr<StateStore> store;
    StoredState state;
  };
  // Blocking, for start-up. A damaged file is moved aside and an empty one begun (F-37); only a file of a newer version, or a
  // directory that cannot be written, is an error.
  [[nodiscard]] static Result<Opened> open(Options options);
  ~StateStore();
  StateStore(const StateStore&) = delete;
  StateStore& operator=(const StateStore&) = delete;

  [[nodiscard]] Async<Result<>> commit(std::vector<StateChange> changes);
  // Why no new work should be accepted: the disk is full (the reserve is being used) or fails. A success otherwise.
  [[nodiscard]] Result<> health() const;
  struct Stats {
    std::uint64_t transactions = 0;
    std::uint64_t commits = 0;
    std::uint64_t failures = 0;
    std::size_t waiting = 0;
  };
  [[nodiscard]] Stats stats() const;
  // Writes what waits, then ends the thread.
  [[nodiscard]] Async<> close();

 private:
  struct Impl;
  explicit StateStore(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace drover
