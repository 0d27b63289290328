// The replicated log of a server: `propose` an entry, and it is durable, committed and applied to the state machine here when
// the answer comes. Owned by the server's main; everything is called on its loop.
//
// One thread writes the log ("raft-log", one fdatasync a batch), one writes snapshots ("raft-snapshot"); both only move values.
// A single server leads as soon as its log has been read, and goes on in the term it was in: a term names a leadership only
// among several servers, so do not use it to tell two leaderships of a lone server apart.
//
// When the disk fails or is full, nothing is acknowledged, proposals fail with the reason, reads go on; the log is tried again
// until it can be written (L-08, F-39, F-40). Entries whose proposal failed that way are cut off again by a lone server.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sdk/async/asio.h"
#include "sdk/base/clock.h"
#include "sdk/base/log.h"
#include "server/raft/log.h"
#include "server/raft/snapshots.h"
#include "server/raft/types.h"

namespace drover {

class Fsm {
 public:
  virtual ~Fsm() = default;
  // Deterministic. The error goes to the proposer; the entry counts as applied all the same.
  virtual Result<> apply(std::uint64_t index, std::string_view entry) = 0;
  // Cheap: captures an immutable state. The returned function runs on another thread.
  virtual std::function<Result<>(SnapshotWriter&)> snapshot() = 0;
  virtual Result<> restore(SnapshotReader& reader) = 0;
  // Reads a state on another thread, while this object is used; what it gives puts that state in place, on the loop. Without an
  // implementation of its own all of it is held in memory meanwhile, and read on the loop.
  virtual Result<std::function<Result<>()>> load(SnapshotReader& reader);
};

// How messages reach other servers; a lone server needs none. What arrives goes to Raft::receive.
class RaftTransport {
 public:
  virtual ~RaftTransport() = default;
  // May drop the message. Must not call back into Raft.
  virtual void send(RaftMessage message) = 0;
  // After each change: who may be sent to.
  virtual void set_members(const std::vector<Member>& /*members*/) {}
};

struct RaftOptions {
  std::string data_dir;  // empty: the log is kept in memory
  std::uint64_t id = 1;
  std::string address;
  // The first configuration of an empty log. Empty: wait until a leader sends one (a joining server).
  std::vector<Member> bootstrap;
  // Takes the place of the configuration in the log, when most of the servers in it are lost (F-68): what is stored is applied as a
  // whole, also what nobody knows to be committed. Empty: the log decides, as it should.
  std::vector<Member> recover;
  Executor executor;
  Logger logger;
  const Clock* clock = &system_clock();
  RaftTransport* transport = nullptr;
  std::uint32_t heartbeat_ms = 100;
  std::uint32_t election_ms = 500;  // and up to twice that, by chance
  std::uint32_t lost_ms = 100;      // at most, by chance, until an election once the leader's process is known to have ended
  std::uint32_t install_ms = 30'000;  // a snapshot whose receipt is not confirmed by then is sent again
  std::uint32_t seed = 1;
  std::uint64_t snapshot_threshold = 8192;  // entries applied since the last snapshot
  std::uint64_t snapshot_bytes = 512u << 20;  // and the same for what they hold: entries stay in memory until then
  std::uint32_t snapshot_trailing = 1024;   // entries kept for followers that are a little behind
  std::uint64_t segment_bytes = 8u << 20;
  std::size_t max_waiting_bytes = 64u << 20;  // of proposals without an answer; more are refused
  std::size_t max_waiting = 32'768;           // and their number
  std::chrono::milliseconds storage_retry{1000};  // after a failed write; doubled up to 30 s
  // For tests: used instead of the log that data_dir implies.
  std::unique_ptr<Log> log;
};

struct RaftStats {
  std::uint64_t term = 0;
  std::uint64_t last_index = 0;
  std::uint64_t commit_index = 0;
  std::uint64_t applied_index = 0;
  std::uint64_t snapshot_index = 0;
  std::uint64_t writes = 0;            // batches made durable
  std::uint64_t entries_written = 0;
  std::uint64_t bytes_written = 0;
  std::uint64_t write_failures = 0;
  std::uint64_t last_write_nanos = 0;
  std::size_t waiting = 0;             // proposals without an answer
};

class Raft {
 public:
  // Reads snapshot and log and replays them into `fsm`: blocking, for start-up.
  [[nodiscard]] static Result<std::unique_ptr<Raft>> open(RaftOptions options, Fsm& fsm);
  ~Raft();
  Raft(const Raft&) = delete;
  Raft& operator=(const Raft&) = delete;

  // Index of the entry once it is durable, committed and applied here; or the state machine's error. Code::no_leader: another
  // server leads, and nothing was stored. Code::unavailable: the leadership or the disk was lost on the way, and the entry may or may
  // not come to be; whoever tries again must bear that.
  [[nodiscard]] Async<Result<std::uint64_t>> propose(std::string entry);
  // When it returns, everything committed before the call has been applied here, and this server did lead.
  [[nodiscard]] Async<Result<>> barrier();
  // The same for reads, without an entry: a majority confirms that this server leads (the read index).
  [[nodiscard]] Async<Result<>> verify_leadership();
  // What the members are to be, made of what they are; one change at a time, each once the one before is committed.
  using Edit = std::function<Result<std::vector<Member>>(std::vector<Member> members)>;
  [[nodiscard]] Async<Result<>> change_members(Edit edit);
  // The first configuration of a log that was opened empty. Every member must be given the same one. Refused when there is anything.
  [[nodiscard]] Async<Result<>> bootstrap(std::vector<Member> members);
  // A snapshot of now, without waiting for the threshold. Nothing to do when there is one of this index.
  [[nodiscard]] Async<Result<>> take_snapshot();
  void receive(RaftMessage message);
  // Where the content of an install message is written as it comes, on any thread; null when snapshots are kept in memory.
  [[nodiscard]] Result<std::shared_ptr<PendingSnapshot>> begin_receiving(const SnapshotMeta& meta) const;
  // The process of a member has ended, which need not have led: if it did, the others do not wait until its silence is suspicious.
  void member_lost(std::uint64_t member);
  // Hands leadership over; 0 lets raft choose.
  [[nodiscard]] Result<> transfer_leadership(std::uint64_t target);

  [[nodiscard]] bool is_leader() const;
  [[nodiscard]] Member leader() const;  // id 0: none known
  [[nodiscard]] std::vector<Member> members() const;
  // The newest configuration in the log, also when it is not known to be committed.
  [[nodiscard]] std::vector<Member> latest_members() const;
  [[nodiscard]] std::uint64_t term() const;
  [[nodiscard]] std::uint64_t applied_index() const;
  [[nodiscard]] std::uint64_t last_index() const;
  // No entry was ever stored here. A term may have been: others ask for votes before they know who has a configuration.
  [[nodiscard]] bool empty() const;
  // Last entry known to be on the disk of a member; known by the leader alone.
  [[nodiscard]] std::uint64_t match_index(std::uint64_t member) const;
  // How long the leader has not been heard of; empty when it never was.
  [[nodiscard]] std::optional<std::chrono::milliseconds> last_contact() const;
  // Why nothing can be written at present; a success otherwise.
  [[nodiscard]] Result<> storage_state() const;
  [[nodiscard]] RaftStats stats() const;
  // For the snapshots from now on: see RaftOptions.
  void set_snapshot_policy(std::uint64_t threshold, std::uint32_t trailing);
  // Called on the loop at each change, and once soon after registration.
  void on_leadership(std::function<void(bool leader, std::uint64_t term)> callback);

  // Called on the loop whenever another leader, or none, is known here.
  void on_leader_known(std::function<void()> callback);

  // Fails what waits, and returns when no thread works for this object any more.
  [[nodiscard]] Async<> close();

 private:
  struct Impl;
  Async<Result<>> make_entries_for_others();
  explicit Raft(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace drover
