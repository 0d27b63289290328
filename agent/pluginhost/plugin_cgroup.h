// P-20: every plugin's process in a cgroup of its own, with limits where no task can be hit by them (docs/adr/0012-plugin-cgroups.md).
//
// Drivers start helpers that hold tasks and outlive the plugin: executors, log collectors, and with some the tasks themselves. They are born into the
// plugin's cgroup, so it is never killed, and memory and processes of a driver are limited only when an operator says so. Device plugins have none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sdk/base/error.h"

namespace drover::pluginhost {

// `limits { ... }` of a plugin block. 0 is no limit; what is not set is decided by the plugin's type.
struct PluginLimits {
  std::optional<std::int64_t> memory_mb = {}, pids = {}, cpu_weight = {};
  friend bool operator==(const PluginLimits&, const PluginLimits&) = default;
};

// Pure. Files of the cgroup and what to write into them, in order.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> limit_files(const PluginLimits& limits, bool device);

// Pure. A plugin dies before the agent does. Tasks of third-party drivers inherit what their plugin has, so those go like any other process.
[[nodiscard]] int plugin_oom_score(int agents_own, bool first_party);

// "/sys/fs/cgroup/nomad.slice" or where else cgroup2 is; empty where we may make none.
[[nodiscard]] std::string find_cgroup_slice();
// Agents on one machine have different directories, so their plugins have different cgroups.
[[nodiscard]] std::string plugin_cgroup(const std::string& slice, const std::string& file, const std::string& socket_dir);

// Makes the cgroup, or finds it with helpers of an earlier process in it, and moves the process there.
[[nodiscard]] Result<> enter_plugin_cgroup(const std::string& path, int pid);
// What could not be set, and why; empty: all holds.
[[nodiscard]] std::vector<std::string> set_plugin_limits(const std::string& path, const PluginLimits& limits, bool device);
// How often the kernel has killed something in it for memory.
[[nodiscard]] std::uint64_t oom_kills_in(const std::string& path);
// Once the process has ended. One with helpers in it stays for them, and for the next process.
void leave_plugin_cgroup(const std::string& path);
// Removes those that are empty and older than `age_seconds`: of agents whose directories are no more, and of plugins that ended without one.
void sweep_plugin_cgroups(const std::string& slice, std::int64_t now_seconds, std::int64_t age_seconds);

// Raising is allowed to everybody, and a plugin never gets a lower one than the agent's. Errors mean that the process is gone.
void set_oom_score(int pid, bool first_party);

}  // namespace drover::pluginhost
