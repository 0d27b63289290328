#include "sdk/executor/cgroups.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "sdk/executor/limits.h"
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
  if (!out.mount.empty()) out.slice = out.mount + "/nomad.slice";
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

namespace {

constexpr const char* controllers[] = {"cpuset", "cpu", "io", "memory", "pids"};

// mkdir and, where there are controllers, what its children need of them.
Result<> make_slice(const CgroupHost& host, const std::string& parent, const std::string& path) {
  DROVER_TRY(make_directories(path));
  if (host.mode != CgroupMode::unified) return {};
  for (const auto& directory : {parent, path}) {
    // One by one, so that the message names the one that cannot be had.
    for (const char* controller : controllers) {
      const auto present = read_file(directory + "/cgroup.subtree_control");
      const auto enabled = split(trim(present ? *present : std::string()), ' ');
      if (std::find(enabled.begin(), enabled.end(), controller) != enabled.end()) continue;
      if (auto written = write_file(directory + "/cgroup.subtree_control", fmt::format("+{}", controller)); !written) {
        return fail(written.error(), "enabling the cgroup controller \"{}\" in \"{}\"; processes of its own in that cgroup prevent it", controller, directory);
      }
    }
  }
  return {};
}

std::string level(const CgroupHost& host, std::string_view name) { return fmt::format("{}/{}{}", host.slice, name, host.suffix); }

bool is_populated(const std::string& path) {
  const auto events = read_file(path + "/cgroup.events");
  return events && events->find("populated 1") != std::string::npos;
}

std::set<unsigned> cores_in(const std::string& path) {
  const auto text = read_file(path);
  auto cores = text ? parse_cpu_list(*text) : std::nullopt;
  return cores ? std::move(*cores) : std::set<unsigned>{};
}

std::vector<std::string> scopes_in(const std::string& slice) {
  std::vector<std::string> out;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(slice, error)) {
    if (entry.is_directory(error) && entry.path().string().ends_with(".scope")) out.push_back(entry.path().string());
  }
  return out;
}

Result<> set_cores(const std::string& directory, const std::set<unsigned>& cores) {
  if (cores.empty() || cores_in(directory + "/cpuset.cpus") == cores) return {};
  return write_limits(directory, {{"cpuset.cpus", format_cpu_list(cores)}});
}

}  // namespace

Result<> partition_cores(const CgroupHost& host) {
  const std::string& slice = host.slice;
  // One partition at a time on this host, whichever plugin asks.
  const auto lock = open_file(slice, O_RDONLY | O_DIRECTORY);
  if (!lock) return fail(lock.error());
  if (::flock(lock->get(), LOCK_EX) != 0) return fail_errno("locking \"{}\"", slice);
  const std::string reserve = level(host, "reserve"), share = level(host, "share");
  std::set<unsigned> reserved;
  for (const auto& scope : scopes_in(reserve)) reserved.merge(cores_in(scope + "/cpuset.cpus"));
  auto shared = cores_in(slice + "/cpuset.cpus.effective");
  for (const unsigned core : reserved) shared.erase(core);
  // What is reserved grows before the rest shrinks, and the other way round, so that no scope is ever without a core. With every
  // core reserved the others keep what they had: an overlap is only unfair.
  auto both = cores_in(reserve + "/cpuset.cpus");
  both.insert(reserved.begin(), reserved.end());
  DROVER_TRY(set_cores(reserve, both));
  DROVER_TRY(set_cores(share, shared));
  return set_cores(reserve, reserved);
}

Result<TaskCgroup> task_cgroup(const CgroupHost& host, const std::string& given, const std::string& scope_name, const std::string& reserved_cores) {
  if (is_cgroup2(given)) return TaskCgroup{given, false};
  const bool reserves = !reserved_cores.empty() && host.mode == CgroupMode::unified;
  std::string path = scope_path(host, scope_name, reserves);
  if (path.empty()) return TaskCgroup{};
  if (::access(path.substr(0, path.rfind('/')).c_str(), F_OK) != 0) {
    DROVER_TRY(make_slice(host, host.mount, host.slice));
    for (const char* name : {"share", "reserve"}) DROVER_TRY(make_slice(host, host.slice, level(host, name)));
  }
  if (::mkdir(path.c_str(), 0755) != 0) {
    if (errno != EEXIST) return fail_errno("making the cgroup \"{}\"", path);
    // L-03: the name is the lock; what is in it was left by a start that nobody knows.
    DROVER_TRY(write_file(path + "/cgroup.kill", "1"));
  }
  if (reserves) {
    // Its cores are the slice's before they are the scope's.
    DROVER_TRY(write_file(path + "/cpuset.cpus", reserved_cores));
    DROVER_TRY(partition_cores(host));
  }
  return TaskCgroup{std::move(path), true};
}

std::string scope_name(const std::string& alloc_id, const std::string& task) { return replace_all(alloc_id + "." + task + ".scope", "/", "_"); }

std::string scope_path(const CgroupHost& host, const std::string& scope_name, bool reserves_cores) {
  if (host.mount.empty() || ::geteuid() != 0) return {};
  return level(host, reserves_cores ? "reserve" : "share") + "/" + scope_name;
}

bool remove_scope(const CgroupHost& host, const std::string& path) {
  if (::rmdir(path.c_str()) != 0 && errno != ENOENT) return false;
  if (path.starts_with(level(host, "reserve") + "/")) {
    // A failure leaves cores that nobody uses; the next partition takes them back.
    if (const auto shared = partition_cores(host); !shared) return true;
  }
  return true;
}

std::vector<std::string> sweep_scopes(const CgroupHost& host, std::int64_t now_seconds, std::int64_t age_seconds) {
  std::vector<std::string> out;
  if (host.slice.empty()) return out;
  for (const char* name : {"share", "reserve"}) {
    for (const auto& scope : scopes_in(level(host, name))) {
      struct stat info {};
      if (::stat(scope.c_str(), &info) != 0 || now_seconds - info.st_ctim.tv_sec < age_seconds || is_populated(scope)) continue;
      if (remove_scope(host, scope)) out.push_back(scope);
    }
  }
  return out;
}

}  // namespace drover
