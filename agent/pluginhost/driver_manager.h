// Every driver plugin of a node: found, launched once, watched, restarted, re-attached. Loop only; owned by the client role.
//
// A DriverClient* stays valid for the manager's life, whatever happens to the process behind it: while the plugin is down
// its calls fail with Code::unavailable and "plugin is shut down", and on_recover tells when to repeat RecoverTask.
// Missing and broken plugins never stop the agent: plugins() lists them with phase, reason, last stderr lines and remedy.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agent/pluginhost/catalogue.h"
#include "sdk/base/clock.h"
#include "sdk/base/log.h"
#include "sdk/driver/client.h"
#include "sdk/plugin/launch.h"
#include "sdk/plugin/schema.h"

namespace drover::pluginhost {

struct Options {
  Directories directories;
  std::map<std::string, PluginBlock> blocks;  // the agent's plugin blocks, by name
  std::string socket_dir;                     // private directory for sockets and stderr files; made 0700
  plugin::NodeTopology topology;              // what drivers learn about the machine
  std::vector<std::pair<std::string, std::string>> environment;  // the agent's own; filtered by the allow-list (P-30)
  std::vector<std::string> allowlist, denylist;                  // driver names; an empty allow-list allows all
};

enum class Phase { starting, running, backoff, failed, stopped, skipped };
[[nodiscard]] std::string_view to_string(Phase phase);

struct PluginStatus {
  std::string file;        // path of the executable
  std::string name;        // from PluginInfo, else the file's name
  std::string version;
  Phase phase = Phase::starting;
  int pid = 0;
  std::string reason;      // why it is not running, with the exit status
  std::string remedy;      // what an operator can do
  std::string stderr_tail; // last lines
  int restarts = 0;
};

class DriverManager {
 public:
  DriverManager(Executor executor, Logger log, const Clock& clock, Options options);
  ~DriverManager();
  DriverManager(const DriverManager&) = delete;
  DriverManager& operator=(const DriverManager&) = delete;

  // Re-attaches what `reattach_json` (an earlier reattach_json()) names and still lives, launches the rest side by side, and
  // returns when each plugin is running or has failed once. Never fails as a whole.
  [[nodiscard]] Async<> start(std::string reattach_json);
  // Leaves the plugins running, to be re-attached (the agent is restarting).
  [[nodiscard]] Async<> detach();
  // Stops every plugin in order (Driver.Shutdown, controller Shutdown, SIGKILL after 2 s). Tasks go on.
  [[nodiscard]] Async<> shutdown();

  // Names of all known drivers, running or not.
  [[nodiscard]] std::vector<std::string> drivers() const;
  // not_found with what is known when there is no such driver; unavailable with the reason when it has never run.
  [[nodiscard]] Result<driver::DriverClient*> driver(const std::string& name);
  [[nodiscard]] Result<plugin::Spec> schema(const std::string& name) const;
  [[nodiscard]] Result<driver::Capabilities> capabilities(const std::string& name) const;
  // The newest fingerprint; `undetected` with the reason as description while the plugin is not running.
  [[nodiscard]] driver::Fingerprint fingerprint(const std::string& name) const;
  // Waits for the first fingerprint of this run of the agent.
  [[nodiscard]] Async<Result<driver::Fingerprint>> wait_fingerprint(std::string name, std::chrono::nanoseconds limit);

  // Called on the loop whenever a driver's fingerprint or phase changed.
  void on_change(std::function<void(const std::string& driver)> callback);
  // Called on the loop after a driver's process was replaced and is ready: repeat RecoverTask for its live tasks.
  void on_recover(std::function<void(const std::string& driver)> callback);
  // Events of tasks, from the driver's TaskEvents stream.
  void on_task_event(std::function<void(const std::string& driver, const driver::TaskEvent& event)> callback);
  // Called on the loop when reattach_json() changed: store it before anything else.
  void on_reattach_change(std::function<void()> callback);
  [[nodiscard]] std::string reattach_json() const;
  [[nodiscard]] std::vector<PluginStatus> plugins() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace drover::pluginhost
