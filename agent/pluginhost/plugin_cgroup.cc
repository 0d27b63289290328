#include "agent/pluginhost/plugin_cgroup.h"

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "sdk/base/file.h"
#include "sdk/base/text.h"

namespace drover::pluginhost {
namespace {

constexpr std::int64_t default_memory_mb = 512, default_pids = 512, default_weight = 100;
constexpr int own_drivers_oom_score = -500;
constexpr const char* slice_name = "plugins.slice";

std::string number_or_max(std::int64_t value, std::int64_t unit = 1) { return value <= 0 ? "max" : std::to_string(value * unit); }

// FNV-1a: only to tell the directories of a machine's agents apart.
std::uint32_t fingerprint_of(const std::string& text) {
  std::uint32_t out = 2166136261U;
  for (const char c : text) out = (out ^ static_cast<unsigned char>(c)) * 16777619U;
  return out;
}

// Whoever came first has enabled some of them. What cannot be had shows when a limit is written.
void enable_controllers(const std::string& directory) {
  for (const char* controller : {"+memory", "+pids", "+cpu"}) {
    [[maybe_unused]] const auto tried = write_file(directory + "/cgroup.subtree_control", controller);
  }
}
}  // namespace

std::vector<std::pair<std::string, std::string>> limit_files(const PluginLimits& limits, bool device) {
  constexpr std::int64_t mib = 1 << 20;
  const std::int64_t memory = limits.memory_mb.value_or(device ? default_memory_mb : 0);
  const std::int64_t pids = limits.pids.value_or(device ? default_pids : 0);
  return {
      // It is slowed down before it is killed.
      {"memory.high", number_or_max(memory, mib / 8 * 7)},
      {"memory.max", number_or_max(memory, mib)},
      // A driver's helpers are spared: the kernel takes the largest process alone.
      {"memory.oom.group", device ? "1" : "0"},
      {"pids.max", number_or_max(pids)},
      {"cpu.weight", std::to_string(std::clamp<std::int64_t>(limits.cpu_weight.value_or(default_weight), 1, 10'000))},
  };
}

int plugin_oom_score(int agents_own, bool first_party) { return std::max(agents_own, first_party ? own_drivers_oom_score : 0); }

std::string find_cgroup_slice() {
  if (::geteuid() != 0) return {};
  for (const char* mount : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
    struct statfs info {};
    if (::statfs(mount, &info) == 0 && info.f_type == CGROUP2_SUPER_MAGIC) return std::string(mount) + "/nomad.slice";
  }
  return {};
}

std::string plugin_cgroup(const std::string& slice, const std::string& file, const std::string& socket_dir) {
  return slice.empty() ? std::string() : fmt::format("{}/{}/{}-{:08x}.scope", slice, slice_name, file, fingerprint_of(socket_dir));
}

Result<> enter_plugin_cgroup(const std::string& path, int pid) {
  const std::string parent = path.substr(0, path.rfind('/')), slice = parent.substr(0, parent.rfind('/'));
  DROVER_TRY(make_directories(path));
  for (const std::string& directory : {slice.substr(0, slice.rfind('/')), slice, parent}) enable_controllers(directory);
  return write_file(path + "/cgroup.procs", std::to_string(pid));
}

std::vector<std::string> set_plugin_limits(const std::string& path, const PluginLimits& limits, bool device) {
  std::vector<std::string> out;
  for (const auto& [file, value] : limit_files(limits, device)) {
    const std::string target = path + "/" + file;
    if (::access(target.c_str(), F_OK) != 0) {
      // What is not limited needs no controller.
      if (value != "max" && value != "0" && !(file == "cpu.weight" && !limits.cpu_weight)) out.push_back(file + ": this machine's cgroups lack the controller");
      continue;
    }
    if (const auto written = write_file(target, value); !written) out.push_back(fmt::format("{}: {}", file, written.error().message()));
  }
  return out;
}

std::uint64_t oom_kills_in(const std::string& path) {
  const auto events = path.empty() ? Result<std::string>(std::string()) : read_file(path + "/memory.events");
  for (const auto& line : split(events ? *events : "", '\n')) {
    if (line.starts_with("oom_kill ")) return std::strtoull(line.c_str() + 9, nullptr, 10);
  }
  return 0;
}

void leave_plugin_cgroup(const std::string& path) {
  if (!path.empty()) ::rmdir(path.c_str());
}

void sweep_plugin_cgroups(const std::string& slice, std::int64_t now_seconds, std::int64_t age_seconds) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(slice + "/" + slice_name, error)) {
    const std::string path = entry.path().string();
    struct stat info {};
    // One in which something lives cannot be removed, and one that is about to be entered is young.
    if (path.ends_with(".scope") && ::stat(path.c_str(), &info) == 0 && now_seconds - info.st_ctim.tv_sec >= age_seconds) leave_plugin_cgroup(path);
  }
}

void set_oom_score(int pid, bool first_party) {
  const auto own = read_file("/proc/self/oom_score_adj");
  const int score = plugin_oom_score(own ? std::atoi(own->c_str()) : 0, first_party);
  [[maybe_unused]] const auto written = write_file(fmt::format("/proc/{}/oom_score_adj", pid), std::to_string(score));
}

}  // namespace drover::pluginhost
