// The whole state as a file, and a file in the place of the state (operator snapshot save and restore).
//
// A restore goes through the log, in pieces: so every server, also one that is away, ends with the same state, and a crash in between
// leaves the old one. Everything about the file is checked before the first piece is written (F-66).
#include <algorithm>

#include "lib/snapshot/archive.h"
#include "sdk/async/pool.h"
#include "sdk/base/uuid.h"
#include "server/rpc/context.h"

namespace drover::rpc {
namespace {
constexpr std::size_t piece_bytes = 1u << 20;

using RecordsWriter = std::function<Result<>(const fsm::RecordSink&)>;

Result<std::string> pack(const RecordsWriter& write, const snapshot::Meta& meta) {
  std::string state;
  DROVER_TRY(write(fsm::frame_records(state)));
  return snapshot::write_archive(meta, state);
}

Result<std::string> unpack(const std::string& bytes) {
  auto archive = snapshot::open_archive(bytes);
  if (!archive) return fail(archive.error());
  // A state that this server could not restore must not get into the log of all of them.
  fsm::Fsm scratch;
  DROVER_TRY(scratch.restore(fsm::framed_records(archive->state)));
  return std::move(archive->state);
}

Error refused(const Error& error) {
  return Error(Error(Code::internal, "failed to restore from snapshot: " + error.message())).with_http_status(500);
}

Async<Result<model::SnapshotReply>> save(Context& c) {
  if (!c.keeps_data) co_return fail(Code::internal, "failed to open snapshot: open is not supported: a -dev agent keeps its log in memory");
  const std::int64_t now = c.clock.unix_nanos();
  const std::uint64_t index = c.fsm.store().tables().index;
  snapshot::Meta meta{.index = index, .build = c.build, .created = now};
  meta.id = fmt::format("{}-{}", index, now / 1'000'000);
  const RecordsWriter write = c.fsm.snapshot();
  auto packed = co_await run_blocking(*c.files, [write, meta] { return pack(write, meta); });
  if (!packed) co_return fail(packed.error());
  model::SnapshotReply reply;
  reply.archive = model::Bytes(std::move(*packed));
  reply.index = index;
  reply.known_leader = c.writer.leader_known();
  co_return reply;
}

Async<Result<model::WriteMeta>> restore(Context& c, model::SnapshotRestoreRequest request) {
  const auto bytes = std::make_shared<const std::string>(request.archive.data());
  auto state = co_await run_blocking(*c.files, [bytes] { return unpack(*bytes); });
  if (!state) co_return fail(refused(state.error()));
  fsm::RestoreEnd end{.id = make_uuid(c.rng)};
  for (std::size_t at = 0; at < state->size(); at += piece_bytes) {
    fsm::RestorePiece piece{.id = end.id, .number = end.pieces, .data = model::Bytes(state->substr(at, piece_bytes))};
    auto written = co_await c.writer.write(std::move(piece));
    if (!written) co_return fail(refused(written.error()));
    ++end.pieces;
  }
  auto index = co_await c.writer.write(std::move(end));
  if (!index) co_return fail(refused(index.error()));
  c.log.warn("the state was replaced by a snapshot", "index", *index, "bytes", state->size());
  model::WriteMeta reply;
  reply.index = *index;
  co_return reply;
}

}  // namespace

void add_snapshot_handlers(Context& c, wire::Registry& registry) {
  namespace e = wire::endpoints;
  registry.add(e::snapshot_save, std::function([&c](model::EmptyRequest) { return save(c); }));
  registry.add(e::snapshot_restore, std::function([&c](model::SnapshotRestoreRequest r) { return restore(c, std::move(r)); }));
}

}  // namespace drover::rpc
