#include "server/rpc/snapshot_streams.h"

#include <unistd.h>

#include "lib/snapshot/archive.h"
#include "lib/snapshot/spool.h"
#include "lib/wire/streams.h"
#include "sdk/async/pool.h"
#include "sdk/base/file.h"
#include "sdk/base/uuid.h"
#include "server/cluster/cluster.h"

namespace drover::rpc {
namespace {
constexpr std::size_t part_bytes = 1u << 20;
// Pieces of a restore that are on their way into the log at the same time. Every server takes such a piece apart in one go on its loop:
// a smaller one keeps others waiting for less time.
constexpr std::size_t piece_bytes = 128u << 10, pieces_at_once = 16;

using RecordsWriter = std::function<Result<>(const fsm::RecordSink&)>;
using Stream = std::unique_ptr<NodeStream>;

// A file that is shared with a thread.
struct Spool {
  std::shared_ptr<const Fd> file;
  std::uint64_t bytes = 0;
  std::string sha256;  // of an archive
};

Result<Spool> new_spool(const std::string& directory) {
  auto file = snapshot::open_unnamed(directory);
  if (!file) return fail(file.error());
  return Spool{.file = std::make_shared<const Fd>(std::move(*file)), .bytes = 0, .sha256 = {}};
}

// --- on a thread of the pool

Result<Spool> pack(const RecordsWriter& write, const snapshot::Meta& meta, const std::string& directory) {
  auto out = snapshot::Spool::open(directory);
  if (!out) return fail(out.error());
  const auto state = [&](const snapshot::ByteSink& sink) {
    return write([&](std::string_view record) -> Result<> {
      DROVER_TRY(sink(fsm::frame_of(record.size())));
      return sink(record);
    });
  };
  auto written = snapshot::write_archive(meta, state, directory, [&](std::string_view bytes) { return out->add(bytes); });
  if (!written) return fail(written.error());
  return Spool{.file = std::make_shared<const Fd>(out->release()), .bytes = written->bytes, .sha256 = std::move(written->sha256)};
}

// The state of an archive. One that this server could not restore must not get into the log of all of them: each record is decoded.
Result<Spool> unpack(const Spool& archive, const std::string& directory) {
  auto out = snapshot::Spool::open(directory);
  if (!out) return fail(out.error());
  fsm::StateLoader trial(false);
  fsm::RecordSplitter records;
  if (::lseek(archive.file->get(), 0, SEEK_SET) != 0) return fail_errno("rewinding the snapshot");
  const auto meta = snapshot::read_archive(archive.file->get(), [&](std::string_view bytes) -> Result<> {
    DROVER_TRY(out->add(bytes));
    return records.take(bytes, [&](std::string_view record) { return trial.take(record); });
  });
  if (!meta) return fail(meta.error());
  if (!records.rest().empty()) return fail(Code::invalid_argument, "the last record is cut off");
  const std::uint64_t bytes = out->size();
  return Spool{.file = std::make_shared<const Fd>(out->release()), .bytes = bytes, .sha256 = {}};
}

// --- on the loop

// The leader's address; empty when this server answers.
Async<Result<std::string>> who_answers(Context& c, bool stale, bool routed) {
  if (c.cluster == nullptr || stale) co_return std::string();
  if (routed && !c.cluster->leads()) co_return fail(Code::no_leader, "No cluster leader");
  auto found = co_await c.cluster->find();
  co_return found;
}

Async<Result<>> send(NodeStream& stream, std::string message) {
  const bool sent = co_await stream.send(std::move(message));
  if (!sent) co_return fail(Code::unavailable, "the connection broke");
  co_return Result<>{};
}

Async<Result<>> pass_on_save(Context& c, std::string address, model::SnapshotSaveRequest request, NodeStream& stream) {
  request.routed = true;
  auto from = co_await c.cluster->streams(address).open(wire::streams::snapshot_save, std::move(request));
  if (!from) co_return fail(from.error());
  for (;;) {
    auto part = co_await (*from)->receive();
    if (!part) co_return (*from)->end();
    const auto sent = co_await send(stream, std::move(*part));
    if (!sent) co_return sent;
  }
}

Async<Result<>> save(Context& c, model::SnapshotSaveRequest request, NodeStream& stream) {
  if (!c.keeps_data) co_return fail(Code::internal, "failed to open snapshot: open is not supported: a -dev agent keeps its log in memory");
  auto elsewhere = co_await who_answers(c, request.allow_stale, request.routed);
  if (!elsewhere) co_return fail(elsewhere.error());
  if (!elsewhere->empty()) {
    auto done = co_await pass_on_save(c, std::move(*elsewhere), std::move(request), stream);
    co_return done;
  }
  const std::int64_t now = c.clock.unix_nanos();
  model::SnapshotHead head;
  head.index = c.fsm.store().tables().index;
  head.known_leader = c.writer.leader_known();
  snapshot::Meta meta{.index = head.index, .build = c.build, .created = now};
  meta.id = fmt::format("{}-{}", head.index, now / 1'000'000);
  const RecordsWriter write = c.fsm.snapshot();
  auto packed = co_await run_blocking(*c.files, [write, meta, directory = c.data_dir] { return pack(write, meta, directory); });
  if (!packed) co_return fail(packed.error());
  const Spool file = std::move(*packed);
  head.bytes = file.bytes;
  head.sha256 = model::Bytes(file.sha256);
  std::string first = model::to_msgpack(head);
  auto sent = co_await send(stream, std::move(first));
  for (std::uint64_t at = 0; sent && at < file.bytes;) {
    auto part = co_await run_blocking(*c.files, [file, at] { return snapshot::read_at(file.file->get(), at, part_bytes); });
    if (!part) co_return fail(part.error());
    if (part->empty()) co_return fail(Code::internal, "the snapshot ends early");
    at += part->size();
    sent = co_await send(stream, std::move(*part));
  }
  co_return sent;
}

Error refused(const Error& error) {
  return Error(Error(Code::internal, "failed to restore from snapshot: " + error.message())).with_http_status(500);
}

Async<Result<>> pass_on_restore(Context& c, std::string address, model::SnapshotRestoreRequest request, NodeStream& stream) {
  request.routed = true;
  auto to = co_await c.cluster->streams(address).open(wire::streams::snapshot_restore, std::move(request));
  if (!to) co_return fail(to.error());
  for (bool more = true; more;) {
    auto part = co_await stream.receive();
    if (!part) co_return fail(Code::unavailable, "the snapshot was cut off");
    more = !part->empty();
    const auto sent = co_await send(**to, std::move(*part));
    if (!sent) break;
  }
  auto reply = co_await (*to)->receive();
  if (!reply) {
    auto end = (*to)->end();
    co_return end ? Result<>(fail(Code::unavailable, "server {} ended without an answer", address)) : end;
  }
  auto sent = co_await send(stream, std::move(*reply));
  co_return sent;
}

Async<Result<Spool>> receive_file(Context& c, NodeStream& stream) {
  auto file = co_await run_blocking(*c.files, [directory = c.data_dir] { return new_spool(directory); });
  if (!file) co_return fail(file.error());
  for (;;) {
    auto part = co_await stream.receive();
    // An empty part is the end; a connection that breaks has none.
    if (!part) co_return fail(Code::unavailable, "the snapshot was cut off after {} bytes", file->bytes);
    if (part->empty()) co_return std::move(*file);
    file->bytes += part->size();
    const auto written = co_await run_blocking(*c.files, [to = file->file, bytes = std::move(*part)] { return write_all(to->get(), bytes); });
    if (!written) co_return fail(written.error());
  }
}

// `result` outlives a caller that goes away.
Async<> write_piece(Context& c, fsm::RestorePiece piece, std::shared_ptr<Result<>> result) {
  const auto written = co_await c.writer.write(std::move(piece));
  if (!written) *result = fail(written.error());
}

// The number of pieces that are in the log.
Async<Result<std::uint64_t>> write_pieces(Context& c, const Spool state, const std::string id) {
  std::uint64_t number = 0;
  for (std::uint64_t at = 0; at < state.bytes;) {
    auto block = co_await run_blocking(*c.files, [state, at] { return snapshot::read_at(state.file->get(), at, pieces_at_once * piece_bytes); });
    if (!block) co_return fail(block.error());
    if (block->empty()) co_return fail(Code::internal, "the state ends early");
    const auto result = std::make_shared<Result<>>();
    Scope writing(c.executor);
    for (std::size_t from = 0; from < block->size(); from += piece_bytes) {
      fsm::RestorePiece piece{.id = id, .number = number++, .data = model::Bytes(block->substr(from, piece_bytes))};
      writing.spawn(write_piece(c, std::move(piece), result));
    }
    co_await writing.join();
    if (!*result) co_return fail(result->error());
    at += block->size();
  }
  co_return number;
}

Async<Result<>> restore(Context& c, model::SnapshotRestoreRequest request, NodeStream& stream) {
  auto elsewhere = co_await who_answers(c, false, request.routed);
  if (!elsewhere) co_return fail(elsewhere.error());
  if (!elsewhere->empty()) {
    auto done = co_await pass_on_restore(c, std::move(*elsewhere), std::move(request), stream);
    co_return done;
  }
  auto file = co_await receive_file(c, stream);
  if (!file) co_return fail(refused(file.error()));
  auto state = co_await run_blocking(*c.files, [archive = std::move(*file), directory = c.data_dir] { return unpack(archive, directory); });
  if (!state) co_return fail(refused(state.error()));
  fsm::RestoreEnd end{.id = make_uuid(c.rng)};
  auto pieces = co_await write_pieces(c, *state, end.id);
  if (!pieces) co_return fail(refused(pieces.error()));
  end.pieces = *pieces;
  auto index = co_await c.writer.write(std::move(end));
  if (!index) co_return fail(refused(index.error()));
  c.log.warn("the state was replaced by a snapshot", "index", *index, "bytes", state->bytes);
  model::WriteMeta reply;
  reply.index = *index;
  std::string answer = model::to_msgpack(reply);
  auto sent = co_await send(stream, std::move(answer));
  co_return sent;
}

}  // namespace

void serve_snapshots(Context& c, NodeRpcServer& server) {
  wire::serve_stream<model::SnapshotSaveRequest>(server, wire::streams::snapshot_save, [&c](model::SnapshotSaveRequest r, NodeStream& stream) {
    return save(c, std::move(r), stream);
  });
  wire::serve_stream<model::SnapshotRestoreRequest>(server, wire::streams::snapshot_restore, [&c](model::SnapshotRestoreRequest r, NodeStream& stream) {
    return restore(c, std::move(r), stream);
  });
}

}  // namespace drover::rpc
