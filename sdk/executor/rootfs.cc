#include "sdk/executor/rootfs.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "sdk/executor/syscalls.h"
#include "sdk/base/fd.h"
#include "sdk/base/text.h"

namespace drover {
namespace {

namespace flags = executor::mount_flag;
using executor::MountKind;

std::string overlay_work(const RootPlanInput& input, const std::string& target) {
  return input.work_dir + "/" + replace_all(target.substr(1), "/", "_");
}

bool below(const std::string& path, const std::string& parent) {
  return path == parent || path.starts_with(parent + "/");
}

RootMount filesystem(std::string type, std::string target, std::vector<std::string> options, std::uint64_t bits) {
  RootMount out;
  out.kind = MountKind::filesystem;
  out.source = std::move(type);
  out.target = std::move(target);
  out.options = std::move(options);
  out.flags = bits | flags::plain_target;
  return out;
}

RootMount bind_mount(std::string source, std::string target, std::uint64_t bits) {
  RootMount out;
  out.kind = MountKind::bind;
  out.source = std::move(source);
  out.target = std::move(target);
  out.flags = bits;
  return out;
}

RootMount host_directory(const RootPlanInput& input, const ChrootEntry& entry) {
  if (!input.has_user_namespace && (below(entry.task, "/etc") || entry.populated || input.user_is_root)) {
    RootMount out;
    out.kind = MountKind::overlay;
    out.source = entry.host;
    out.target = entry.task;
    out.upper = entry.task;
    out.work = overlay_work(input, entry.task);
    out.flags = flags::nosuid | flags::nodev;
    return out;
  }
  return bind_mount(entry.host, entry.task, flags::read_only | flags::nosuid | flags::nodev);
}

// what a container must not see or change of the kernel.
constexpr const char* masked[] = {
    "/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
    "/proc/sched_debug", "/proc/scsi", "/proc/interrupts", "/sys/firmware", "/sys/devices/virtual/powercap", "/sys/kernel/security"};
constexpr const char* read_only[] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"};

void add_system(std::vector<RootMount>& out, bool has_cgroup) {
  RootMount devices = filesystem("", "/dev", {"mode=755", "size=65536k"}, flags::nosuid | flags::strictatime);
  devices.kind = MountKind::devices;
  out.push_back(std::move(devices));
  out.push_back(filesystem("proc", "/proc", {}, flags::nosuid | flags::nodev | flags::noexec));
  out.push_back(filesystem("devpts", "/dev/pts", {"newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}, flags::nosuid | flags::noexec));
  out.push_back(filesystem("tmpfs", "/dev/shm", {"mode=1777", "size=65536k"}, flags::nosuid | flags::nodev | flags::noexec));
  out.push_back(filesystem("mqueue", "/dev/mqueue", {}, flags::nosuid | flags::nodev | flags::noexec));
  out.push_back(filesystem("sysfs", "/sys", {}, flags::read_only | flags::nosuid | flags::nodev | flags::noexec));
  if (has_cgroup) {
    // its own cgroup, as the root of a namespace, to read: runtimes look there for their limits.
    out.push_back(filesystem("cgroup2", "/sys/fs/cgroup", {}, flags::read_only | flags::nosuid | flags::nodev | flags::noexec | flags::if_possible));
  }
  for (const char* path : masked) {
    RootMount mask;
    mask.kind = MountKind::mask;
    mask.target = path;
    out.push_back(std::move(mask));
  }
  for (const char* path : read_only) {
    RootMount mount;
    mount.kind = MountKind::read_only;
    mount.target = path;
    mount.flags = flags::nosuid | flags::nodev | flags::noexec;
    out.push_back(std::move(mount));
  }
}

std::uint64_t propagation_bits(const std::string& mode) {
  if (mode == "host-to-task") return flags::slave;
  if (mode == "bidirectional") return flags::shared;
  return 0;
}

}  // namespace

std::map<std::string, std::string> default_chroot_env() {
  std::map<std::string, std::string> out;
  for (const char* path : {"/bin", "/etc", "/lib", "/lib32", "/lib64", "/run/resolvconf", "/run/systemd/resolve", "/sbin", "/usr"}) out[path] = path;
  return out;
}

std::vector<ChrootEntry> inspect_chroot(const std::map<std::string, std::string>& chroot_env, const std::string& task_dir) {
  std::vector<ChrootEntry> out;
  for (const auto& [host, task] : chroot_env) {
    ChrootEntry entry{.host = host, .task = task};
    std::error_code error;
    const auto status = std::filesystem::symlink_status(host, error);
    const auto own = std::filesystem::symlink_status(task_dir + task, error);
    entry.populated = std::filesystem::is_directory(own) && !std::filesystem::is_empty(task_dir + task, error);
    if (std::filesystem::is_symlink(status)) {
      // /bin -> usr/bin and its like stay links, unless the task brought a directory of that name.
      const auto text = std::filesystem::read_symlink(host, error).string();
      const auto resolved = (std::filesystem::path(host).parent_path() / text).lexically_normal().string();
      bool inside = false;
      for (const auto& [other, place] : chroot_env) inside = inside || (other == place && below(resolved, other));
      const bool direct = host == task && task.find('/', 1) == std::string::npos;
      if (inside && direct && !std::filesystem::is_directory(own)) {
        entry.kind = ChrootEntry::Kind::symlink;
        entry.link_text = text;
      } else {
        entry.host = std::filesystem::canonical(host, error).string();
        if (!error) entry.kind = std::filesystem::is_directory(entry.host, error) ? ChrootEntry::Kind::directory : ChrootEntry::Kind::file;
      }
    } else if (std::filesystem::is_directory(status)) {
      entry.kind = ChrootEntry::Kind::directory;
    } else if (std::filesystem::is_regular_file(status)) {
      entry.kind = ChrootEntry::Kind::file;
    }
    out.push_back(std::move(entry));
  }
  return out;
}

namespace {

std::vector<RootMount> plan_mounts(const RootPlanInput& input) {
  std::vector<RootMount> out;
  for (const auto& entry : input.entries) {
    switch (entry.kind) {
      case ChrootEntry::Kind::missing: break;
      case ChrootEntry::Kind::directory: out.push_back(host_directory(input, entry)); break;
      case ChrootEntry::Kind::file: out.push_back(bind_mount(entry.host, entry.task, flags::read_only | flags::nosuid | flags::nodev)); break;
      case ChrootEntry::Kind::symlink: {
        RootMount link;
        link.kind = MountKind::symlink;
        link.source = entry.link_text;
        link.target = entry.task;
        out.push_back(std::move(link));
        break;
      }
    }
  }
  out.push_back(bind_mount(input.alloc_dir + "/alloc", "/alloc", flags::nosuid | flags::nodev | flags::plain_target));
  // Logs are the executor's: a task may read them, not write them.
  out.push_back(bind_mount(input.alloc_dir + "/alloc/logs", "/alloc/logs",
                           flags::read_only | flags::nosuid | flags::nodev | flags::plain_target | flags::plain_source));
  if (!input.root_dir.empty()) {
    for (const char* name : {"/local", "/secrets", "/tmp"}) {
      out.push_back(bind_mount(input.task_dir + name, name, flags::nosuid | flags::nodev | flags::plain_target | flags::plain_source));
    }
  }
  RootMount private_files;
  private_files.kind = MountKind::mask;
  private_files.target = "/private";
  add_system(out, input.has_cgroup);
  out.push_back(std::move(private_files));
  if (input.own_resolv_conf) out.push_back(bind_mount(input.work_dir + "/resolv.conf", "/etc/resolv.conf", flags::nosuid | flags::nodev));
  if (input.own_hosts) out.push_back(bind_mount(input.work_dir + "/hosts", "/etc/hosts", flags::nosuid | flags::nodev));
  for (const auto& mount : input.mounts) {
    std::uint64_t bits = propagation_bits(mount.propagation_mode);
    if (mount.readonly) bits |= flags::read_only;
    out.push_back(bind_mount(mount.host_path, mount.task_path, bits));
  }
  for (const auto& device : input.devices) out.push_back(bind_mount(device.host_path, device.task_path, flags::nosuid));
  return out;
}

}  // namespace

std::vector<RootMount> plan_root(const RootPlanInput& input) {
  auto out = plan_mounts(input);
  for (auto& mount : out) {
    if (input.has_user_namespace && mount.kind == MountKind::bind) mount.flags |= flags::idmap;
  }
  return out;
}

Result<> check_user_namespace(const RootPlanInput& input) {
  for (const auto& entry : input.entries) {
    if (entry.populated) return fail(Code::invalid_argument, "files of the task lie in \"{}\", which cannot be shown in a user namespace: put them below local/", entry.task);
  }
  return {};
}

Result<std::string> find_rootfs(const std::string& rootfs, const std::string& task_dir, const std::vector<std::string>& allowed) {
  const auto open_below = [](const std::string& base, const std::string& path) {
    const Fd root(::open(base.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    return Fd(root ? executor::open_beneath(root.get(), path.c_str(), O_PATH, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS) : -1);
  };
  if (!rootfs.starts_with('/')) {
    if (open_below(task_dir, rootfs)) return task_dir + "/" + rootfs;
    return fail_errno("rootfs \"{}\" of the task's directory (links and \"..\" out of it are refused)", rootfs);
  }
  for (const auto& base : allowed) {
    if (!below(rootfs, base)) continue;
    const std::string rest = rootfs.substr(base.size());
    if (open_below(base, rest.empty() ? "." : rest.substr(1))) return rootfs;
    return fail_errno("rootfs \"{}\"", rootfs);
  }
  return fail(Code::permission_denied, "rootfs \"{}\" is not below a directory that this client allows (plugin \"exec\" {{ config {{ rootfs_paths = [...] }} }})", rootfs);
}

namespace {

// A regular file below `directory`, reached without a link. The task's own file is made executable when it is not.
bool usable_file(const std::string& directory, const std::string& path, bool make_executable) {
  const Fd root(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return false;
  const std::uint64_t resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  const Fd file(executor::open_beneath(root.get(), path.c_str(), O_RDONLY | O_NONBLOCK, 0, resolve));
  struct stat info {};
  if (!file || ::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) return false;
  if (make_executable && (info.st_mode & 0555) != 0555) return ::fchmod(file.get(), (info.st_mode & 07777) | 0555) == 0;
  return true;
}

// Whether the root will hold a regular file at an absolute path.
bool in_root(const std::string& path, const RootPlanInput& input) {
  for (const auto& mount : input.mounts) {
    if (below(path, mount.task_path)) return usable_file(mount.host_path, path.substr(mount.task_path.size()), false);
  }
  if (usable_file(input.task_dir, path, true)) return true;
  if (!input.root_dir.empty()) return usable_file(input.root_dir, path, false);
  for (const auto& entry : input.entries) {
    if (!below(path, entry.task)) continue;
    // Links of the host's tree may lead anywhere on the host (alternatives); they resolve in the root when it is run.
    struct stat info {};
    const std::string host = entry.host + path.substr(entry.task.size());
    if (::stat(host.c_str(), &info) == 0 && S_ISREG(info.st_mode)) return true;
  }
  return false;
}

}  // namespace

Result<std::string> find_command(const std::string& command, const RootPlanInput& input) {
  const std::string rooted = command.front() == '/' ? command : "/" + command;
  std::vector<std::string> candidates = {"/local" + rooted, rooted};
  for (const auto& mount : input.mounts) candidates.push_back(mount.task_path + rooted);
  if (command.find('/') == std::string::npos) {
    for (const char* directory : {"/usr/local/bin", "/usr/bin", "/bin"}) candidates.push_back(directory + rooted);
  }
  for (const auto& candidate : candidates) {
    if (in_root(candidate, input)) return candidate;
  }
  return fail(Code::not_found, "command \"{}\" was found neither in the task's directory nor in the chroot; looked at {}", command,
              join(candidates, ", "));
}

}  // namespace drover
