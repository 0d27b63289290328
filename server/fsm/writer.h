// Writing to the replicated log: encode a message, propose it, learn whether it was applied or refused.
// Loop only. `Log` is what the server needs of raft.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "lib/metrics/meter.h"
#include "sdk/async/asio.h"
#include "server/fsm/fsm.h"

namespace drover::fsm {

class Log {
 public:
  virtual ~Log() = default;
  // Resumes when the entry is durable and applied here, with its index.
  [[nodiscard]] virtual Async<Result<std::uint64_t>> propose(std::string entry) = 0;
  [[nodiscard]] virtual bool is_leader() const = 0;
  // Nobody can know more than this server, whether it leads or not.
  [[nodiscard]] virtual bool knows_all() const { return false; }
  // "host:port" of another server that leads; empty when none is known.
  [[nodiscard]] virtual std::string leader() const { return {}; }
  // How long ago the leader was last heard of; empty when it never was.
  [[nodiscard]] virtual std::optional<std::chrono::milliseconds> last_contact() const { return std::chrono::milliseconds(0); }
  // Called on the loop at each change, and once soon after registration.
  virtual void on_leadership(std::function<void(bool leads)> callback) = 0;
  // How often a snapshot is taken and how many entries it leaves, from now on.
  virtual void set_snapshot_policy(std::uint64_t /*threshold*/, std::uint32_t /*trailing*/) {}
  // Counters by name, for `agent-info`.
  [[nodiscard]] virtual std::map<std::string, std::string> stats() const { return {}; }
  [[nodiscard]] virtual Async<> close() = 0;
};

class Writer {
 public:
  Writer(Log& log, Fsm& fsm, metrics::Meter meter = {}) : log_(log), fsm_(fsm), meter_(meter) {}

  template <class Message>
  [[nodiscard]] Async<Result<std::uint64_t>> write(Message message) {
    const auto start = std::chrono::steady_clock::now();
    std::string entry = encode(message);
    auto index = co_await log_.propose(std::move(entry));
    if (!index) co_return index;
    meter_.count("raft.apply");
    meter_.since("raft.commitTime", start);
    if (auto refused = fsm_.take_refusal(*index)) co_return fail(std::move(*refused));
    co_return fsm_.shown_index(*index);
  }
  [[nodiscard]] bool is_leader() const { return log_.is_leader(); }
  // A read that may not be stale is answered here.
  [[nodiscard]] bool may_read() const { return log_.is_leader() || log_.knows_all(); }
  [[nodiscard]] bool leader_known() const { return log_.is_leader() || !log_.leader().empty(); }
  [[nodiscard]] std::optional<std::chrono::milliseconds> last_contact() const { return log_.last_contact(); }

 private:
  Log& log_;
  Fsm& fsm_;
  metrics::Meter meter_;
};

}  // namespace drover::fsm
