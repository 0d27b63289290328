// One member of the cluster as a pure state machine: events and the time go in, what has to be done comes out.
//
// It does no I/O and owns no thread or clock, so Raft (raft.h) drives it from the loop and the simulator from a seed. After any
// call, take_write() and take_output() say what to do; both may be empty. At most one write is under way at a time: what is
// appended meanwhile is gathered into the next one, which is the group commit. Messages wait until the term and vote they rely
// on are durable, and nothing is handed out as committed before it is durable here.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "server/raft/log.h"
#include "server/raft/types.h"

struct drover_raft;

namespace drover {

struct ReplicaOptions {
  std::uint64_t id = 1;
  std::string address;
  std::uint32_t heartbeat_ms = 100;
  std::uint32_t election_ms = 1000;
  std::uint32_t install_ms = 30'000;
  std::uint32_t max_inflight = 4096;  // entries under way to one follower
  std::size_t trailing_bytes = 64u << 20;  // of the entries that a snapshot leaves for others, however many they are
  std::uint32_t seed = 1;             // of the election timeouts
};

class Replica {
 public:
  struct Write {
    std::optional<TermVote> vote;  // to be saved first
    std::uint64_t first_index = 0;
    std::vector<LogEntryPtr> entries;
    std::uint64_t epoch = 0;
  };
  struct Committed {
    std::uint64_t index = 0;
    LogEntryPtr entry;
  };
  struct Install {
    SnapshotMeta meta;
    std::string data;                       // what came with the message, in one of its two forms
    std::shared_ptr<PendingSnapshot> file;
  };
  struct Output {
    std::vector<RaftMessage> messages;
    std::vector<Committed> committed;  // in order, each exactly once
    std::optional<Install> install;    // make durable, reset the log behind it, restore, then call installed()
  };

  // `applied` is what the state machine already holds (from the snapshot, or from before a restart of the replica alone).
  [[nodiscard]] static Result<std::unique_ptr<Replica>> start(const ReplicaOptions& options, const LogContents& log,
                                                              const std::optional<SnapshotMeta>& snapshot, std::uint64_t applied,
                                                              std::uint64_t now_ms);
  ~Replica();
  Replica(const Replica&) = delete;
  Replica& operator=(const Replica&) = delete;

  // Index of the first entry. Code::no_leader when this member does not lead.
  [[nodiscard]] Result<std::uint64_t> submit(EntryType type, std::vector<std::string> entries, std::uint64_t now_ms);
  [[nodiscard]] Result<> receive(RaftMessage message, std::uint64_t now_ms);
  [[nodiscard]] Result<> tick(std::uint64_t now_ms);
  // The write that take_write() gave out is durable.
  [[nodiscard]] Result<> written(const Write& write, std::uint64_t now_ms);
  [[nodiscard]] Result<> snapshot_taken(const SnapshotMeta& meta, std::uint32_t trailing, std::uint64_t now_ms);
  [[nodiscard]] Result<> installed(const SnapshotMeta& meta, std::uint64_t now_ms);
  // Hands leadership to `target`, or to the member that is furthest when 0.
  [[nodiscard]] Result<> transfer(std::uint64_t target, std::uint64_t now_ms);
  // Asks the other voters whether this leader still leads. What verified_round() tells from then on: at that instant, or later, no
  // other server led; so what was committed when the round began is all there was (the read index). The round's number.
  [[nodiscard]] Result<std::uint64_t> begin_round(std::uint64_t now_ms);
  // The newest round that a majority has answered in this term.
  [[nodiscard]] std::uint64_t verified_round() const;
  // The leader's process has ended, as whoever carries its messages knows. An election is begun `wait_ms` from now at the latest, and
  // others may begin theirs, without waiting for silence to become suspicious.
  void leader_lost(std::uint64_t id, std::uint64_t wait_ms, std::uint64_t now_ms);
  // From now on old entries are kept for others to catch up from, although there is only one member yet.
  void expect_others() { expects_others_ = true; }

  // Empty while a write is under way or none is needed.
  [[nodiscard]] std::optional<Write> take_write();
  [[nodiscard]] Output take_output();

  // When tick() is due.
  [[nodiscard]] std::uint64_t deadline_ms() const;
  [[nodiscard]] bool is_leader() const;
  // Id 0 when unknown.
  [[nodiscard]] Member leader() const;
  // Whether entries of other terms are still to be confirmed by one of this leader's: it may not change members before.
  [[nodiscard]] bool can_change_members() const;
  // Last entry known to be on the disk of a member; known by the leader alone.
  [[nodiscard]] std::uint64_t match_index(std::uint64_t id) const;
  // When the leader was last heard of; `now_ms` on the leader itself, 0 when never.
  [[nodiscard]] std::uint64_t leader_seen_ms(std::uint64_t now_ms) const { return is_leader() ? now_ms : leader_seen_ms_; }
  // The first entry that can be sent to others.
  [[nodiscard]] std::uint64_t first_kept() const { return cache_first_; }
  [[nodiscard]] std::uint64_t term() const;
  [[nodiscard]] std::uint64_t last_index() const;
  [[nodiscard]] std::uint64_t commit_index() const;
  [[nodiscard]] std::uint64_t applied_index() const { return applied_; }
  [[nodiscard]] const std::vector<Member>& members() const { return members_; }
  // The newest configuration in the log, committed or not.
  [[nodiscard]] std::vector<Member> latest_members() const;
  [[nodiscard]] std::uint64_t snapshot_index() const { return snapshot_.index; }
  [[nodiscard]] bool installing() const { return installing_; }
  // What a snapshot of everything handed out as committed so far covers.
  [[nodiscard]] SnapshotMeta applied_meta() const;

 private:
  struct Sink;
  struct CloseCore {
    void operator()(drover_raft* core) const;
  };
  explicit Replica(const ReplicaOptions& options) : options_(options) {}
  template <class Event>
  Result<> step(Event& event, std::uint64_t now_ms);
  Result<> advance(std::uint64_t now_ms);
  void append(std::uint64_t first_index, std::vector<LogEntryPtr> entries);
  void send(RaftMessage message, std::uint32_t entry_count);
  Result<> skip_committed(RaftMessage& message) const;
  Result<> receive_part(const RaftMessage& message, std::uint64_t now_ms);
  Result<> confirm_change_before(const RaftMessage& message, std::uint64_t now_ms);
  void answer_probe(const RaftMessage& message);
  void note_probe_result(const RaftMessage& message);
  // 0 when unknown.
  [[nodiscard]] std::uint64_t term_at(std::uint64_t index) const;
  void begin_install(SnapshotMeta meta);
  void forget_before(std::uint64_t index);
  Result<> set_configuration(std::uint64_t index, std::string encoded);

  ReplicaOptions options_;
  std::unique_ptr<drover_raft, CloseCore> core_;
  std::deque<LogEntryPtr> cache_;  // entries from cache_first_ on: to send to followers and to hand out
  std::uint64_t cache_first_ = 1;
  std::uint64_t stored_ = 0;       // last durable entry
  std::uint64_t applied_ = 0;
  std::uint64_t applied_term_ = 0;
  std::uint64_t configuration_index_ = 0;
  std::string configuration_;
  std::vector<Member> members_;
  SnapshotMeta snapshot_;

  Write pending_;                  // gathered for the next write
  bool writing_ = false;
  std::uint64_t epoch_ = 0;        // raised when entries are cut off: an older write then proves nothing
  TermVote vote_;
  TermVote durable_vote_;
  bool installing_ = false;
  bool expects_others_ = false;
  std::uint64_t leader_seen_ms_ = 0;
  std::uint64_t lost_leader_ = 0;  // whose process has ended, until something comes from it after all
  std::uint64_t ahead_ms_ = 0;     // of the core's clock, so that its timers end sooner
  std::uint64_t round_ = 0;        // of the questions whether this leader still leads
  std::map<std::uint64_t, std::uint64_t> answered_rounds_;  // by member, in round_term_
  std::uint64_t round_term_ = 0;
  Install incoming_;               // content of the install message being looked at
  Output output_;
};

}  // namespace drover
