// Raft's view of the state machine: entries applied to it, and its records framed in a snapshot. Loop only, except for the
// function that snapshot() returns.
#pragma once

#include "sdk/base/log.h"
#include "server/fsm/fsm.h"
#include "server/raft/raft.h"

namespace drover::cluster {

class RaftFsm final : public Fsm {
 public:
  RaftFsm(fsm::Fsm& inner, Logger log) : inner_(inner), log_(std::move(log)) {}
  Result<> apply(std::uint64_t index, std::string_view entry) override;
  std::function<Result<>(SnapshotWriter&)> snapshot() override;
  Result<> restore(SnapshotReader& reader) override;
  Result<std::function<Result<>()>> load(SnapshotReader& reader) override;

 private:
  fsm::Fsm& inner_;
  Logger log_;
};

}  // namespace drover::cluster
