// The state as a stream of records: type byte, then one described value. Job texts are written once and named by a number, so
// that a million allocations of one job cost one job.
#include <unordered_map>

#include "lib/model/codec.h"
#include "lib/model/reflect.inc.h"
#include "server/fsm/fsm.h"

namespace drover::fsm {
namespace {

enum class RecordType : std::uint8_t {
  node = 0, job = 1, index = 2, eval = 3, alloc = 4, summary = 7, version = 9, deployment = 10, scheduler_config = 13, node_pool = 28,
  submission = 29, job_text = 40, periodic_launch = 6, scaling_policy = 17, scaling_event = 19, name_space = 64, host_volume = 65,
  volume_claim = 66, autopilot = 70, index_offset = 71, restore_pending = 72,
};

struct OffsetRecord {
  std::uint64_t offset = 0;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Offset", self.offset);
  }
};

struct PendingRecord {
  std::string id;
  std::uint64_t pieces = 0;
  model::Bytes data;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("ID", self.id);
    v("Pieces", self.pieces);
    v("Data", self.data);
  }
};

struct IndexRecord {
  std::uint64_t index = 0;
  std::uint64_t allocs_deleted_index = 0;
  Map<std::uint64_t> tables;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Index", self.index);
    v("AllocsDeletedIndex", self.allocs_deleted_index);
    v("Tables", self.tables);
  }
};

struct JobText {
  std::uint64_t number = 0;
  std::shared_ptr<const model::Job> job;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Number", self.number);
    v("Job", self.job);
  }
};

struct JobNumber {
  std::uint64_t number = 0;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Number", self.number);
  }
};

struct AllocRecord {
  std::uint64_t job = 0;  // 0: none
  std::shared_ptr<const model::Allocation> alloc;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Job", self.job);
    v("Alloc", self.alloc);
  }
};

}  // namespace
}  // namespace drover::fsm

using namespace drover::fsm;
DROVER_MODEL_CODEC(IndexRecord)
DROVER_MODEL_CODEC(JobText)
DROVER_MODEL_CODEC(JobNumber)
DROVER_MODEL_CODEC(AllocRecord)
DROVER_MODEL_CODEC(OffsetRecord)
DROVER_MODEL_CODEC(PendingRecord)
DROVER_MODEL_CODEC(drover::model::PeriodicLaunch)

namespace drover::fsm {
namespace {

class Writer {
 public:
  explicit Writer(const RecordSink& sink) : sink_(sink) {}

  template <class T>
  void put(RecordType type, const T& value) {
    if (!result_) return;
    buffer_.assign(1, static_cast<char>(type));
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
  Result<> result_;
  std::string buffer_;
  std::unordered_map<const model::Job*, std::uint64_t> numbers_;
};

Result<> write(const state::Tables& t, const RecordSink& sink) {
  Writer out(sink);
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
  return out.result();
}

template <class T>
Result<std::shared_ptr<const T>> read_as(std::string_view bytes) {
  auto value = std::make_shared<T>();
  DROVER_TRY(model::from_msgpack(bytes, *value));
  return std::shared_ptr<const T>(std::move(value));
}

class Loader {
 public:
  Result<> take(std::string_view record) {
    if (record.empty()) return fail(Code::invalid_argument, "empty record");
    const auto type = static_cast<RecordType>(static_cast<std::uint8_t>(record.front()));
    const std::string_view bytes = record.substr(1);
    switch (type) {
      case RecordType::index: return take_index(bytes);
      case RecordType::job_text: return take_text(bytes);
      case RecordType::alloc: return take_alloc(bytes);
      case RecordType::job: return take_job(bytes, [&](state::JobPtr job) { t.jobs.put(std::move(job)); });
      case RecordType::version: return take_job(bytes, [&](state::JobPtr job) { t.versions.put(std::move(job)); });
      case RecordType::node: return put<model::Node>(bytes, [&](auto value) { t.nodes.put(std::move(value)); });
      case RecordType::node_pool: return put<model::NodePool>(bytes, [&](auto value) { t.node_pools.put(std::move(value)); });
      case RecordType::eval: return put<model::Evaluation>(bytes, [&](auto value) { add_to(t, value); });
      case RecordType::deployment: return put<model::Deployment>(bytes, [&](auto value) { add_to(t, value); });
      case RecordType::summary: return put<model::JobSummary>(bytes, [&](auto value) { t.summaries.put(std::move(value)); });
      case RecordType::submission: return put<model::JobSubmission>(bytes, [&](auto value) { t.submissions.put(std::move(value)); });
      case RecordType::name_space: return put<model::Namespace>(bytes, [&](auto value) { t.namespaces.put(std::move(value)); });
      case RecordType::scaling_policy:
        return put<model::ScalingPolicy>(bytes, [&](auto value) {
          t.scaling_targets.put(value);
          t.scaling_policies.put(std::move(value));
        });
      case RecordType::host_volume: return put<model::HostVolume>(bytes, [&](auto value) { add_to(t, value); });
      case RecordType::volume_claim: return put<model::TaskGroupHostVolumeClaim>(bytes, [&](auto value) { add_to(t, value); });
      case RecordType::periodic_launch: return put<model::PeriodicLaunch>(bytes, [&](auto value) { t.periodic_launches.put(std::move(value)); });
      case RecordType::scaling_event: return put<model::JobScalingEvents>(bytes, [&](auto value) { t.scaling_events.put(std::move(value)); });
      case RecordType::scheduler_config:
        return put<model::SchedulerConfiguration>(bytes, [&](auto value) { t.scheduler_config = std::move(value); });
      case RecordType::autopilot: return put<model::AutopilotConfiguration>(bytes, [&](auto value) { t.autopilot = std::move(value); });
      case RecordType::index_offset: return put<OffsetRecord>(bytes, [&](auto value) { offset = value->offset; });
      case RecordType::restore_pending: return put<PendingRecord>(bytes, [&](auto value) { pending = *value; });
    }
    return fail(Code::unimplemented, "snapshot record of unknown type {}: it was written by a newer version; start that version again",
                static_cast<unsigned>(record.front()));
  }
  Result<> take_all(const RecordSource& source) {
    std::string record;
    for (;;) {
      auto more = source(record);
      if (!more) return fail(more.error(), "reading the snapshot");
      if (!*more) break;
      if (auto taken = take(record); !taken) return fail(taken.error(), "restoring the snapshot");
    }
    // Written before namespaces were kept: what every cluster starts with.
    if (t.namespaces.size() == 0) t.namespaces = state::Store().tables().namespaces;
    return {};
  }
  state::Tables t;
  std::uint64_t offset = 0;
  PendingRecord pending;

 private:
  template <class T, class F>
  Result<> put(std::string_view bytes, F store) {
    auto value = read_as<T>(bytes);
    if (!value) return fail(value.error());
    store(std::move(*value));
    return {};
  }
  template <class F>
  Result<> take_job(std::string_view bytes, F store) {
    JobNumber number;
    DROVER_TRY(model::from_msgpack(bytes, number));
    const auto found = texts_.find(number.number);
    if (found == texts_.end()) return fail(Code::invalid_argument, "job text {} is missing", number.number);
    store(found->second);
    return {};
  }
  Result<> take_index(std::string_view bytes) {
    IndexRecord record;
    DROVER_TRY(model::from_msgpack(bytes, record));
    t.index = record.index;
    t.allocs_deleted_index = record.allocs_deleted_index;
    for (std::size_t i = 0; i < state::table_count; ++i) {
      if (const std::uint64_t* value = record.tables.get(to_string(static_cast<state::Table>(i)))) t.indexes[i] = *value;
    }
    return {};
  }
  Result<> take_text(std::string_view bytes) {
    JobText text;
    DROVER_TRY(model::from_msgpack(bytes, text));
    texts_[text.number] = std::move(text.job);
    return {};
  }
  Result<> take_alloc(std::string_view bytes) {
    AllocRecord record;
    DROVER_TRY(model::from_msgpack(bytes, record));
    if (!record.alloc) return fail(Code::invalid_argument, "allocation record without an allocation");
    auto alloc = std::make_shared<model::Allocation>(*record.alloc);
    if (record.job != 0) {
      const auto found = texts_.find(record.job);
      if (found == texts_.end()) return fail(Code::invalid_argument, "job text {} is missing", record.job);
      alloc->job = found->second;
    }
    add_to(t, state::AllocPtr(std::move(alloc)));
    return {};
  }

  std::unordered_map<std::uint64_t, state::JobPtr> texts_;
};

}  // namespace

RecordSource framed_records(std::string_view text) {
  return [text](std::string& record) mutable -> Result<bool> {
    if (text.empty()) return false;
    std::size_t size = 0;
    if (text.size() < 4) return fail(Code::invalid_argument, "a record's length is cut off");
    for (std::size_t i = 0; i < 4; ++i) size |= static_cast<std::size_t>(static_cast<std::uint8_t>(text[i])) << (8 * i);
    if (text.size() - 4 < size) return fail(Code::invalid_argument, "a record of {} bytes is cut off", size);
    record = text.substr(4, size);
    text.remove_prefix(4 + size);
    return true;
  };
}

RecordSink frame_records(std::string& text) {
  return [&text](std::string_view record) -> Result<> {
    for (std::size_t i = 0; i < 4; ++i) text.push_back(static_cast<char>((record.size() >> (8 * i)) & 0xff));
    text += record;
    return {};
  };
}

std::function<Result<>(const RecordSink&)> Fsm::snapshot() const {
  return [snapshot = store_.snapshot(), offset = offset_, pending = pending_](const RecordSink& sink) -> Result<> {
    DROVER_TRY(write(snapshot->tables(), sink));
    Writer out(sink);
    if (offset != 0) out.put(RecordType::index_offset, OffsetRecord{offset});
    if (!pending.id.empty()) out.put(RecordType::restore_pending, PendingRecord{pending.id, pending.pieces, model::Bytes(pending.data)});
    return out.result();
  };
}

Result<> Fsm::restore(const RecordSource& source) {
  Loader loader;
  DROVER_TRY(loader.take_all(source));
  offset_ = loader.offset;
  pending_ = {.id = loader.pending.id, .pieces = loader.pending.pieces, .data = loader.pending.data.data()};
  store_.replace(std::move(loader.t));
  return {};
}

Result<> Fsm::add_piece(std::string_view entry) {
  auto piece = decode<RestorePiece>(entry);
  if (!piece) return fail(piece.error());
  if (piece->number == 0) pending_ = {.id = piece->id, .pieces = 0, .data = {}};
  if (piece->id != pending_.id || piece->number != pending_.pieces) return {};
  ++pending_.pieces;
  pending_.data += piece->data.data();
  return {};
}

// On every server alike. Whoever asked for it has checked the content, but the log decides.
Result<> Fsm::end_restore(std::uint64_t index, std::string_view entry) {
  auto end = decode<RestoreEnd>(entry);
  if (!end) return fail(end.error());
  const Pending given = std::exchange(pending_, {});
  if (given.id != end->id || given.pieces != end->pieces) {
    refuse(index, Error(Code::conflict, "another restore came in between: nothing was changed"));
    return {};
  }
  Loader loader;
  if (auto loaded = loader.take_all(framed_records(given.data)); !loaded) {
    refuse(index, loaded.error());
    return {};
  }
  if (loader.t.index >= shown_index(index)) offset_ = loader.t.index + 1 - index;
  loader.t.index = shown_index(index);
  // Whoever waits for a change of anything asks again.
  for (auto& table : loader.t.indexes) table = std::max<std::uint64_t>(table, 1);
  store_.replace(std::move(loader.t));
  if (listener_) listener_(MessageType::restore_end, shown_index(index), {});
  return {};
}

}  // namespace drover::fsm
