#include "server/raft/raft.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cerrno>

#include "server/raft/driver.h"

namespace drover {
namespace {
struct Opened {
  std::unique_ptr<Log> log;
  std::optional<SnapshotStore> snapshots;
  LogContents contents;
  std::unique_ptr<SnapshotReader> snapshot;
};

Result<Opened> open_storage(RaftOptions& options) {
  Opened out;
  if (!options.data_dir.empty()) {
    auto store = SnapshotStore::open(options.data_dir + "/snapshots");
    if (!store) return fail(std::move(store).error());
    out.snapshots = std::move(*store);
    auto newest = out.snapshots->open_newest();
    if (!newest) return fail(std::move(newest).error());
    for (const auto& error : newest->refused) options.logger.error("snapshot refused, trying an older one", "error", error);
    out.snapshot = std::move(newest->reader);
  }
  if (options.log) {
    out.log = std::move(options.log);
  } else if (options.data_dir.empty()) {
    out.log = make_memory_log();
  } else {
    auto log = open_segmented_log({.directory = options.data_dir + "/log", .segment_bytes = options.segment_bytes});
    if (!log) return fail(std::move(log).error());
    out.log = std::move(*log);
  }
  auto contents = out.log->load();
  if (!contents) return fail(std::move(contents).error());
  out.contents = std::move(*contents);
  return out;
}

Result<> reconcile(Opened& storage) {
  if (!storage.snapshot || !contradicts(storage.contents, storage.snapshot->meta())) return {};
  const std::uint64_t next = storage.snapshot->meta().index + 1;
  DROVER_TRY(storage.log->reset(next));
  storage.contents.first_index = next;
  storage.contents.entries.clear();
  return {};
}

Result<> write_bootstrap(const RaftOptions& options, Opened& storage) {
  if (storage.snapshot || !storage.contents.entries.empty() || storage.contents.vote.term != 0) return {};
  if (options.bootstrap.empty()) return {};
  auto encoded = encode_members(options.bootstrap);
  if (!encoded) return fail(std::move(encoded).error());
  const auto entry = std::make_shared<const LogEntry>(LogEntry{.term = 1, .type = EntryType::change, .data = std::move(*encoded)});
  // Entry first: a vote without it would make this look like a server that had joined already.
  DROVER_TRY(storage.log->append(1, {entry}));
  storage.contents.first_index = 1;
  storage.contents.entries = {entry};
  return {};
}
// Everything in the log becomes the content of a snapshot that names the new servers, and the log begins behind it. A crash in
// between leaves the old log with or without that snapshot, and the next start does the same again.
Result<SnapshotMeta> recover(const RaftOptions& options, Opened& storage, const std::optional<SnapshotMeta>& snapshot, Fsm& fsm) {
  auto& log = storage.contents;
  if (!storage.snapshots) return fail(Code::invalid_argument, "a log in memory cannot be recovered");
  if (!snapshot && log.entries.empty()) return fail(Code::invalid_argument, "there is nothing to recover: the log is empty");
  const std::uint64_t base = snapshot ? snapshot->index : 0;
  SnapshotMeta meta{.index = std::max(base, log.last_index()), .term = log.entries.empty() ? snapshot->term : log.entries.back()->term};
  auto encoded = encode_members(options.recover);
  if (!encoded) return fail(std::move(encoded).error());
  meta.configuration = std::move(*encoded);
  meta.configuration_index = meta.index;
  for (std::uint64_t index = base + 1; index <= log.last_index(); ++index) {
    const auto& entry = *log.entries[index - log.first_index];
    if (entry.type == EntryType::command) (void)fsm.apply(index, entry.data);
  }
  auto pending = storage.snapshots->create(meta);
  if (!pending) return fail(std::move(pending).error());
  DROVER_TRY(fsm.snapshot()(*pending));
  if (auto done = storage.snapshots->commit(*pending); !done) return fail(done.error());
  DROVER_TRY(storage.log->reset(meta.index + 1));
  log.first_index = meta.index + 1;
  log.entries.clear();
  options.logger.warn("the servers of the cluster were given anew", "index", meta.index, "servers", options.recover.size());
  return meta;
}
}  // namespace

Result<std::function<Result<>()>> Fsm::load(SnapshotReader& reader) {
  auto bytes = read_rest(reader);
  if (!bytes) return fail(bytes.error());
  return [this, meta = reader.meta(), bytes = std::move(*bytes)] {
    const auto kept = read_snapshot_bytes(meta, bytes);
    return restore(*kept);
  };
}

Raft::Raft(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<Raft>> Raft::open(RaftOptions options, Fsm& fsm) {
  auto storage = open_storage(options);
  if (!storage) return fail(storage.error(), "opening raft");
  DROVER_TRY(reconcile(*storage));
  DROVER_TRY(write_bootstrap(options, *storage));
  auto& contents = storage->contents;
  // Only entry 1 is there: bootstrapping was interrupted before the term was saved, or is happening now.
  if (contents.vote.term == 0 && contents.entries.size() == 1 && contents.first_index == 1) {
    contents.vote = {.term = 1, .voted_for = 0};
    DROVER_TRY(storage->log->save_vote(contents.vote));
  }
  std::optional<SnapshotMeta> meta;
  if (storage->snapshot) {
    meta = storage->snapshot->meta();
    if (auto done = fsm.restore(*storage->snapshot); !done) return fail(done.error(), "restoring the snapshot at index {}", meta->index);
  }
  if (!options.recover.empty()) {
    auto recovered = recover(options, *storage, meta, fsm);
    if (!recovered) return fail(recovered.error(), "recovering the cluster");
    meta = std::move(*recovered);
  }
  auto impl = std::make_shared<Impl>(std::move(options), fsm, std::move(storage->log), std::move(storage->snapshots));
  DROVER_TRY(impl->start(contents, meta, 0));
  return std::unique_ptr<Raft>(new Raft(std::move(impl)));
}

Raft::~Raft() { impl_->stop(); }

Async<Result<std::uint64_t>> Raft::propose(std::string entry) {
  auto waiter = impl_->enqueue(EntryType::command, std::move(entry));
  if (!waiter) co_return fail(std::move(waiter).error());
  const auto kept = *waiter;
  co_await kept->done.wait();
  co_return kept->result;
}

Async<Result<>> Raft::barrier() {
  auto waiter = impl_->enqueue_barrier();
  if (!waiter) co_return fail(std::move(waiter).error());
  const auto kept = *waiter;
  co_await kept->done.wait();
  if (!kept->result) co_return fail(kept->result.error());
  co_return Result<>{};
}

Async<Result<>> Raft::verify_leadership() {
  auto waiter = impl_->enqueue_round();
  if (!waiter) co_return fail(std::move(waiter).error());
  const auto kept = *waiter;
  co_await kept->done.wait();
  if (!kept->result) co_return fail(kept->result.error());
  co_return Result<>{};
}

Async<Result<>> Raft::take_snapshot() {
  auto waiter = impl_->enqueue_snapshot(impl_->snapshot_trailing());
  if (!waiter) co_return fail(std::move(waiter).error());
  const auto kept = *waiter;
  co_await kept->done.wait();
  if (!kept->result) co_return fail(kept->result.error());
  co_return Result<>{};
}

Async<Result<>> Raft::change_members(Edit edit) {
  // Confirms what earlier leaders left: a change on top of it could be decided by other majorities.
  auto settled = co_await barrier();
  if (!settled) co_return settled;
  if (impl_->lacks_entries_for_others()) {
    auto ready = co_await make_entries_for_others();
    if (!ready) co_return ready;
  }
  auto encoded = impl_->edit_members(edit);
  if (!encoded) co_return fail(std::move(encoded).error());
  if (encoded->empty()) co_return Result<>{};
  auto waiter = impl_->enqueue(EntryType::change, std::move(*encoded));
  if (!waiter) co_return fail(std::move(waiter).error());
  const auto kept = *waiter;
  co_await kept->done.wait();
  if (!kept->result) co_return fail(kept->result.error());
  co_return Result<>{};
}

// A lone server forgets what it applied. Whoever joins gets a snapshot, and what comes after it.
Async<Result<>> Raft::make_entries_for_others() {
  impl_->expect_others();
  auto barrier = impl_->enqueue(EntryType::barrier, std::string(8, '\0'));
  if (!barrier) co_return fail(std::move(barrier).error());
  const auto written = *barrier;
  co_await written->done.wait();
  if (!written->result) co_return fail(written->result.error());
  auto snapshot = impl_->enqueue_snapshot(0);
  if (!snapshot) co_return fail(std::move(snapshot).error());
  const auto taken = *snapshot;
  co_await taken->done.wait();
  if (!taken->result) co_return fail(taken->result.error());
  co_return Result<>{};
}

Async<Result<>> Raft::bootstrap(std::vector<Member> members) {
  auto waiter = impl_->bootstrap(members);
  if (!waiter) co_return fail(std::move(waiter).error());
  const auto kept = *waiter;
  co_await kept->done.wait();
  if (!kept->result) co_return fail(kept->result.error());
  co_return Result<>{};
}

Async<> Raft::close() {
  const auto impl = impl_;
  impl->begin_close();
  while (impl->jobs() > 0) co_await impl->jobs_changed().wait();
  impl->stop();
}

Result<std::shared_ptr<PendingSnapshot>> Raft::begin_receiving(const SnapshotMeta& meta) const { return impl_->begin_receiving(meta); }
void Raft::member_lost(std::uint64_t member) { impl_->member_lost(member); }
void Raft::receive(RaftMessage message) { impl_->receive(std::move(message)); }
Result<> Raft::transfer_leadership(std::uint64_t target) { return impl_->transfer(target); }
bool Raft::is_leader() const { return impl_->is_leader(); }
Member Raft::leader() const { return impl_->leader(); }
std::vector<Member> Raft::members() const { return impl_->members(); }
std::vector<Member> Raft::latest_members() const { return impl_->latest_members(); }
std::uint64_t Raft::term() const { return impl_->stats().term; }
std::uint64_t Raft::applied_index() const { return impl_->stats().applied_index; }
std::uint64_t Raft::last_index() const { return impl_->stats().last_index; }
bool Raft::empty() const { return impl_->empty(); }
std::uint64_t Raft::match_index(std::uint64_t member) const { return impl_->match_index(member); }
std::optional<std::chrono::milliseconds> Raft::last_contact() const { return impl_->last_contact(); }
Result<> Raft::storage_state() const { return impl_->storage_state(); }
RaftStats Raft::stats() const { return impl_->stats(); }
void Raft::set_snapshot_policy(std::uint64_t threshold, std::uint32_t trailing) { impl_->set_snapshot_policy(threshold, trailing); }
void Raft::on_leader_known(std::function<void()> callback) { impl_->on_leader_known(std::move(callback)); }
void Raft::on_leadership(std::function<void(bool, std::uint64_t)> callback) { impl_->on_leadership(std::move(callback)); }

}  // namespace drover
