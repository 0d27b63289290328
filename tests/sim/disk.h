// The disk of one simulated server: what would survive, and what a crash may leave of a write that was under way.
//
// It promises what server/raft's log and snapshots promise (log.h, snapshots.h): the vote is saved before the entries, entries that
// are replaced are cut off first, of a torn batch a beginning may stay. The bugs that can be planted break one promise each.
#pragma once

#include <deque>
#include <optional>
#include <string>

#include "sdk/base/clock.h"
#include "server/raft/replica.h"
#include "server/raft/snapshots.h"

namespace drover::sim {

enum class Bug : std::uint8_t { none, skipped_fsync, unsaved_vote, double_apply };

struct SavedSnapshot {
  SnapshotMeta meta;
  std::string state;
};

class Disk {
 public:
  explicit Disk(Bug bug) : bug_(bug) {}

  // Applies `write` as a whole.
  void commit(const Replica::Write& write);
  // The machine lost power while `write` was under way: some beginning of what it does was done.
  void tear(const Replica::Write& write, Rng& rng);
  // Nothing was under way. With a skipped fsync the last write may be gone although it was confirmed.
  void lose_power(Rng& rng);
  // Keeps the two newest; the log behind the older one goes.
  void put_snapshot(SavedSnapshot snapshot);
  // A snapshot from the leader: it first, then the log behind it. `torn`: the power goes between the two.
  void install(SavedSnapshot snapshot, bool torn);

  struct Found {
    LogContents log;
    std::optional<SavedSnapshot> snapshot;
  };
  // As a server finds it at its start. `damaged`: the newest snapshot cannot be read and the older one is taken.
  [[nodiscard]] Found open(bool damaged);

 private:
  void append(std::uint64_t first, const std::vector<LogEntryPtr>& entries);
  void truncate(std::uint64_t first);

  Bug bug_;
  LogContents log_;
  std::deque<SavedSnapshot> snapshots_;  // oldest first
  std::optional<LogContents> before_;    // the last write, when it was not synced
};

}  // namespace drover::sim
