// Every plugin of a node, drivers and devices: found, launched once, watched, restarted, re-attached. Loop only; owned by the client role.
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
#include "agent/pluginhost/plugin_log.h"
#include "agent/pluginhost/supervisor.h"
#include "sdk/base/clock.h"
#include "sdk/base/log.h"
#include "sdk/device/device.h"
#include "sdk/driver/client.h"
#include "sdk/plugin/launch.h"
#include "sdk/plugin/schema.h"

namespace drover::pluginhost {

struct Options {
  Directories directories;
  std::map<std::string, PluginBlock> blocks;  // the agent's plugin blocks, by name
  std::string socket_dir;                     // private directory for sockets and stderr files; made 0700
  std::string cgroup_slice;                   // P-20: below which plugins get cgroups of their own; empty: they do not
  plugin::NodeTopology topology;              // what drivers learn about the machine
  std::vector<std::pair<std::string, std::string>> environment;  // the agent's own; filtered by the allow-list (P-30)
  std::vector<std::string> allowlist, denylist;                  // driver names; an empty allow-list allows all
};

struct PluginStatus {
  std::string file;        // path of the executable
  std::string name;        // from PluginInfo, else the file's name
  driver::PluginType type = driver::PluginType::unknown;
  std::string version;
  std::vector<std::string> api_versions;
  bool first_party = false;
  Phase phase = Phase::starting;
  UnixNanos since = 0;     // when the phase began
  UnixNanos next_start = 0;
  int pid = 0;
  bool secure = false;     // it is spoken to over mutual TLS (P-12)
  std::string step;        // at which it failed: "launch", "config", "init", ...; "running" when its process ended
  std::string reason;      // why it is not running, with the exit status
  std::string remedy;      // what an operator can do
  std::string stderr_tail; // last lines
  int restarts = 0;
  std::string last_error;  // the newest reason, kept while it runs again
  std::string last_step;
  UnixNanos last_error_at = 0;
  driver::Fingerprint fingerprint;    // drivers
  std::vector<std::string> refused;   // what of its answers was left out, and why
  std::vector<device::DeviceGroup> devices;
};

class DriverManager {
 public:
  DriverManager(Executor executor, Logger log, const Clock& clock, Options options);
  ~DriverManager();
  DriverManager(const DriverManager&) = delete;
  DriverManager& operator=(const DriverManager&) = delete;

  // What plugins learn about the machine; before start().
  void set_topology(plugin::NodeTopology topology);
  // Re-attaches what `reattach_json` (an earlier reattach_json()) names and still lives, launches the rest side by side, and
  // returns when each plugin is running or has failed once. Never fails as a whole.
  [[nodiscard]] Async<> start(std::string reattach_json);
  // Looks into the directories again, with these blocks: what is new is started, what waits is tried at once. A plugin that runs is
  // left alone, also when its file or its block has changed: both take effect at its next start (F-30).
  void rescan(std::map<std::string, PluginBlock> blocks);
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
  // It came with Drover, from libexec.
  [[nodiscard]] bool is_first_party(const std::string& name) const;
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
  // Statistics of tasks, about once a second each, from drivers that give those of all their tasks in one stream.
  void on_task_stats(std::function<void(const std::string& driver, std::vector<driver::TaskStats> stats)> callback);
  // Whether the driver does that; waits until its process has said so. False: each task has to be asked for by itself.
  [[nodiscard]] Async<bool> gives_all_stats(std::string name);
  // Returns when it is no longer so, since its process has ended.
  [[nodiscard]] Async<> all_stats_over(std::string name);
  // Called on the loop when reattach_json() changed: store it before anything else.
  void on_reattach_change(std::function<void()> callback);
  [[nodiscard]] std::string reattach_json() const;
  [[nodiscard]] std::vector<PluginStatus> plugins() const;
  // A plugin by its own name or its file's. The log lives as long as the manager; null when there is no such plugin.
  [[nodiscard]] PluginLogRing* log_of(const std::string& name) const;
  // Forgets what went wrong and tries at once. not_found names the plugins there are.
  [[nodiscard]] Result<> reset(const std::string& name);

  // What the device plugins of this node have, checked and in order.
  [[nodiscard]] std::vector<device::DeviceGroup> devices() const;
  // Every device plugin that is wanted here runs and has listed its devices: what is not in devices() is gone.
  [[nodiscard]] bool devices_known() const;
  [[nodiscard]] std::vector<device::DeviceGroupStats> device_stats() const;
  // The plugin learns whom they are for, if it wants to know (sdk/proto/device_ext.proto).
  [[nodiscard]] Async<Result<device::Reservation>> reserve(device::Owner owner, device::DeviceSet devices);
  // The task of an earlier agent holds them still.
  void hold(device::Owner owner, device::DeviceSet devices);
  // They are free. Returns once the plugin knows it, or does not want to know; Code::unavailable when it is away: it is told when it
  // is back.
  [[nodiscard]] Async<Result<>> release(device::Owner owner, device::DeviceSet devices);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace drover::pluginhost
