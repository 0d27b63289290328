// One plugin and everything known of it, and what the manager's files share. Included only by this folder's .cc files.
#pragma once

#include <algorithm>
#include <map>
#include <memory>

#include "agent/pluginhost/driver_manager.h"
#include "sdk/async/event.h"
#include "sdk/async/scope.h"
#include "sdk/base/reckoning.h"
#include "sdk/device/client.h"
#include "sdk/plugin/config.h"

namespace drover::pluginhost {

// Devices of a task, from its reservation until the plugin knows that they are free.
struct Holding {
  Holding(const Executor& executor, device::Owner whose, device::DeviceSet which) : owner(std::move(whose)), devices(std::move(which)), released(executor) {}
  device::Owner owner;
  device::DeviceSet devices;
  bool freed = false;      // the task has ended for good
  std::uint64_t told_to = 0;  // number of the process that knows the owner
  Event released;
};

// Lives as long as the manager.
struct PluginEntry {
  PluginEntry(const Executor& executor, Candidate from)
      : candidate(std::move(from)), displaced(executor), settled(executor), fingerprinted(executor), woken(executor), lines(executor), stats_changed(executor), owners_changed(executor) {
    name = candidate.name;
  }
  Candidate candidate;
  std::string name;      // from PluginInfo once it has answered
  driver::RemoteInfo info;
  Supervision supervision;
  std::string step = "launch", reason, remedy, stderr_tail;
  std::string last_error, last_step;
  UnixNanos last_error_at = 0;
  driver::DriverClient setup;   // the manager's own: nobody else's call reaches a process before it has its configuration
  driver::DriverClient client;  // everybody's, while it runs
  std::unique_ptr<plugin::PluginProcess> process;
  bool configured = false;      // the process has its configuration (SetConfig)
  // P-12: what is known of the plugin and TLS. One that came up with it, or failed without it too, is not tried without.
  enum class Tls { untried, works, breaks, not_to_blame } tls = Tls::untried;
  std::string cgroup;           // P-20: of its process; empty: it has none of its own
  Event displaced;       // another plugin provides the same, and its process is to end
  Event settled;         // running, or has failed once
  Event fingerprinted;
  Event woken;           // a pause is to end now
  PluginLogRing lines;
  LineRate line_rate;

  // Drivers.
  plugin::Spec task_schema;  // empty until the plugin has run once
  driver::Capabilities capabilities;
  driver::Fingerprint fingerprint;  // as the plugin sent it, or why there is none
  std::string hung;                 // not empty: it does not answer, for so long
  std::optional<bool> all_stats;    // this process gives the statistics of all its tasks in one stream; empty: it has not said
  Condition stats_changed;          // all_stats has
  // Devices.
  device::DeviceClient devices;
  bool listed = false;              // this process has said what devices there are
  std::vector<device::DeviceGroup> groups;
  std::vector<device::DeviceGroupStats> stats;
  std::vector<std::string> refused;
  std::uint64_t process_number = 0;  // of the process that runs, among all of this agent's life
  // This process has answered UNIMPLEMENTED: that is all there is to know, and to say, of it.
  bool wants_no_hints = false, wants_no_releases = false;
  Event owners_changed;              // there may be something to tell

  [[nodiscard]] bool is_driver() const { return info.type != driver::PluginType::device; }
  void disconnect() {
    setup.connect(nullptr);
    client.connect(nullptr);
    devices.connect(nullptr);
  }
};

struct DriverManager::Impl : std::enable_shared_from_this<Impl> {
  Impl(Executor loop, Logger logger, const Clock& time, Options given)
      : executor(loop), log(std::move(logger)), clock(time), reckoning(time), options(std::move(given)), rng(Rng::from_system()), scope(loop) {}

  Executor executor;
  Logger log;
  const Clock& clock;
  Reckoning reckoning;
  Options options;
  Rng rng;
  std::vector<std::unique_ptr<PluginEntry>> entries;
  std::vector<Skipped> skipped;
  std::vector<std::shared_ptr<Holding>> holdings;
  std::uint64_t processes = 0;  // that were served so far
  std::function<void(const std::string&)> changed, recovered;
  std::function<void(const std::string&, const driver::TaskEvent&)> task_event;
  std::function<void(const std::string&, std::vector<driver::TaskStats>)> task_stats;
  std::function<void()> reattach_changed;
  Scope scope;

  static void set_all_stats(PluginEntry& entry, std::optional<bool> gives) {
    entry.all_stats = gives;
    entry.stats_changed.notify_all();
  }
  void notify(const PluginEntry& entry) { if (changed) changed(entry.name); }
  void store() { if (reattach_changed) reattach_changed(); }
  // The driver of this name; of several the one that is not skipped.
  [[nodiscard]] PluginEntry* find(const std::string& name) const;
  // Any plugin by its own name or its file's.
  [[nodiscard]] PluginEntry* find_any(const std::string& name) const;

  Next advance(PluginEntry& entry, Happened happened) { return step(entry.supervision, happened, reckoning.now(), rng.unit()); }
  // One plugin from its start to the manager's end (plugin_life.cc).
  Async<> supervise(PluginEntry& entry, std::optional<plugin::Reattach> tuple);
  Async<> drop(PluginEntry& entry);
  Async<> stop_leftover(plugin::Reattach tuple);
  Async<> stop_one(PluginEntry& entry);

  // The streams of a plugin that runs (plugin_streams.cc). They end only by being cancelled.
  Async<> watch_fingerprints(PluginEntry& entry);
  Async<> watch_task_events(PluginEntry& entry);
  Async<> watch_task_stats(PluginEntry& entry);
  // F-24: a process that does not answer is said to be unhealthy, and left alone: its tasks may be fine.
  Async<> watch_health(PluginEntry& entry);
  Async<> watch_devices(PluginEntry& entry);
  Async<> watch_device_stats(PluginEntry& entry);

  // Devices and who holds them (device_owners.cc).
  [[nodiscard]] PluginEntry* owner_of(const std::string& group) const;
  [[nodiscard]] std::shared_ptr<Holding> holding(device::Owner owner, device::DeviceSet devices);
  Async<> hint(PluginEntry& entry, std::shared_ptr<Holding> held);
  Async<bool> release(PluginEntry& entry, std::shared_ptr<Holding> held);
  Async<> tell_of_owners(PluginEntry& entry);

 private:
  [[nodiscard]] bool denied(const std::string& name) const;
  [[nodiscard]] Logger logger_of(const PluginEntry& entry) const { return log.named(entry.candidate.name); }
  [[nodiscard]] std::function<void(const plugin::PluginLog&)> log_lines_of(PluginEntry& entry);
  Async<Result<>> bring_up(PluginEntry& entry, std::optional<plugin::Reattach> tuple, bool& taken_over);
  Async<Result<>> start_process(PluginEntry& entry);
  void confine(PluginEntry& entry, int pid);
  void limit(PluginEntry& entry);
  Async<Result<>> start_once(PluginEntry& entry, bool tls);
  Async<Result<>> take_over(PluginEntry& entry, plugin::Reattach tuple);
  Async<Result<>> set_up(PluginEntry& entry);
  Async<Result<>> identify(PluginEntry& entry);
  // 3.3: who of the two stays when both provide the same.
  [[nodiscard]] static bool goes_before(const PluginEntry& a, const PluginEntry& b);
  Async<Result<>> configure(PluginEntry& entry);
  Async<Result<>> learn(PluginEntry& entry);
  Async<> serve(PluginEntry& entry, bool taken_over);
  static Async<> process_end(PluginEntry& entry, std::string& how);
  void now_down(PluginEntry& entry, const Next& next);
  Unexpected skip(PluginEntry& entry, std::string reason, std::string remedy);
};

}  // namespace drover::pluginhost
