// The inside of Raft: drives a Replica with the log, the snapshot store, the transport and the clock. Private to server/raft.
//
// Everything runs on the loop except the closures given to the two threads, which see only the log or the store and values.
// `pump` is called after every event: it carries out what the replica asks for until it asks for nothing.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <optional>

#include "sdk/async/event.h"
#include "sdk/async/pool.h"
#include "server/raft/raft.h"
#include "server/raft/replica.h"

namespace drover {

struct Raft::Impl : std::enable_shared_from_this<Raft::Impl> {
 public:
  struct Waiter {
    explicit Waiter(const Executor& executor) : done(executor) {}
    Event done;
    Result<std::uint64_t> result;
    void answer(Result<std::uint64_t> value) {
      result = std::move(value);
      done.set();
    }
  };
  using WaiterPtr = std::shared_ptr<Waiter>;

  Impl(RaftOptions options, Fsm& fsm, std::unique_ptr<Log> log, std::optional<SnapshotStore> snapshots);

  Result<> start(const LogContents& contents, const std::optional<SnapshotMeta>& snapshot, std::uint64_t applied);
  Result<WaiterPtr> enqueue(EntryType type, std::string entry);
  Result<WaiterPtr> enqueue_barrier();
  Result<WaiterPtr> enqueue_round();
  Result<WaiterPtr> enqueue_snapshot(std::uint32_t trailing);
  Result<WaiterPtr> bootstrap(const std::vector<Member>& members);
  // The encoded members that `edit` makes of the present ones; empty when they stay as they are.
  Result<std::string> edit_members(const Edit& edit) const;
  [[nodiscard]] bool lacks_entries_for_others() const { return replica_ && members_.size() == 1 && replica_->first_kept() > 1; }
  void expect_others() {
    if (replica_) replica_->expect_others();
  }
  void receive(RaftMessage message);
  Result<std::shared_ptr<PendingSnapshot>> begin_receiving(const SnapshotMeta& meta) const;
  void member_lost(std::uint64_t member);
  Result<> transfer(std::uint64_t target);
  void set_snapshot_policy(std::uint64_t threshold, std::uint32_t trailing);
  void on_leadership(std::function<void(bool, std::uint64_t)> callback);

  void on_leader_known(std::function<void()> callback) { leader_callbacks_.push_back(std::move(callback)); }

  [[nodiscard]] bool is_leader() const { return replica_ && !closing_ && replica_->is_leader(); }
  [[nodiscard]] Member leader() const { return replica_ ? replica_->leader() : Member{}; }
  [[nodiscard]] std::vector<Member> members() const { return members_; }
  [[nodiscard]] std::vector<Member> latest_members() const { return replica_ ? replica_->latest_members() : members_; }
  [[nodiscard]] bool empty() const { return replica_ && replica_->last_index() == 0; }
  [[nodiscard]] std::uint64_t match_index(std::uint64_t member) const { return replica_ ? replica_->match_index(member) : 0; }
  [[nodiscard]] std::optional<std::chrono::milliseconds> last_contact() const;
  [[nodiscard]] std::uint32_t snapshot_trailing() const { return options_.snapshot_trailing; }
  [[nodiscard]] Result<> storage_state() const { return storage_; }
  [[nodiscard]] RaftStats stats() const;

  void begin_close();
  // Joins the threads.
  void stop();
  [[nodiscard]] std::size_t jobs() const { return jobs_; }
  [[nodiscard]] Condition& jobs_changed() { return jobs_changed_; }

 private:
  struct Proposal {
    EntryType type = EntryType::command;
    std::string data;
    WaiterPtr waiter;
  };
  struct Pending {
    std::uint64_t index = 0;
    std::uint64_t term = 0;
    WaiterPtr waiter;
    std::size_t bytes = 0;
  };

  [[nodiscard]] std::uint64_t now_ms() const;
  // Runs `work` on `pool`, then `then(result)` on the loop unless closed.
  template <class Work, class Then>
  void run_on(Pool& pool, Work work, Then then);
  void submit_waiting();
  void pump();
  void write(Replica::Write write);
  void write_done(const Replica::Write& write, const Result<>& result, std::uint64_t nanos);
  void storage_failed(const Error& error);
  void retry_storage();
  void apply(const Replica::Committed& committed);
  void send(RaftMessage message);
  void install(Replica::Install install);
  void finish_install(const SnapshotMeta& meta, const Result<>& restored);
  void maybe_snapshot();
  void begin_snapshot(std::uint32_t trailing);
  void end_snapshot(const Result<>& result);
  void begin_round();
  void run_bootstrap(std::function<Result<LogContents>(Impl&)> work, WaiterPtr waiter);
  void settle_rounds();
  void maybe_prepare_segment(std::uint64_t bytes);
  void check(const Result<>& result);
  void note_leadership();
  void arm_timer();
  void fail_all(const Error& error);

  RaftOptions options_;
  Fsm& fsm_;
  std::unique_ptr<Log> log_;  // used by the writer thread only, once started (or by the loop when it does not block)
  std::optional<SnapshotStore> snapshots_;
  std::unique_ptr<Replica> replica_;  // empty while the storage has failed
  std::vector<Member> members_;
  std::optional<SnapshotMeta> newest_snapshot_;
  Result<> storage_;
  std::chrono::milliseconds retry_after_;

  std::vector<Proposal> proposals_;  // to be submitted at the end of this turn of the loop
  std::size_t waiting_bytes_ = 0;    // of proposals and what was submitted, until it is answered
  bool submit_posted_ = false;
  std::deque<Pending> pending_;      // submitted, by index
  std::vector<Pending> barriers_;    // wait for an index to be applied
  struct Round {
    std::uint64_t number = 0;        // 0: begins when the one under way has ended
    std::uint64_t index = 0;         // to be applied as well
    WaiterPtr waiter;
  };
  std::vector<Round> rounds_;        // wait for a majority to confirm this leader
  std::uint64_t round_ = 0;          // under way
  std::uint64_t round_ms_ = 0;
  struct WantedSnapshot {
    std::uint32_t trailing = 0;
    WaiterPtr waiter;
  };
  std::vector<WantedSnapshot> wanted_snapshots_;
  std::vector<std::function<void(bool, std::uint64_t)>> callbacks_;
  std::vector<std::function<void()>> leader_callbacks_;
  std::uint64_t known_leader_ = 0;
  bool was_leader_ = false;
  bool snapshotting_ = false;
  bool bootstrapping_ = false;
  bool preparing_ = false;
  bool closing_ = false;
  bool stopped_ = false;
  std::uint64_t unprepared_bytes_ = 0;
  std::uint64_t applied_ = 0;
  std::uint64_t applied_bytes_ = 0;  // since the last snapshot
  RaftStats counters_;
  std::minstd_rand chance_;          // which of several followers begins the election of a lost leader's successor

  asio::steady_timer timer_;
  asio::steady_timer retry_timer_;
  std::uint64_t armed_ms_ = 0;
  Condition jobs_changed_;
  std::size_t jobs_ = 0;
  Pool writer_{1};
  Pool snapshotter_{1};
};

}  // namespace drover
