// A cluster in one process: replicas, disks, network, clocks and clients, driven by a seed. After each step the invariants hold, or
// `failure()` says which does not.
//
// Time is made of microseconds that only the world knows; each server has a clock of its own that runs a little fast or slow.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <set>
#include <string>
#include <vector>

#include "server/raft/replica.h"
#include "tests/sim/disk.h"
#include "tests/sim/history.h"
#include "tests/sim/machine.h"

namespace drover::sim {

struct WorldOptions {
  std::uint64_t seed = 1;
  Bug bug = Bug::none;
  bool server_state = false;      // the server's own tables instead of registers
  std::uint64_t duration_ms = 20'000;
  bool trace = false;             // what happens to servers, to standard error
  bool trace_messages = false;    // and every message
};

struct WorldSummary {
  std::uint64_t committed = 0, elections = 0, crashes = 0, installs = 0, changes = 0, operations = 0, answered = 0;
};

class World {
 public:
  explicit World(WorldOptions options);
  ~World();
  // Runs to the end: trouble first, then everything is healed and all must agree. Empty, or what is wrong.
  [[nodiscard]] std::string run();
  [[nodiscard]] const WorldSummary& summary() const { return summary_; }

 private:
  struct Server;
  struct Event {
    std::uint64_t at = 0;
    std::uint64_t order = 0;
    std::function<void()> run;
    bool operator<(const Event& other) const { return std::tie(at, order) > std::tie(other.at, other.order); }
  };
  struct Asked {  // by a client, of a leader
    std::size_t operation = 0;
    std::uint64_t term = 0;
  };

  void fail(std::string what);
  void after(std::uint64_t micros, std::function<void()> run);
  void trace(const std::string& text) const;
  [[nodiscard]] std::uint64_t clock_ms(const Server& server) const;

  void start(Server& server);
  void crash(Server& server);
  void drain(Server& server);
  void begin_write(Server& server);
  void write_done(Server& server, std::uint64_t life);
  void arm(Server& server);
  void apply(Server& server, const Replica::Committed& committed);
  void install(Server& server, Replica::Install install);
  void take_snapshot(Server& server);
  void deliver(RaftMessage message);
  void send(const Server& from, RaftMessage message);
  void settle_rounds(Server& server);
  void check(Server& server);
  void check_entries(std::uint64_t first, const std::vector<LogEntryPtr>& entries);

  void client_step();
  void trouble_step();
  void change_members();
  void heal();
  void check_agreement();
  [[nodiscard]] Server* leader();
  [[nodiscard]] Server& pick();

  WorldOptions options_;
  Rng rng_;
  std::uint64_t now_ = 0;  // microseconds
  std::uint64_t order_ = 0;
  bool calm_ = false;
  std::priority_queue<Event> events_;
  std::vector<std::unique_ptr<Server>> servers_;
  std::set<std::pair<std::uint64_t, std::uint64_t>> cut_;  // from, to
  std::uint64_t loss_percent_ = 0, late_percent_ = 0, repeat_percent_ = 0;
  std::vector<Operation> operations_;
  std::uint64_t next_value_ = 1;

  std::map<std::uint64_t, LogEntryPtr> committed_;                              // by index
  std::map<std::pair<std::uint64_t, std::uint64_t>, LogEntryPtr> written_;      // by index and term
  std::map<std::uint64_t, std::uint64_t> leaders_;                              // by term
  std::map<std::uint64_t, std::uint64_t> hashes_;                               // of the state, by index
  WorldSummary summary_;
  std::string failure_;
};

}  // namespace drover::sim
