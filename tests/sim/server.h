// One simulated server: its disk, which outlives it, and what dies with it. Private to the world.
#pragma once

#include "tests/sim/world.h"

namespace drover::sim {

struct World::Server {
  Server(std::uint64_t member, Bug bug) : id(member), disk(bug) {}

  struct Round {
    std::size_t operation = 0;
    std::uint64_t number = 0;
    std::uint64_t index = 0;
  };

  // The process is gone.
  void forget() {
    ++life;
    replica.reset();
    machine.reset();
    writing.reset();
    waiting_install.reset();
    snapshot.reset();
    asked.clear();
    rounds.clear();
    installing = false;
    barrier_term = barrier_index = 0;
  }
  // Leads, and has applied what was committed before.
  [[nodiscard]] bool ready() const {
    return replica && replica->is_leader() && barrier_term == replica->term() && barrier_index != 0 && replica->applied_index() >= barrier_index;
  }

  std::uint64_t id;
  Disk disk;
  double rate = 1;                // of its clock
  std::uint64_t offset_ms = 0;
  bool slow_disk = false;

  std::uint64_t life = 0;
  std::unique_ptr<Replica> replica;  // empty: crashed
  std::unique_ptr<Machine> machine;
  std::optional<Replica::Write> writing;
  std::optional<Replica::Install> waiting_install;
  bool installing = false;
  std::optional<SavedSnapshot> snapshot;
  std::map<std::uint64_t, Asked> asked;  // by index
  std::vector<Round> rounds;
  std::uint64_t barrier_term = 0, barrier_index = 0;
  std::uint64_t armed_ms = 0;
};

}  // namespace drover::sim
