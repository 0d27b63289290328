// An agent put together: HTTP API, RPC listener, server role, client role, on one loop. The only place that sees both roles;
// they know each other by RPC alone.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/config/config.h"
#include "sdk/async/asio.h"
#include "sdk/base/log.h"
#include "sdk/base/log_tap.h"

namespace drover::cli {

struct RuntimeOptions {
  agent::Config config;
  std::map<std::string, std::string> environment;
  std::string version;                 // what clients of the API see
  std::string libexec;                 // directory of first-party plugins
  Logger log;
  std::shared_ptr<LogTap> log_tap;     // what `log` writes to
  std::function<void()> give_up;       // the agent cannot do what it was asked for and is to end
};

class Runtime {
 public:
  // Locks the data directory, starts the roles and listens. Errors name the step; what had started is ended again.
  [[nodiscard]] static Async<Result<std::unique_ptr<Runtime>>> start(Executor executor, RuntimeOptions options);
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  // Before it ends for good: empties the client's node when its configuration says so, then takes the server out of its cluster.
  [[nodiscard]] Async<Result<>> leave();
  // Orderly end; tasks and plugins live on.
  [[nodiscard]] Async<> shutdown();
  [[nodiscard]] std::string node_id() const;
  // Takes over what a running agent can (client.md 1.8): TLS of the HTTP API, schedulers and snapshots of the server, facts of the
  // client's machine. Everything else that has changed waits for a restart.
  [[nodiscard]] Result<> reload(const agent::Config& config);

 private:
  struct Impl;
  explicit Runtime(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace drover::cli
