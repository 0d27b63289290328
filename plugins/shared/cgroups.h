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
  std::vector<std::string> missing_controllers;  // of cpuset cpu io memory pids
};

// Pure: content of /proc/self/mountinfo and of the root's cgroup.controllers.
[[nodiscard]] CgroupHost classify_cgroups(std::string_view mountinfo, std::string_view controllers);
[[nodiscard]] CgroupHost inspect_cgroups();

// Why exec and java cannot run fully here and what to change; empty when they can.
[[nodiscard]] std::string cgroup_complaint(const CgroupHost& host);

// The cgroup2 directory for a task: what the host gave in cpuset_cgroup when that is one, else a scope made below the
// cgroup2 mount. `made` tells that we have to remove it. Empty: none can be had.
struct TaskCgroup {
  std::string path;
  bool made = false;
};
[[nodiscard]] TaskCgroup task_cgroup(const CgroupHost& host, const std::string& given, const std::string& scope_name);
// "<alloc>.<task>.scope", and where such a scope is made; empty where none can be.
[[nodiscard]] std::string scope_name(const std::string& alloc_id, const std::string& task);
[[nodiscard]] std::string scope_path(const CgroupHost& host, const std::string& scope_name);
[[nodiscard]] bool is_cgroup2(const std::string& path);

}  // namespace drover
