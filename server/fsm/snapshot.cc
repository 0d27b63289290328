// The state as a stream of records, and back.
#include <unordered_map>

#include "server/fsm/fsm.h"
#include "server/fsm/records.h"

namespace drover::fsm {
namespace {

class Writer {
 public:
  explicit Writer(const RecordSink& sink) : sink_(sink) {}
  // For a restore that has begun: every record behind `before`, the job texts with the numbers they have in its stream.
  Writer(const RecordSink& sink, RecordType before, const StateLoader& texts) : sink_(sink), before_(1, static_cast<char>(before)) {
    for (const auto& [number, job] : texts.texts()) numbers_[job.get()] = number;
  }

  template <class T>
  void put(RecordType type, const T& value) {
    if (!result_) return;
    buffer_ = before_;
    buffer_.push_back(static_cast<char>(type));
    model::append_msgpack(buffer_, value);
    result_ = sink_(buffer_);
  }
  std::uint64_t number_of(const state::JobPtr& job) {
    const auto [at, fresh] = numbers_.try_emplace(job.get(), numbers_.size() + 1);
    if (fresh) put(RecordType::job_text, JobText{at->second, job});
    return at->second;
  }
  [[nodiscard]] bool ok() const { return result_.has_value(); }
  [[nodiscard]] Result<> result() const { return result_; }

 private:
  const RecordSink& sink_;
  std::string before_;
  Result<> result_;
  std::string buffer_;
  std::unordered_map<const model::Job*, std::uint64_t> numbers_;
};

void write(const state::Tables& t, Writer& out) {
  IndexRecord indexes{t.index, t.allocs_deleted_index, {}};
  for (std::size_t i = 0; i < state::table_count; ++i) {
    indexes.tables[std::string(to_string(static_cast<state::Table>(i)))] = t.indexes[i];
  }
  out.put(RecordType::index, indexes);
  t.nodes.scan([&](const state::NodePtr& node) { out.put(RecordType::node, *node); return out.ok(); });
  t.node_pools.scan([&](const state::NodePoolPtr& pool) { out.put(RecordType::node_pool, *pool); return out.ok(); });
  t.versions.scan([&](const state::JobPtr& job) { out.put(RecordType::version, JobNumber{out.number_of(job)}); return out.ok(); });
  t.jobs.scan([&](const state::JobPtr& job) { out.put(RecordType::job, JobNumber{out.number_of(job)}); return out.ok(); });
  t.evals.scan([&](const state::EvalPtr& eval) { out.put(RecordType::eval, *eval); return out.ok(); });
  t.allocs_created.scan([&](const state::AllocPtr& alloc) {
    AllocRecord record;
    if (alloc->job) {
      record.job = out.number_of(alloc->job);
      auto bare = std::make_shared<model::Allocation>(*alloc);
      bare->job.reset();
      record.alloc = std::move(bare);
    } else {
      record.alloc = alloc;
    }
    out.put(RecordType::alloc, record);
    return out.ok();
  });
  t.summaries.scan([&](const state::SummaryPtr& summary) { out.put(RecordType::summary, *summary); return out.ok(); });
  t.deployments.scan([&](const state::DeploymentPtr& deployment) { out.put(RecordType::deployment, *deployment); return out.ok(); });
  t.submissions.scan([&](const state::SubmissionPtr& submission) { out.put(RecordType::submission, *submission); return out.ok(); });
  t.namespaces.scan([&](const state::NamespacePtr& item) { out.put(RecordType::name_space, *item); return out.ok(); });
  t.scaling_policies.scan([&](const state::ScalingPolicyPtr& policy) { out.put(RecordType::scaling_policy, *policy); return out.ok(); });
  t.scaling_events.scan([&](const state::ScalingEventsPtr& events) { out.put(RecordType::scaling_event, *events); return out.ok(); });
  t.host_volumes.scan([&](const state::HostVolumePtr& volume) { out.put(RecordType::host_volume, *volume); return out.ok(); });
  t.volume_claims.scan([&](const state::VolumeClaimPtr& claim) { out.put(RecordType::volume_claim, *claim); return out.ok(); });
  t.periodic_launches.scan([&](const state::LaunchPtr& launch) { out.put(RecordType::periodic_launch, *launch); return out.ok(); });
  if (t.scheduler_config) out.put(RecordType::scheduler_config, *t.scheduler_config);
  if (t.autopilot) out.put(RecordType::autopilot, *t.autopilot);
}

// What a restore that has begun has brought so far.
Result<> write_pending(const PendingRestore& restore, const RecordSink& sink) {
  Writer out(sink);
  out.put(RecordType::restore_pending, PendingRecord{restore.id, restore.pieces, model::Bytes(restore.splitter.rest())});
  for (const auto& [number, job] : restore.loader->texts()) out.put(RecordType::restore_text, JobText{number, job});
  Writer inner(sink, RecordType::restore_record, *restore.loader);
  write(restore.loader->tables, inner);
  DROVER_TRY(out.result());
  return inner.result();
}

}  // namespace

std::function<Result<>(const RecordSink&)> Fsm::snapshot() const {
  auto pending = pending_;
  // The pieces that follow must not change what is being written.
  if (pending) pending->loader = std::make_shared<StateLoader>(*pending->loader);
  return [snapshot = store_.snapshot(), offset = offset_, pending = std::move(pending)](const RecordSink& sink) -> Result<> {
    Writer out(sink);
    write(snapshot->tables(), out);
    if (offset != 0) out.put(RecordType::index_offset, OffsetRecord{offset});
    DROVER_TRY(out.result());
    // One that has gone wrong ends with nothing, whatever follows.
    return pending && !pending->wrong ? write_pending(*pending, sink) : Result<>();
  };
}

Result<std::shared_ptr<StateLoader>> Fsm::load(const RecordSource& source) {
  auto loader = std::make_shared<StateLoader>();
  DROVER_TRY(loader->take_all(source));
  return loader;
}

void Fsm::take_over(StateLoader& loaded) {
  offset_ = loaded.offset;
  pending_ = std::move(loaded.pending);
  store_.replace(std::move(loaded.tables));
}

Result<> Fsm::restore(const RecordSource& source) {
  auto loaded = load(source);
  if (!loaded) return fail(loaded.error());
  take_over(**loaded);
  return {};
}

// What a piece holds is built at once: at the end the tables only change places, however large they are.
Result<> Fsm::add_piece(std::string_view entry) {
  auto piece = decode<RestorePiece>(entry);
  if (!piece) return fail(piece.error());
  if (piece->number == 0) pending_ = PendingRestore{.id = piece->id, .pieces = 0, .splitter = {}, .loader = std::make_shared<StateLoader>(), .wrong = {}};
  if (!pending_ || piece->id != pending_->id || piece->number != pending_->pieces) return {};
  ++pending_->pieces;
  if (pending_->wrong) return {};
  StateLoader& loader = *pending_->loader;
  const auto taken = pending_->splitter.take(piece->data.data(), [&](std::string_view record) { return loader.take(record); });
  if (!taken) pending_->wrong = taken.error();
  return {};
}

// On every server alike. Whoever asked for it has checked the content, but the log decides.
Result<> Fsm::end_restore(std::uint64_t index, std::string_view entry) {
  auto end = decode<RestoreEnd>(entry);
  if (!end) return fail(end.error());
  const auto given = std::exchange(pending_, std::nullopt);
  if (!given || given->id != end->id || given->pieces != end->pieces) {
    refuse(index, Error(Code::conflict, "another restore came in between: nothing was changed"));
    return {};
  }
  if (given->wrong) {
    refuse(index, *given->wrong);
    return {};
  }
  if (!given->splitter.rest().empty()) {
    refuse(index, Error(Code::invalid_argument, "the last record is cut off"));
    return {};
  }
  StateLoader& loader = *given->loader;
  loader.complete();
  if (loader.tables.index >= shown_index(index)) offset_ = loader.tables.index + 1 - index;
  loader.tables.index = shown_index(index);
  // Whoever waits for a change of anything asks again.
  for (auto& table : loader.tables.indexes) table = std::max<std::uint64_t>(table, 1);
  store_.replace(std::move(loader.tables));
  if (listener_) listener_(MessageType::restore_end, shown_index(index), {});
  return {};
}

}  // namespace drover::fsm
