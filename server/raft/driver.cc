#include "server/raft/driver.h"

#include <pthread.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cerrno>

namespace drover {
namespace {
constexpr std::chrono::milliseconds longest_retry{30'000};

// What was handed to raft may yet be committed by the next leader, so this is not the error of something that was not done.
Error in_doubt() {
  return Error(Code::unavailable, "leadership was lost while the entry was being committed: it may or may not have been stored");
}

std::size_t bytes_of(const std::vector<LogEntryPtr>& entries) {
  std::size_t out = 0;
  for (const auto& entry : entries) out += entry->data.size();
  return out;
}
}  // namespace

Raft::Impl::Impl(RaftOptions options, Fsm& fsm, std::unique_ptr<Log> log, std::optional<SnapshotStore> snapshots)
    : options_(std::move(options)),
      fsm_(fsm),
      log_(std::move(log)),
      snapshots_(std::move(snapshots)),
      retry_after_(options_.storage_retry),
      timer_(options_.executor),
      retry_timer_(options_.executor),
      jobs_changed_(options_.executor) {
  chance_.seed(options_.seed);
  asio::post(writer_, [] { ::pthread_setname_np(::pthread_self(), "raft-log"); });
  asio::post(snapshotter_, [] { ::pthread_setname_np(::pthread_self(), "raft-snapshot"); });
}

std::uint64_t Raft::Impl::now_ms() const {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(options_.clock->monotonic().time_since_epoch()).count());
}

// The closures may outlive the Raft object, never the loop: they keep this alive and do nothing once it is closed.
template <class Work, class Then>
void Raft::Impl::run_on(Pool& pool, Work work, Then then) {
  ++jobs_;
  asio::post(pool, [self = shared_from_this(), work = std::move(work), then = std::move(then)]() mutable {
    auto result = work(*self);
    const Executor loop = self->options_.executor;
    asio::post(loop, [self = std::move(self), result = std::move(result), then = std::move(then)]() mutable {
      --self->jobs_;
      self->jobs_changed_.notify_all();
      if (!self->stopped_) then(*self, std::move(result));
    });
  });
}

Result<> Raft::Impl::start(const LogContents& contents, const std::optional<SnapshotMeta>& snapshot, std::uint64_t applied) {
  const ReplicaOptions options{.id = options_.id,
                               .address = options_.address,
                               .heartbeat_ms = options_.heartbeat_ms,
                               .election_ms = options_.election_ms,
                               .install_ms = options_.install_ms,
                               .seed = options_.seed};
  auto replica = Replica::start(options, contents, snapshot, applied, now_ms());
  if (!replica) return fail(std::move(replica).error());
  replica_ = std::move(*replica);
  newest_snapshot_ = snapshot;
  applied_ = replica_->applied_index();
  if (snapshot && applied_ < snapshot->index) applied_ = snapshot->index;
  maybe_prepare_segment(0);
  pump();
  return {};
}

Result<Raft::Impl::WaiterPtr> Raft::Impl::enqueue(EntryType type, std::string entry) {
  if (closing_) return fail(Code::cancelled, "the server is shutting down");
  if (!replica_) return fail(storage_.error());
  if (!replica_->is_leader()) return fail(Code::no_leader, "No cluster leader");
  // Memory that a slow disk, or slow followers, would let grow without end.
  const std::size_t waiting = proposals_.size() + pending_.size();
  if (waiting_bytes_ + entry.size() > options_.max_waiting_bytes || waiting >= options_.max_waiting) {
    return fail(Code::resource_exhausted, "the server is overloaded: {} writes of {} bytes wait for the disks already; try again later", waiting, waiting_bytes_);
  }
  waiting_bytes_ += entry.size();
  auto waiter = std::make_shared<Waiter>(options_.executor);
  proposals_.push_back({.type = type, .data = std::move(entry), .waiter = waiter});
  // Whatever else is proposed in this turn of the loop joins the same batch.
  if (!std::exchange(submit_posted_, true)) {
    asio::post(options_.executor, [self = shared_from_this()] {
      self->submit_posted_ = false;
      if (!self->closing_) self->submit_waiting();
    });
  }
  return waiter;
}

Result<Raft::Impl::WaiterPtr> Raft::Impl::enqueue_barrier() {
  if (closing_ || !replica_ || replica_->members().size() != 1 || !replica_->is_leader()) {
    return enqueue(EntryType::barrier, std::string(8, '\0'));
  }
  // A lone leader needs no entry: everything in its log commits.
  auto waiter = std::make_shared<Waiter>(options_.executor);
  const std::uint64_t index = replica_->last_index() + proposals_.size();
  if (index <= applied_) waiter->answer(index);
  else barriers_.push_back({.index = index, .term = 0, .waiter = waiter});
  return waiter;
}

void Raft::Impl::submit_waiting() {
  auto batch = std::exchange(proposals_, {});
  if (!replica_) {
    for (const auto& proposal : batch) {
      waiting_bytes_ -= proposal.data.size();
      proposal.waiter->answer(fail(storage_.error()));
    }
    return;
  }
  // Runs of one type; commands and barriers may be mixed.
  for (std::size_t at = 0; at < batch.size();) {
    std::size_t end = at;
    std::vector<std::string> entries;
    std::vector<std::size_t> sizes;
    for (; end < batch.size() && batch[end].type == batch[at].type; ++end) {
      sizes.push_back(batch[end].data.size());
      entries.push_back(std::move(batch[end].data));
    }
    const auto first = replica_->submit(batch[at].type, std::move(entries), now_ms());
    for (std::size_t i = at; i < end; ++i) {
      if (first) {
        pending_.push_back({.index = *first + (i - at), .term = replica_->term(), .waiter = batch[i].waiter, .bytes = sizes[i - at]});
        continue;
      }
      waiting_bytes_ -= sizes[i - at];
      batch[i].waiter->answer(fail(first.error()));
    }
    at = end;
  }
  pump();
}

void Raft::Impl::check(const Result<>& result) {
  if (!result) options_.logger.warn("raft step failed", "error", result.error());
}

void Raft::Impl::pump() {
  while (replica_ && !closing_) {
    auto output = replica_->take_output();
    auto next = replica_->take_write();
    const bool idle = output.messages.empty() && output.committed.empty() && !output.install && !next;
    for (auto& message : output.messages) send(std::move(message));
    if (next) write(std::move(*next));
    for (const auto& committed : output.committed) apply(committed);
    if (output.install && replica_) install(std::move(*output.install));
    if (idle) break;
  }
  if (replica_ && members_ != replica_->members()) {
    members_ = replica_->members();
    if (options_.transport != nullptr) options_.transport->set_members(members_);
  }
  note_leadership();
  settle_rounds();
  maybe_snapshot();
  arm_timer();
}

void Raft::Impl::write(Replica::Write write) {
  const auto work = [write](Impl& self) {
    const auto started = self.options_.clock->monotonic();
    Result<> done;
    if (write.vote) done = self.log_->save_vote(*write.vote);
    if (done && !write.entries.empty()) done = self.log_->append(write.first_index, write.entries);
    const auto took = self.options_.clock->monotonic() - started;
    return std::pair(std::move(done), static_cast<std::uint64_t>(std::chrono::nanoseconds(took).count()));
  };
  if (!log_->blocking()) {
    const auto [done, nanos] = work(*this);
    write_done(write, done, nanos);
    return;
  }
  run_on(writer_, work, [write](Impl& self, const std::pair<Result<>, std::uint64_t>& result) {
    self.write_done(write, result.first, result.second);
    self.pump();
  });
}

void Raft::Impl::write_done(const Replica::Write& write, const Result<>& result, std::uint64_t nanos) {
  if (!replica_) return;
  if (!result) {
    storage_failed(result.error());
    return;
  }
  retry_after_ = options_.storage_retry;
  const std::size_t bytes = bytes_of(write.entries);
  ++counters_.writes;
  counters_.entries_written += write.entries.size();
  counters_.bytes_written += bytes;
  counters_.last_write_nanos = nanos;
  check(replica_->written(write, now_ms()));
  maybe_prepare_segment(bytes + 64 * write.entries.size());
}

// Nothing of this write was acknowledged. The replica goes, and comes back from what is on disk once that can be written.
void Raft::Impl::storage_failed(const Error& error) {
  ++counters_.write_failures;
  const bool full = error.sys_errno() == ENOSPC || error.sys_errno() == EDQUOT;
  const std::string text = full ? fmt::format("{}: the server is read-only until there is room; free space or grow the file system of \"{}\"",
                                              error.message(), options_.data_dir)
                                : fmt::format("{}: the server is read-only until \"{}\" can be written", error.message(), options_.data_dir);
  Error told = Error(full ? Code::resource_exhausted : Code::unavailable, text).with_errno(error.sys_errno()).with_http_status(503);
  options_.logger.error("raft log cannot be written", "error", told);
  storage_ = fail(told);
  counters_.term = replica_->term();
  replica_.reset();
  fail_all(told);
  note_leadership();
  retry_timer_.expires_after(retry_after_);
  retry_after_ = std::min(retry_after_ * 2, longest_retry);
  retry_timer_.async_wait([self = shared_from_this()](const boost::system::error_code& cancelled) {
    if (!cancelled && !self->closing_) self->retry_storage();
  });
}

// Room for another segment is asked for as well: without it the next write would fail again at once.
void Raft::Impl::retry_storage() {
  const auto work = [](Impl& self) -> Result<LogContents> {
    DROVER_TRY(self.log_->recover());
    DROVER_TRY(self.log_->prepare());
    return self.log_->load();
  };
  run_on(writer_, work, [](Impl& self, const Result<LogContents>& contents) {
    if (self.closing_) return;
    auto done = contents ? self.start(*contents, self.newest_snapshot_, self.applied_) : Result<>(fail(contents.error()));
    if (done) {
      self.storage_ = {};
      self.options_.logger.info("raft log can be written again");
      return;
    }
    self.retry_timer_.expires_after(self.retry_after_);
    self.retry_after_ = std::min(self.retry_after_ * 2, longest_retry);
    self.retry_timer_.async_wait([kept = self.shared_from_this()](const boost::system::error_code& cancelled) {
      if (!cancelled && !kept->closing_) kept->retry_storage();
    });
  });
}

void Raft::Impl::apply(const Replica::Committed& committed) {
  Result<std::uint64_t> answer = committed.index;
  if (committed.entry->type == EntryType::command) {
    if (auto done = fsm_.apply(committed.index, committed.entry->data); !done) answer = fail(std::move(done).error());
  }
  applied_ = committed.index;
  applied_bytes_ += committed.entry->data.size();
  while (!pending_.empty() && pending_.front().index <= committed.index) {
    const auto pending = std::move(pending_.front());
    pending_.pop_front();
    waiting_bytes_ -= pending.bytes;
    if (pending.index == committed.index && pending.term == committed.entry->term) pending.waiter->answer(std::move(answer));
    else pending.waiter->answer(fail(in_doubt()));
  }
  std::erase_if(barriers_, [&](const Pending& barrier) {
    if (barrier.index > applied_) return false;
    barrier.waiter->answer(barrier.index);
    return true;
  });
}

void Raft::Impl::send(RaftMessage message) {
  if (options_.transport == nullptr) return;
  if (message.type != MessageType::install || !snapshots_) {
    options_.transport->send(std::move(message));
    return;
  }
  // Every byte of it is checked before the first one leaves; whoever carries the message reads it again, part by part.
  const auto work = [index = message.index](Impl& self) -> Result<std::shared_ptr<SnapshotReader>> {
    auto newest = self.snapshots_->open_newest();
    if (!newest) return fail(newest.error());
    if (!newest->reader || newest->reader->meta().index != index) return fail(Code::not_found, "snapshot {} is gone", index);
    return std::shared_ptr<SnapshotReader>(std::move(newest->reader));
  };
  run_on(snapshotter_, work, [message = std::move(message)](Impl& self, Result<std::shared_ptr<SnapshotReader>> source) mutable {
    if (!source) {
      self.options_.logger.warn("snapshot cannot be sent", "error", source.error());
      return;
    }
    message.snapshot_source = std::move(*source);
    self.options_.transport->send(std::move(message));
  });
}

Result<std::shared_ptr<PendingSnapshot>> Raft::Impl::begin_receiving(const SnapshotMeta& meta) const {
  if (!snapshots_) return std::shared_ptr<PendingSnapshot>();
  auto pending = snapshots_->create(meta);
  if (!pending) return fail(pending.error());
  return std::make_shared<PendingSnapshot>(std::move(*pending));
}

// Durable first, then the log behind it is dropped, then the state machine takes it over. It is read off the loop: that of a large
// state takes longer than others wait for an answer.
void Raft::Impl::install(Replica::Install install) {
  if (!log_->blocking() && !snapshots_) {
    check(log_->reset(install.meta.index + 1));
    const auto reader = read_snapshot_bytes(install.meta, std::move(install.data));
    finish_install(install.meta, fsm_.restore(*reader));
    return;
  }
  using Adopt = std::function<Result<>()>;
  struct Done {
    Result<> stored;
    Result<Adopt> loaded = fail(Code::internal, "not read");
  };
  const auto kept = std::make_shared<const Replica::Install>(std::move(install));
  const auto store = [kept](Impl& self) -> Result<> {
    if (kept->file) {
      if (const auto oldest = self.snapshots_->commit(*kept->file); !oldest) return fail(oldest.error());
    } else {
      auto pending = self.snapshots_->create(kept->meta);
      if (!pending) return fail(std::move(pending).error());
      DROVER_TRY(pending->write(kept->data));
      if (const auto oldest = self.snapshots_->commit(*pending); !oldest) return fail(oldest.error());
    }
    return self.log_->reset(kept->meta.index + 1);
  };
  const auto work = [kept, store](Impl& self) -> Done {
    Done out;
    out.stored = store(self);
    if (!out.stored) return out;
    const auto newest = self.snapshots_->open_newest();
    if (!newest) out.loaded = fail(newest.error());
    else if (!newest->reader || newest->reader->meta().index != kept->meta.index) out.loaded = fail(Code::internal, "snapshot {} is damaged", kept->meta.index);
    else out.loaded = self.fsm_.load(*newest->reader);
    return out;
  };
  // On the log's thread: it must not be written at the same time.
  run_on(writer_, work, [kept](Impl& self, Done done) {
    if (!self.replica_ || self.closing_) return;
    if (!done.stored) self.storage_failed(done.stored.error());
    else self.finish_install(kept->meta, done.loaded ? (*done.loaded)() : Result<>(fail(done.loaded.error())));
    self.pump();
  });
}

void Raft::Impl::finish_install(const SnapshotMeta& meta, const Result<>& restored) {
  if (!restored) {
    // The state machine is in an unknown state; the supervisor starts us from the snapshot on disk.
    options_.logger.error("installed snapshot cannot be restored", "error", restored.error());
    DROVER_CHECK(restored.has_value());
  }
  newest_snapshot_ = meta;
  applied_ = meta.index;
  check(replica_->installed(meta, now_ms()));
}

void Raft::Impl::maybe_snapshot() {
  if (!replica_ || closing_ || snapshotting_ || replica_->installing()) return;
  const std::uint64_t last = newest_snapshot_ ? newest_snapshot_->index : 0;
  if (!wanted_snapshots_.empty()) {
    begin_snapshot(wanted_snapshots_.front().trailing);
    return;
  }
  if (applied_ - last < options_.snapshot_threshold && applied_bytes_ < options_.snapshot_bytes) return;
  if (!snapshots_) {
    // In memory nobody restores: a lone server only forgets what it applied.
    if (members_.size() != 1 || log_->blocking()) return;
    check(log_->compact(applied_));
    newest_snapshot_ = replica_->applied_meta();
    return;
  }
  begin_snapshot(options_.snapshot_trailing);
}

void Raft::Impl::begin_snapshot(std::uint32_t trailing) {
  const auto meta = replica_->applied_meta();
  // libraft takes a snapshot that ends with the first entry for that entry, and would send neither.
  if (meta.index <= 1 || (newest_snapshot_ && newest_snapshot_->index == meta.index)) {
    end_snapshot({});
    return;
  }
  snapshotting_ = true;
  applied_bytes_ = 0;
  const auto work = [meta, save = fsm_.snapshot()](Impl& self) -> Result<std::uint64_t> {
    auto pending = self.snapshots_->create(meta);
    if (!pending) return fail(std::move(pending).error());
    DROVER_TRY(save(*pending));
    return self.snapshots_->commit(*pending);
  };
  run_on(snapshotter_, work, [meta, trailing](Impl& self, const Result<std::uint64_t>& oldest) {
    self.snapshotting_ = false;
    if (!oldest) {
      self.options_.logger.error("snapshot failed, the log is kept", "error", oldest.error());
      self.end_snapshot(fail(oldest.error()));
      return;
    }
    if (self.newest_snapshot_ && self.newest_snapshot_->index >= meta.index) {
      self.end_snapshot({});
      return;
    }
    self.newest_snapshot_ = meta;
    // Entries after the older snapshot stay, so that it can still take over when the newer one is damaged.
    self.run_on(self.writer_, [index = *oldest](Impl& inner) { return inner.log_->compact(index); },
                [](Impl& inner, const Result<>& done) { inner.check(done); });
    if (self.replica_) self.check(self.replica_->snapshot_taken(meta, trailing, self.now_ms()));
    self.end_snapshot({});
    self.pump();
  });
}

// The next segment is filled with zeros before it is needed, off the path of writes.
void Raft::Impl::maybe_prepare_segment(std::uint64_t bytes) {
  unprepared_bytes_ += bytes;
  if (!log_->blocking() || preparing_ || (bytes != 0 && unprepared_bytes_ < options_.segment_bytes / 4)) return;
  unprepared_bytes_ = 0;
  preparing_ = true;
  run_on(snapshotter_, [](Impl& self) { return self.log_->prepare(); }, [](Impl& self, const Result<>& done) {
    self.preparing_ = false;
    if (!done) self.options_.logger.warn("the next log segment cannot be prepared", "error", done.error());
  });
}

void Raft::Impl::run_bootstrap(std::function<Result<LogContents>(Impl&)> work, WaiterPtr waiter) {
  const auto then = [waiter](Impl& self, const Result<LogContents>& contents) {
    self.bootstrapping_ = false;
    if (self.closing_) return;
    auto done = contents ? self.start(*contents, std::nullopt, 0) : Result<>(fail(contents.error()));
    if (done) waiter->answer(std::uint64_t{1});
    else waiter->answer(fail(done.error()));
  };
  if (log_->blocking()) run_on(writer_, std::move(work), then);
  else then(*this, work(*this));
}

std::optional<std::chrono::milliseconds> Raft::Impl::last_contact() const {
  const std::uint64_t now = now_ms();
  const std::uint64_t seen = replica_ ? replica_->leader_seen_ms(now) : 0;
  if (seen == 0) return std::nullopt;
  return std::chrono::milliseconds(now - std::min(seen, now));
}

void Raft::Impl::receive(RaftMessage message) {
  // While the first configuration is being written, nobody else writes the log.
  if (!replica_ || closing_ || bootstrapping_) return;
  check(replica_->receive(std::move(message), now_ms()));
  pump();
}

void Raft::Impl::member_lost(std::uint64_t member) {
  if (!replica_ || closing_) return;
  replica_->leader_lost(member, chance_() % std::max(1u, options_.lost_ms), now_ms());
  arm_timer();
}

Result<> Raft::Impl::transfer(std::uint64_t target) {
  if (!replica_ || closing_) return fail(Code::no_leader, "No cluster leader");
  auto done = replica_->transfer(target, now_ms());
  pump();
  return done;
}

void Raft::Impl::set_snapshot_policy(std::uint64_t threshold, std::uint32_t trailing) {
  options_.snapshot_threshold = threshold;
  options_.snapshot_trailing = trailing;
  maybe_snapshot();
}

void Raft::Impl::on_leadership(std::function<void(bool, std::uint64_t)> callback) {
  asio::post(options_.executor, [self = shared_from_this(), callback] {
    if (!self->closing_) callback(self->was_leader_, self->stats().term);
  });
  callbacks_.push_back(std::move(callback));
}

void Raft::Impl::note_leadership() {
  if (const std::uint64_t leader = this->leader().id; leader != known_leader_) {
    known_leader_ = leader;
    for (const auto& callback : leader_callbacks_) callback();
  }
  const bool leads = is_leader();
  if (leads == was_leader_) return;
  was_leader_ = leads;
  if (!leads) fail_all(in_doubt());
  const std::uint64_t term = stats().term;
  options_.logger.info(leads ? "this server leads" : "this server does not lead any more", "term", term);
  for (const auto& callback : callbacks_) callback(leads, term);
}

void Raft::Impl::arm_timer() {
  if (!replica_ || closing_) return;
  const std::uint64_t at = replica_->deadline_ms();
  if (at == armed_ms_) return;
  armed_ms_ = at;
  const std::uint64_t now = now_ms();
  timer_.expires_after(std::chrono::milliseconds(at > now ? at - now : 0));
  timer_.async_wait([self = shared_from_this()](const boost::system::error_code& cancelled) {
    if (cancelled || self->closing_) return;
    self->armed_ms_ = 0;
    if (!self->replica_) return;
    if (self->now_ms() >= self->replica_->deadline_ms()) self->check(self->replica_->tick(self->now_ms()));
    self->pump();
  });
}

void Raft::Impl::fail_all(const Error& error) {
  // What raft was not given yet was not done.
  const Error refused = error.code() == Code::unavailable && !is_leader() && replica_ ? Error(Code::no_leader, "No cluster leader") : error;
  for (auto& proposal : std::exchange(proposals_, {})) {
    waiting_bytes_ -= proposal.data.size();
    proposal.waiter->answer(fail(refused));
  }
  for (auto& pending : std::exchange(pending_, {})) {
    waiting_bytes_ -= pending.bytes;
    pending.waiter->answer(fail(error));
  }
  for (auto& barrier : std::exchange(barriers_, {})) barrier.waiter->answer(fail(refused));
  for (auto& round : std::exchange(rounds_, {})) round.waiter->answer(fail(refused));
  for (auto& snapshot : std::exchange(wanted_snapshots_, {})) snapshot.waiter->answer(fail(error));
}

RaftStats Raft::Impl::stats() const {
  RaftStats out = counters_;
  out.applied_index = applied_;
  out.waiting = proposals_.size() + pending_.size();
  out.snapshot_index = newest_snapshot_ ? newest_snapshot_->index : 0;
  if (!replica_) return out;
  out.term = replica_->term();
  out.last_index = replica_->last_index();
  out.commit_index = replica_->commit_index();
  return out;
}

void Raft::Impl::begin_close() {
  if (std::exchange(closing_, true)) return;
  timer_.cancel();
  retry_timer_.cancel();
  fail_all(Error(Code::cancelled, "the server is shutting down"));
}

void Raft::Impl::stop() {
  begin_close();
  if (std::exchange(stopped_, true)) return;
  writer_.join();
  snapshotter_.join();
}

}  // namespace drover
