#include "plugins/shared/cgroups.h"

#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>

#include "sdk/base/file.h"
#include "sdk/base/text.h"

namespace drover {

CgroupHost classify_cgroups(std::string_view mountinfo, std::string_view controllers) {
  CgroupHost out;
  std::string root_type, elsewhere;
  for (const auto& line : split(mountinfo, '\n')) {
    // 36 35 98:0 /root /mount/point options optional... - type source options
    const auto fields = split(line, ' ');
    const auto dash = std::find(fields.begin(), fields.end(), "-");
    if (fields.size() < 5 || dash == fields.end() || dash + 1 == fields.end()) continue;
    const std::string& point = fields[4];
    const std::string& type = *(dash + 1);
    if (point == "/sys/fs/cgroup") root_type = type;
    else if (type == "cgroup2" && point.starts_with("/sys/fs/cgroup/")) elsewhere = point;
  }
  if (root_type == "cgroup2") {
    out.mount = "/sys/fs/cgroup";
    const auto present = split(trim(controllers), ' ');
    for (const char* wanted : {"cpuset", "cpu", "io", "memory", "pids"}) {
      if (std::find(present.begin(), present.end(), wanted) == present.end()) out.missing_controllers.emplace_back(wanted);
    }
    out.mode = out.missing_controllers.empty() ? CgroupMode::unified : CgroupMode::missing_controllers;
  } else if (!root_type.empty()) {
    out.mode = CgroupMode::hybrid;
    out.mount = elsewhere;
  }
  return out;
}

CgroupHost inspect_cgroups() {
  const auto mounts = read_file("/proc/self/mountinfo");
  const auto controllers = read_file("/sys/fs/cgroup/cgroup.controllers");
  return classify_cgroups(mounts ? *mounts : "", controllers ? *controllers : "");
}

std::string cgroup_complaint(const CgroupHost& host) {
  switch (host.mode) {
    case CgroupMode::unified: return {};
    case CgroupMode::hybrid:
      return "cgroup v1/hybrid found at /sys/fs/cgroup; boot with systemd.unified_cgroup_hierarchy=1 (or cgroup_no_v1=all)";
    case CgroupMode::missing_controllers:
      return fmt::format("cgroup controllers missing: {}; add them to /sys/fs/cgroup/cgroup.subtree_control or boot a kernel that has them",
                         join(host.missing_controllers, ", "));
    case CgroupMode::off: return "Failed to discover cgroup mount point";
  }
  return {};
}

bool is_cgroup2(const std::string& path) {
  struct statfs info {};
  return !path.empty() && ::statfs(path.c_str(), &info) == 0 && info.f_type == CGROUP2_SUPER_MAGIC;
}

TaskCgroup task_cgroup(const CgroupHost& host, const std::string& given, const std::string& scope_name) {
  if (is_cgroup2(given)) return {given, false};
  std::string path = scope_path(host, scope_name);
  if (path.empty() || !make_directories(path)) return {};
  return {std::move(path), true};
}

std::string scope_name(const std::string& alloc_id, const std::string& task) { return replace_all(alloc_id + "." + task + ".scope", "/", "_"); }

std::string scope_path(const CgroupHost& host, const std::string& scope_name) {
  if (host.mount.empty() || ::geteuid() != 0) return {};
  return host.mount + "/nomad.slice/share.slice/" + scope_name;
}

}  // namespace drover
