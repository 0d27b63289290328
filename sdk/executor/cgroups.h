// What the host offers in cgroups, and the scope of one task. Version 2 only; on hybrid hosts the controller-less cgroup2
// hierarchy still gives exact process sets and cgroup.kill (client contract 11.7).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sdk/base/error.h"

namespace drover {

enum class CgroupMode : std::uint8_t { off, hybrid, missing_controllers, unified };

struct CgroupHost {
  CgroupMode mode = CgroupMode::off;
  std::string mount;                             // of the cgroup2 hierarchy, empty: none
  std::string slice;                             // below it, where our scopes are: "/sys/fs/cgroup/nomad.slice"
  std::string suffix = ".slice";                 // of share and reserve; empty in the delegated layout
  std::vector<std::string> missing_controllers;  // of cpuset cpu io memory pids
};

// Pure: content of /proc/self/mountinfo and of the root's cgroup.controllers.
[[nodiscard]] CgroupHost classify_cgroups(std::string_view mountinfo, std::string_view controllers);
[[nodiscard]] CgroupHost inspect_cgroups();

// Why exec and java cannot run fully here and what to change; empty when they can.
[[nodiscard]] std::string cgroup_complaint(const CgroupHost& host);

// The cgroup2 directory for a task: what the host gave in cpuset_cgroup when that is one, else a scope made below the
// cgroup2 mount, with the slices above it and their controllers (client contract 5.5). `made` tells that we have to remove it.
// Empty: none can be had here. Whatever an earlier start left in a scope of ours is killed.
struct TaskCgroup {
  std::string path;
  bool made = false;
};
[[nodiscard]] Result<TaskCgroup> task_cgroup(const CgroupHost& host, const std::string& given, const std::string& scope_name,
                                             const std::string& reserved_cores = {});
// "<alloc>.<task>.scope", and where such a scope is made; empty where none can be.
[[nodiscard]] std::string scope_name(const std::string& alloc_id, const std::string& task);
[[nodiscard]] std::string scope_path(const CgroupHost& host, const std::string& scope_name, bool reserves_cores = false);
[[nodiscard]] bool is_cgroup2(const std::string& path);

// rmdir of a scope of ours. False: processes, or zombies nobody has reaped yet, are still in it; try again later. Cores that it
// had reserved are shared again.
[[nodiscard]] bool remove_scope(const CgroupHost& host, const std::string& path);
// Scopes of ours that are empty, belong to no task of ours and are older than `age`: what a crash left (L-17). Tells which went.
[[nodiscard]] std::vector<std::string> sweep_scopes(const CgroupHost& host, std::int64_t now_seconds, std::int64_t age_seconds);
// Gives each slice the cores that its scopes want, in the order in which no scope ends without one (client contract 11.5).
[[nodiscard]] Result<> partition_cores(const CgroupHost& host);

}  // namespace drover
