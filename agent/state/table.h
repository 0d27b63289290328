// The one table of the client's state, and the reserve for a full disk. Blocking; one thread at a time. Private to agent/state.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/state/state.h"
#include "lib/store/database.h"

namespace drover {

class StateTable {
 public:
  // Fills `state` with what is there.
  [[nodiscard]] static Result<StateTable> open(const StateStore::Options& options, StoredState& state);

  // One transaction. When the disk is full the reserve is given up and the same is tried once more.
  // After an I/O error the file is closed; the next call opens it again.
  [[nodiscard]] Result<> apply(const std::vector<StateChange>& changes);
  // The disk was full and the reserve could not be made again yet.
  [[nodiscard]] bool reserve_used() const { return reserve_used_; }

 private:
  struct Statements {
    Statement put;
    Statement remove;
    Statement remove_alloc;
  };
  StateTable(const StateStore::Options& options, Database database);
  Result<> prepare();
  Result<> apply_once(const std::vector<StateChange>& changes);
  void make_reserve();

  std::string path_;
  std::uint64_t reserve_bytes_ = 0;
  bool reserve_used_ = false;
  std::optional<Database> database_;  // before the statements, which must be finalised first
  std::optional<Statements> statements_;
};

}  // namespace drover
