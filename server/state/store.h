// The server's state: the newest tables, their watches, and the transactions that replace them.
//
// Owned by the fsm, on the loop. Readers on any thread take a snapshot() and keep it as long as they like.
#pragma once

#include "server/state/snapshot.h"
#include "server/state/txn.h"
#include "server/state/watch.h"

namespace drover::state {

class Store {
 public:
  // Starts with the two node pools and the namespace every cluster has.
  Store();
  // The newest version; O(1), and the same object until the next commit.
  [[nodiscard]] SnapshotPtr snapshot() const {
    if (!cached_) cached_ = std::make_shared<Snapshot>(tables_);
    return cached_;
  }
  [[nodiscard]] const Tables& tables() const { return tables_; }
  [[nodiscard]] Txn begin(std::uint64_t index) const { return Txn(tables_, index); }
  // Publishes a finished transaction and wakes who waits for what it changed.
  void commit(Txn&& txn) {
    tables_ = std::move(txn).take();
    cached_.reset();
    watches_.notify(txn.changes());
  }
  // Replaces everything, after a restore.
  void replace(Tables tables) {
    tables_ = std::move(tables);
    cached_.reset();
    watches_.notify_all();
  }
  [[nodiscard]] Watches& watches() { return watches_; }

 private:
  Tables tables_;
  mutable SnapshotPtr cached_;
  Watches watches_;
};

}  // namespace drover::state
