// The state machine: log entry in, one transaction on the tables, and what it changed to whoever listens.
//
// Deterministic; owned by the server, on the loop. Side effects are not here: a listener (the leader's rooms) is told the
// changes of each entry after they are in the state. Entries of a type this build does not know stop the server unless the
// type says it may be skipped.
#pragma once

#include <functional>
#include <map>
#include <string_view>

#include "lib/metrics/meter.h"
#include "server/fsm/messages.h"
#include "server/fsm/state_loader.h"
#include "server/state/store.h"

namespace drover::fsm {

class Fsm {
 public:
  // After each entry is in the state. `changes` is valid during the call.
  using Listener = std::function<void(MessageType type, std::uint64_t index, const state::Changes& changes)>;

  [[nodiscard]] state::Store& store() { return store_; }
  [[nodiscard]] const state::Store& store() const { return store_; }
  void set_listener(Listener listener) { listener_ = std::move(listener); }
  // Where the time of each entry is recorded from now on.
  void set_meter(metrics::Meter meter) { meter_ = meter; }

  // An error means that the log is not for this build: the server must stop. `index` is raft's; the state's is shown_index().
  [[nodiscard]] Result<> apply(std::uint64_t index, std::string_view entry);
  // Why an entry stored nothing (a failed precondition), once; empty when it was applied.
  [[nodiscard]] std::optional<Error> take_refusal(std::uint64_t index);

  // The index that the outside sees for one of raft's. A restored state may come from a log that was longer than ours: its objects keep
  // their indexes, and what is written afterwards gets higher ones.
  [[nodiscard]] std::uint64_t shown_index(std::uint64_t index) const { return index + offset_; }

  // The state as it is now, to be written from any thread.
  [[nodiscard]] std::function<Result<>(const RecordSink&)> snapshot() const;
  // A saved state, read on any thread, to be put in the place of this one by take_over().
  [[nodiscard]] static Result<std::shared_ptr<StateLoader>> load(const RecordSource& source);
  void take_over(StateLoader& loaded);
  // Both at once.
  [[nodiscard]] Result<> restore(const RecordSource& source);

 private:
  void refuse(std::uint64_t index, Error error);
  [[nodiscard]] Result<> add_piece(std::string_view entry);
  [[nodiscard]] Result<> end_restore(std::uint64_t index, std::string_view entry);

  state::Store store_;
  Listener listener_;
  metrics::Meter meter_;
  std::map<std::uint64_t, Error> refusals_;
  std::uint64_t offset_ = 0;
  std::optional<PendingRestore> pending_;
};

}  // namespace drover::fsm
