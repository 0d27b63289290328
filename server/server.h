// The server role: replicated log, state, broker, scheduler workers, leader's watchers and the handlers of every RPC.
//
// Made by the composition root on the loop; it and everything in it lives there. Callers reach it through the Registry only,
// also in this process. `co_await shutdown()` before it is destroyed.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "lib/metrics/meter.h"
#include "lib/model/diff.h"
#include "lib/model/job.h"
#include "lib/wire/caller.h"
#include "sdk/async/asio.h"
#include "sdk/base/clock.h"
#include "sdk/base/log.h"
#include "server/broker/plan_check.h"
#include "server/broker/worker.h"
#include "server/events/event_buffer.h"
#include "server/fsm/writer.h"
#include "server/gauge_options.h"
#include "server/gc/collector.h"
#include "server/nodes/heartbeats.h"
#include "server/rpc/hooks.h"

namespace drover {

class NodeRpcServer;
class NodeTls;
namespace rpc {
class NodeSessions;
}
// What a running server takes over from a changed configuration.
struct ServerTuning {
  int num_schedulers = 0;                       // 0: one per core
  std::vector<std::string> enabled_schedulers;  // empty: all
  std::uint64_t snapshot_threshold = 8192;      // entries of the log between two snapshots
  std::uint32_t snapshot_trailing = 1024;       // entries that a snapshot leaves in it
};

struct ServerOptions {
  bool dev = false;                       // the log is kept in memory
  std::string data_dir;                   // where the log is kept otherwise
  std::string name = "server";            // without the region
  std::string node_id;                    // empty: made at first start
  std::string region = "global";
  std::string datacenter = "dc1";
  std::string advertise_rpc = "127.0.0.1:4647";
  std::string build;                      // version told to other servers
  std::int64_t bootstrap_expect = 1;      // servers that begin a cluster together
  std::vector<std::string> join;          // host:port of others to ask for it
  std::int64_t join_retry_max = 0;        // 0: no end
  std::chrono::nanoseconds join_retry_interval = std::chrono::seconds(30);
  bool non_voter = false;
  std::uint32_t raft_multiplier = 1;
  ServerTuning tuning;
  std::size_t event_buffer_size = 100;
  std::int64_t job_tracked_versions = 6;
  std::size_t job_max_source_size = 1'000'000;
  std::int64_t job_max_priority = 100;
  nodes::HeartbeatOptions heartbeats;
  gc::GcOptions gc;
  model::SchedulerConfiguration default_scheduler_config = state::default_scheduler_config();

  rpc::Hooks hooks;                       // lib/jobspec and lib/bexpr, given by the composition root
  broker::FitCheck fits;                  // empty: scheduler::allocs_fit
  broker::RunFactory make_run;            // empty: scheduler::make_run
  // Opens the replicated log over the state machine. Empty: server/cluster under `data_dir`, in memory with `dev`.
  std::function<Result<std::unique_ptr<fsm::Log>>(const ServerOptions& options, fsm::Fsm& fsm, Executor executor)> open_log;

  const Clock* clock = nullptr;           // null: the machine's
  std::uint64_t seed = 0;                 // of every random choice; 0: from the system
  std::shared_ptr<const NodeTls> tls;     // of calls to other servers; null: none
  Logger log;
  metrics::Registry* metrics = nullptr;   // null: nothing is measured
  GaugeOptions gauges;
};

class Server {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Server>> start(Executor executor, ServerOptions options);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Handlers of every endpoint in lib/wire/endpoints.h, for a Caller in this process and for the RPC server.
  [[nodiscard]] wire::Registry& registry();
  [[nodiscard]] bool is_leader() const;
  // "host:port" of the leader's RPC listener; empty without one.
  [[nodiscard]] std::string leader() const;
  // Sections of `agent-info`: nomad, raft, runtime counters by name.
  [[nodiscard]] std::map<std::string, std::map<std::string, std::string>> stats() const;
  // Raft's streams and those of snapshots, before the RPC listener is opened.
  void serve_streams(NodeRpcServer& server);
  // Looks for the other servers, once the RPC listener is open. `failed`: none was found in join_retry_max rounds.
  void find_others(std::function<void(Error)> failed);
  // Tells the others that this server goes for good, and returns when they have taken it out or it is clear that they cannot.
  [[nodiscard]] Async<> leave();
  // Brings this server and the one at host:port into one cluster.
  [[nodiscard]] Async<Result<>> join(std::string address);
  // Host:port of every other server of the cluster.
  [[nodiscard]] std::vector<std::string> others() const;
  // The ways to the nodes. Registered with the RPC server by rpc::serve_node_streams().
  [[nodiscard]] rpc::NodeSessions& node_sessions();
  // The source of /v1/event/stream.
  [[nodiscard]] events::EventBuffer& events();
  void tune(ServerTuning tuning);
  // Sets the gauges of this role; each collection interval.
  void publish_gauges();
  // Ends every coroutine; parked queries answer with an error.
  [[nodiscard]] Async<> shutdown();

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace drover
