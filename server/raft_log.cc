#include "server/raft_log.h"

#include <filesystem>

#include "sdk/base/file.h"
#include "sdk/base/text.h"
#include "sdk/base/uuid.h"
#include "server/raft/raft.h"

namespace drover {
namespace {

// Snapshot records are framed by their length, four bytes, little-endian.
Result<> write_record(SnapshotWriter& out, std::string_view record) {
  const auto size = static_cast<std::uint32_t>(record.size());
  std::string frame(4, '\0');
  for (std::size_t i = 0; i < 4; ++i) frame[i] = static_cast<char>((size >> (8 * i)) & 0xff);
  DROVER_TRY(out.write(frame));
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

// Raft's view of the state machine.
class RaftFsm final : public Fsm {
 public:
  RaftFsm(fsm::Fsm& inner, Logger log) : inner_(inner), log_(std::move(log)) {}
  Result<> apply(std::uint64_t index, std::string_view entry) override {
    auto applied = inner_.apply(index, entry);
    if (applied) return {};
    // Going on would leave this server with another state than its peers.
    log_.error("the log cannot be applied", "index", index, "error", applied.error());
    DROVER_CHECK(applied.has_value());
    return {};
  }
  std::function<Result<>(SnapshotWriter&)> snapshot() override {
    return [write = inner_.snapshot()](SnapshotWriter& out) {
      return write([&out](std::string_view record) { return write_record(out, record); });
    };
  }
  Result<> restore(SnapshotReader& reader) override {
    return inner_.restore([&reader](std::string& record) { return read_record(reader, record); });
  }

 private:
  fsm::Fsm& inner_;
  Logger log_;
};

class RaftLog final : public fsm::Log {
 public:
  RaftLog(std::unique_ptr<RaftFsm> fsm, std::unique_ptr<Raft> raft) : fsm_(std::move(fsm)), raft_(std::move(raft)) {}

  Async<Result<std::uint64_t>> propose(std::string entry) override {
    auto index = co_await raft_->propose(std::move(entry));
    co_return index;
  }
  [[nodiscard]] bool is_leader() const override { return raft_->is_leader(); }
  [[nodiscard]] std::string leader() const override { return raft_->leader().address; }
  void on_leadership(std::function<void(bool)> callback) override {
    raft_->on_leadership([callback = std::move(callback)](bool leads, std::uint64_t) { callback(leads); });
  }
  [[nodiscard]] std::map<std::string, std::string> stats() const override {
    const RaftStats s = raft_->stats();
    return {{"term", std::to_string(s.term)},
            {"last_log_index", std::to_string(s.last_index)},
            {"commit_index", std::to_string(s.commit_index)},
            {"applied_index", std::to_string(s.applied_index)},
            {"last_snapshot_index", std::to_string(s.snapshot_index)},
            {"fsm_pending", std::to_string(s.waiting)},
            {"num_peers", std::to_string(raft_->members().empty() ? 0 : raft_->members().size() - 1)},
            {"writes", std::to_string(s.writes)},
            {"entries_written", std::to_string(s.entries_written)},
            {"bytes_written", std::to_string(s.bytes_written)}};
  }
  void set_snapshot_policy(std::uint64_t threshold, std::uint32_t trailing) override { raft_->set_snapshot_policy(threshold, trailing); }
  Async<> close() override { co_await raft_->close(); }

 private:
  std::unique_ptr<RaftFsm> fsm_;
  std::unique_ptr<Raft> raft_;
};

}  // namespace

Result<std::unique_ptr<fsm::Log>> open_raft_log(const ServerOptions& options, fsm::Fsm& fsm, const Executor& executor) {
  if (!options.dev && options.data_dir.empty()) {
    return fail(Code::invalid_argument, "the server has no data directory: set data_dir in the agent's configuration");
  }
  RaftOptions raft;
  if (!options.dev) raft.data_dir = options.data_dir + "/raft";
  raft.address = options.advertise_rpc;
  raft.bootstrap = {{1, options.advertise_rpc, MemberRole::voter}};
  raft.executor = executor;
  raft.logger = options.log.named("raft");
  raft.snapshot_threshold = options.tuning.snapshot_threshold;
  raft.snapshot_trailing = options.tuning.snapshot_trailing;
  if (options.clock != nullptr) raft.clock = options.clock;
  auto adapter = std::make_unique<RaftFsm>(fsm, options.log.named("fsm"));
  auto opened = Raft::open(std::move(raft), *adapter);
  if (!opened) return fail(opened.error());
  return std::unique_ptr<fsm::Log>(std::make_unique<RaftLog>(std::move(adapter), std::move(*opened)));
}

Result<std::string> server_node_id(const ServerOptions& options) {
  if (!options.node_id.empty()) return options.node_id;
  if (options.dev || options.data_dir.empty()) return make_uuid();
  const std::string directory = options.data_dir + "/server";
  const std::string path = directory + "/node-id";
  DROVER_TRY(make_directories(directory, 0700));
  if (std::filesystem::exists(path)) {
    auto text = read_file(path);
    if (!text) return fail(text.error());
    const std::string id(trim(*text));
    if (is_uuid(id)) return id;
  }
  const std::string id = make_uuid();
  DROVER_TRY(replace_file_durably(path, id));
  return id;
}

}  // namespace drover
