#include "server/cluster/raft_fsm.h"


namespace drover::cluster {
namespace {

Result<> write_record(SnapshotWriter& out, std::string_view record) {
  DROVER_TRY(out.write(fsm::frame_of(record.size())));
  return out.write(record);
}

Result<bool> read_record(SnapshotReader& in, std::string& record) {
  auto head = in.read(4);
  if (!head) return fail(head.error());
  if (head->empty()) return false;
  if (head->size() < 4) {
    auto rest = in.read_exactly(4 - head->size());
    if (!rest) return fail(rest.error());
    *head += *rest;
  }
  std::uint32_t size = 0;
  for (std::size_t i = 0; i < 4; ++i) size |= static_cast<std::uint32_t>(static_cast<std::uint8_t>((*head)[i])) << (8 * i);
  auto body = in.read_exactly(size);
  if (!body) return fail(body.error());
  record = std::move(*body);
  return true;
}

}  // namespace

Result<> RaftFsm::apply(std::uint64_t index, std::string_view entry) {
  auto applied = inner_.apply(index, entry);
  if (applied) return {};
  // Going on would leave this server with another state than its peers.
  log_.error("the log cannot be applied", "index", index, "error", applied.error());
  DROVER_CHECK(applied.has_value());
  return {};
}

std::function<Result<>(SnapshotWriter&)> RaftFsm::snapshot() {
  return [write = inner_.snapshot()](SnapshotWriter& out) {
    return write([&out](std::string_view record) { return write_record(out, record); });
  };
}

Result<> RaftFsm::restore(SnapshotReader& reader) {
  return inner_.restore([&reader](std::string& record) { return read_record(reader, record); });
}

Result<std::function<Result<>()>> RaftFsm::load(SnapshotReader& reader) {
  auto loaded = fsm::Fsm::load([&reader](std::string& record) { return read_record(reader, record); });
  if (!loaded) return fail(loaded.error());
  return [this, loaded = std::move(*loaded)]() -> Result<> {
    inner_.take_over(*loaded);
    return {};
  };
}

}  // namespace drover::cluster
