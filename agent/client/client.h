// The client role of an agent: it tells the servers what this machine is, takes the allocations they place here, runs them
// and reports. Loop only. Made by the composition root; `co_await shutdown()` before it is destroyed: tasks and plugins then
// live on, for the next agent to take over.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "agent/alloc/alloc_runner.h"
#include "agent/config/config.h"
#include "agent/pluginhost/driver_manager.h"
#include "agent/sync/reverse_stream.h"
#include "lib/model/driver_schema.h"
#include "lib/metrics/meter.h"
#include "lib/model/plugin_status.h"
#include "lib/model/stats.h"
#include "lib/wire/caller.h"
#include "sdk/base/clock.h"
#include "sdk/base/log.h"

namespace drover::agent {

struct ClientOptions {
  Executor executor;
  Logger log;
  const Clock& clock;
  wire::Caller& caller;
  wire::StreamOpener& streams;   // to the same servers
  Config config;                 // with resolved directories
  std::string version;           // what clients of the API see
  std::string http_address;      // host:port advertised
  pluginhost::Directories plugin_directories;
  std::map<std::string, std::string> environment;  // the agent's own
  ReverseStream::Serve serve;    // answers requests that come by a server
  metrics::Meter meter;
  // Told with each heartbeat which servers there are. May be empty.
  std::function<void(std::vector<std::string> addresses)> learn_servers;
};

class Client {
 public:
  // Reads what an earlier agent stored, starts plugins, and registers in the background.
  [[nodiscard]] static Result<std::unique_ptr<Client>> start(ClientOptions options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  [[nodiscard]] Async<> shutdown();
  // Before the last shutdown: empties the node when `drain_on_shutdown` says so, working as ever meanwhile; cancel it when the time is up.
  [[nodiscard]] Async<Result<>> leave();

  [[nodiscard]] std::shared_ptr<const model::Node> node() const;
  // Looks at the machine again, as at start, and registers again when something has changed.
  void refresh();
  // New plugin blocks, and whatever lies in the plugin directories now.
  void reload_plugins(const Config& config);
  // Null when the allocation is not here.
  [[nodiscard]] AllocRunner* alloc(std::string_view id);
  // Percentages are over the time since the call before.
  [[nodiscard]] model::HostStats host_stats();
  // What the config blocks of this node's drivers may hold.
  [[nodiscard]] model::List<model::DriverSchema> driver_schemas() const;
  // Gives up one terminal allocation's files and records, or all of them. False: none was terminal.
  bool collect(std::string_view id);
  void collect_all();
  [[nodiscard]] std::string alloc_root() const;
  [[nodiscard]] std::vector<model::AgentPlugin> plugins() const;
  [[nodiscard]] pluginhost::DriverManager& plugin_manager();
  // Sets the gauges of this role, those of the machine and of tasks as telemetry asks; each collection interval.
  void publish_gauges();
  // For agent-info's `client` section.
  [[nodiscard]] std::map<std::string, std::string> stats() const;

 private:
  struct Impl;
  explicit Client(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace drover::agent
