// The host's side of the go-plugin handshake: start a plugin process or re-attach to one, and stop it (protocol 1, 2).
//
// The process gets its own session, a private socket directory, an allow-listed environment and a stderr that outlives us:
// a file in that directory, followed for log lines. Nothing dies with the agent. Loop only.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sdk/async/asio.h"
#include "sdk/async/scope.h"
#include "sdk/base/log.h"
#include "sdk/base/process.h"
#include "sdk/plugin/handshake.h"
#include "sdk/plugin/tls.h"

namespace drover::rpc { class Client; }

namespace drover::plugin {

struct LaunchOptions {
  std::string executable;
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::string>> environment;  // already filtered, see filter_environment()
  std::string directory;                                         // for socket and stderr; made 0700
  bool tls = false;  // P-12: asks the plugin for TLS; one that knows nothing of it goes on without
  std::chrono::nanoseconds start_timeout = std::chrono::minutes(1);
  std::function<void(int pid)> on_spawn = {};            // before it can have started anything
  std::function<void(const PluginLog&)> on_log = {};  // gets the records of stderr instead of `log`
};

// P-13: names a plugin process for good, so that it can be found again after an agent restart.
struct Reattach {
  std::string network;  // "unix" or "tcp"
  std::string address;
  std::int32_t pid = 0;
  std::uint64_t start_ticks = 0;
  std::string boot_id;
  std::uint64_t executable_device = 0, executable_inode = 0;
  std::string executable, directory;
  // P-12: with TLS, the plugin's certificate and what we identify ourselves by, both in PEM.
  std::string certificate = {};
  Identity own = {};
  [[nodiscard]] bool secure() const { return !certificate.empty(); }
  friend bool operator==(const Reattach&, const Reattach&) = default;
};

class PluginProcess {
 public:
  struct Impl;
  ~PluginProcess();
  PluginProcess(const PluginProcess&) = delete;
  PluginProcess& operator=(const PluginProcess&) = delete;

  [[nodiscard]] const std::shared_ptr<rpc::Client>& client() const;
  [[nodiscard]] const Reattach& reattach() const;
  [[nodiscard]] int pid() const;
  // Returns when the process has ended: "exit status 2", "signal 9" or "ended" when it was not our child.
  [[nodiscard]] Async<std::string> wait();
  // Asks the health service whether anybody is there. Code::deadline_exceeded: nobody within `limit`.
  [[nodiscard]] Async<Result<>> ping(std::chrono::nanoseconds limit);
  // It answered with a certificate, and then hands could not be shaken with it.
  [[nodiscard]] bool tls_refused() const;
  // The last lines of stderr, at most 4 KiB.
  [[nodiscard]] std::string stderr_tail() const;
  // Controller Shutdown, 2 s of grace, then SIGKILL to this one pid; removes the socket.
  [[nodiscard]] Async<> stop();
  // Forgets the process without stopping it: it can be re-attached.
  [[nodiscard]] Async<> detach();

 private:
  friend Async<Result<std::unique_ptr<PluginProcess>>> launch(Executor, Logger, LaunchOptions);
  friend Async<Result<std::unique_ptr<PluginProcess>>> reattach(Executor, Logger, Reattach, std::function<void(const PluginLog&)>);
  explicit PluginProcess(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

// The error's text begins with the reference's phrase (protocol 1.5) and ends with exit status and last stderr lines.
// Code::deadline_exceeded: it said nothing in time.
[[nodiscard]] Async<Result<std::unique_ptr<PluginProcess>>> launch(Executor executor, Logger log, LaunchOptions options);
// Fails with not_found when the process is gone or is another one. `log` is named after the executable by the caller.
[[nodiscard]] Async<Result<std::unique_ptr<PluginProcess>>> reattach(Executor executor, Logger log, Reattach tuple,
                                                                          std::function<void(const PluginLog&)> on_log = {});

// P-30: what of the agent's environment a plugin may see.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> filter_environment(
    const std::vector<std::pair<std::string, std::string>>& environment);

}  // namespace drover::plugin
