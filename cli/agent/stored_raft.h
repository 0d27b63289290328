// What is below the data directory of a stopped agent with the server role. Blocking; changes nothing.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lib/store/dir_lock.h"
#include "server/fsm/fsm.h"
#include "server/raft/log.h"
#include "server/raft/snapshots.h"

namespace drover::cli {

struct StoredRaft {
  std::string directory;  // of the server role
  std::string node_id;
  std::string cluster_id;
  LogContents log;
  std::shared_ptr<SnapshotReader> snapshot;  // the newest; null without one
  std::vector<Member> members;
  [[nodiscard]] std::uint64_t snapshot_index() const { return snapshot ? snapshot->meta().index : 0; }
  [[nodiscard]] std::uint64_t last_index() const;
  [[nodiscard]] std::uint64_t last_term() const;
};

// Keeps the agent from starting meanwhile. Refuses while one runs, and a directory in which no server has kept anything, which it leaves
// as it is.
[[nodiscard]] Result<DirLock> lock_stopped_server(const std::string& data_dir);
[[nodiscard]] Result<StoredRaft> read_stored_raft(const std::string& data_dir);
// The state of a snapshot.
[[nodiscard]] Result<> restore_state(SnapshotReader& snapshot, fsm::Fsm& fsm);

}  // namespace drover::cli
