#include "cli/agent/stored_raft.h"

#include <algorithm>
#include <filesystem>

#include "server/cluster/identity.h"
#include "server/cluster/raft_fsm.h"

namespace drover::cli {

std::uint64_t StoredRaft::last_index() const { return std::max(log.last_index(), snapshot_index()); }
std::uint64_t StoredRaft::last_term() const { return !log.entries.empty() ? log.entries.back()->term : snapshot ? snapshot->meta().term : 0; }

Result<DirLock> lock_stopped_server(const std::string& data_dir) {
  std::error_code error;
  if (!std::filesystem::is_directory(data_dir + "/server/raft", error)) {
    return fail(Code::not_found, "no server has kept anything below \"{}\": name the data_dir of its configuration", data_dir);
  }
  auto lock = DirLock::acquire(data_dir);
  if (!lock) return fail(lock.error(), "Stop the agent first");
  return lock;
}

Result<StoredRaft> read_stored_raft(const std::string& data_dir) {
  StoredRaft out{.directory = data_dir + "/server"};
  auto log = read_segmented_log(out.directory + "/raft/log");
  if (!log) return fail(log.error(), "reading the raft log below \"{}\"", data_dir);
  out.log = std::move(*log);
  auto node_id = cluster::load_node_id(out.directory);
  if (!node_id) return fail(node_id.error());
  out.node_id = *node_id;
  auto cluster_id = cluster::load_cluster_id(out.directory);
  if (!cluster_id) return fail(cluster_id.error());
  out.cluster_id = *cluster_id;
  auto store = SnapshotStore::open(out.directory + "/raft/snapshots");
  if (!store) return fail(store.error());
  auto newest = store->open_newest();
  if (!newest) return fail(newest.error());
  out.snapshot = std::move(newest->reader);
  std::string configuration;
  if (out.snapshot) configuration = out.snapshot->meta().configuration;
  for (const auto& entry : out.log.entries) {
    if (entry->type == EntryType::change) configuration = entry->data;
  }
  if (configuration.empty()) return fail(Code::not_found, "the server below \"{}\" never belonged to a cluster", data_dir);
  auto members = decode_members(configuration);
  if (!members) return fail(members.error());
  out.members = std::move(*members);
  return out;
}

Result<> restore_state(SnapshotReader& snapshot, fsm::Fsm& fsm) { return cluster::RaftFsm(fsm, Logger()).restore(snapshot); }

}  // namespace drover::cli
