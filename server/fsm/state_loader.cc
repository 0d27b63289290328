#include "server/fsm/state_loader.h"

#include "server/fsm/records.h"
#include "server/state/store.h"
#include "server/state/txn.h"

namespace drover::fsm {

template <class T, class F>
Result<> StateLoader::put(std::string_view bytes, F store) {
  auto value = std::make_shared<T>();
  DROVER_TRY(model::from_msgpack(bytes, *value));
  if (keep_) store(std::shared_ptr<const T>(std::move(value)));
  return {};
}

Result<> StateLoader::take(std::string_view record) {
  if (record.empty()) return fail(Code::invalid_argument, "empty record");
  const auto type = static_cast<RecordType>(static_cast<std::uint8_t>(record.front()));
  const std::string_view bytes = record.substr(1);
  switch (type) {
    case RecordType::index: return take_index(bytes);
    case RecordType::job_text: return take_text(bytes);
    case RecordType::alloc: return take_alloc(bytes);
    case RecordType::job: return take_job(bytes, false);
    case RecordType::version: return take_job(bytes, true);
    case RecordType::node: return put<model::Node>(bytes, [&](auto value) { tables.nodes.put(std::move(value)); });
    case RecordType::node_pool: return put<model::NodePool>(bytes, [&](auto value) { tables.node_pools.put(std::move(value)); });
    case RecordType::eval: return put<model::Evaluation>(bytes, [&](auto value) { add_to(tables, value); });
    case RecordType::deployment: return put<model::Deployment>(bytes, [&](auto value) { add_to(tables, value); });
    case RecordType::summary: return put<model::JobSummary>(bytes, [&](auto value) { tables.summaries.put(std::move(value)); });
    case RecordType::submission: return put<model::JobSubmission>(bytes, [&](auto value) { tables.submissions.put(std::move(value)); });
    case RecordType::name_space: return put<model::Namespace>(bytes, [&](auto value) { tables.namespaces.put(std::move(value)); });
    case RecordType::scaling_policy:
      return put<model::ScalingPolicy>(bytes, [&](auto value) {
        tables.scaling_targets.put(value);
        tables.scaling_policies.put(std::move(value));
      });
    case RecordType::host_volume: return put<model::HostVolume>(bytes, [&](auto value) { add_to(tables, value); });
    case RecordType::volume_claim: return put<model::TaskGroupHostVolumeClaim>(bytes, [&](auto value) { add_to(tables, value); });
    case RecordType::periodic_launch: return put<model::PeriodicLaunch>(bytes, [&](auto value) { tables.periodic_launches.put(std::move(value)); });
    case RecordType::scaling_event: return put<model::JobScalingEvents>(bytes, [&](auto value) { tables.scaling_events.put(std::move(value)); });
    case RecordType::scheduler_config:
      return put<model::SchedulerConfiguration>(bytes, [&](auto value) { tables.scheduler_config = std::move(value); });
    case RecordType::autopilot: return put<model::AutopilotConfiguration>(bytes, [&](auto value) { tables.autopilot = std::move(value); });
    case RecordType::index_offset: return put<OffsetRecord>(bytes, [&](auto value) { offset = value->offset; });
    case RecordType::restore_pending: return take_pending(bytes);
    case RecordType::restore_text:
      if (!pending) break;
      return pending->loader->take_text(bytes);
    case RecordType::restore_record:
      if (!pending) break;
      return pending->loader->take(bytes);
  }
  return fail(Code::unimplemented, "snapshot record of unknown type {}: it was written by a newer version; start that version again",
              static_cast<unsigned>(record.front()));
}

Result<> StateLoader::take_all(const RecordSource& source) {
  std::string record;
  for (;;) {
    auto more = source(record);
    if (!more) return fail(more.error(), "reading the snapshot");
    if (!*more) break;
    if (auto taken = take(record); !taken) return fail(taken.error(), "restoring the snapshot");
  }
  complete();
  return {};
}

void StateLoader::complete() {
  // Written before namespaces were kept: what every cluster starts with.
  if (tables.namespaces.size() == 0) tables.namespaces = state::Store().tables().namespaces;
}

Result<> StateLoader::take_job(std::string_view bytes, bool version) {
  JobNumber number;
  DROVER_TRY(model::from_msgpack(bytes, number));
  const auto found = texts_.find(number.number);
  if (found == texts_.end()) return fail(Code::invalid_argument, "job text {} is missing", number.number);
  if (!keep_) return {};
  if (version) tables.versions.put(state::JobPtr(found->second));
  else tables.jobs.put(state::JobPtr(found->second));
  return {};
}

Result<> StateLoader::take_index(std::string_view bytes) {
  IndexRecord record;
  DROVER_TRY(model::from_msgpack(bytes, record));
  tables.index = record.index;
  tables.allocs_deleted_index = record.allocs_deleted_index;
  for (std::size_t i = 0; i < state::table_count; ++i) {
    if (const std::uint64_t* value = record.tables.get(to_string(static_cast<state::Table>(i)))) tables.indexes[i] = *value;
  }
  return {};
}

Result<> StateLoader::take_text(std::string_view bytes) {
  JobText text;
  DROVER_TRY(model::from_msgpack(bytes, text));
  texts_[text.number] = std::move(text.job);
  return {};
}

Result<> StateLoader::take_alloc(std::string_view bytes) {
  AllocRecord record;
  DROVER_TRY(model::from_msgpack(bytes, record));
  if (!record.alloc) return fail(Code::invalid_argument, "allocation record without an allocation");
  state::JobPtr job;
  if (record.job != 0) {
    const auto found = texts_.find(record.job);
    if (found == texts_.end()) return fail(Code::invalid_argument, "job text {} is missing", record.job);
    job = found->second;
  }
  if (!keep_) return {};
  // Nobody else has seen it yet.
  if (job) const_cast<model::Allocation&>(*record.alloc).job = std::move(job);
  add_to(tables, std::move(record.alloc));
  return {};
}

Result<> StateLoader::take_pending(std::string_view bytes) {
  PendingRecord record;
  DROVER_TRY(model::from_msgpack(bytes, record));
  PendingRestore restore{.id = record.id, .pieces = record.pieces, .splitter = {}, .loader = std::make_shared<StateLoader>(keep_), .wrong = {}};
  // Earlier versions held all that had arrived.
  const auto taken = restore.splitter.take(record.data.data(), [&](std::string_view one) { return restore.loader->take(one); });
  if (!taken) restore.wrong = taken.error();
  pending = std::move(restore);
  return {};
}

}  // namespace drover::fsm
