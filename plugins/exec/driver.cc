#include "plugins/exec/driver.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "plugins/exec/mount_base.h"
#include "plugins/exec/tree_copy.h"
#include "sdk/executor/log_settings.h"
#include "sdk/executor/task_surroundings.h"
#include "plugins/shared/user_namespace.h"
#include "sdk/base/file.h"
#include "sdk/base/text.h"

namespace drover::exec {
namespace {

// Where a tar file that is a task's root is unpacked: with the driver's own files, which the task cannot reach.
std::string unpacked_root(const std::string& alloc_dir, const std::string& task) { return alloc_dir + "/." + task + ".root/rootfs"; }

unsigned host_cores() {
  const long count = ::sysconf(_SC_NPROCESSORS_ONLN);
  return count > 0 ? static_cast<unsigned>(count) : 1;
}

}  // namespace

ExecDriver::ExecDriver(Executor loop, Logger log, ExecutorHost host, const Clock& clock)
    : ExecutorDriver(std::move(loop), std::move(log), std::move(host), clock) {
  config_.chroot_env = default_chroot_env();
}

Async<Result<>> ExecDriver::set_config(std::string msgpack, std::string) {
  auto config = decode_config(msgpack);
  if (!config) co_return fail(std::move(config).error());
  config_ = std::move(*config);
  DROVER_CO_TRY(choose_cgroup_layout(config_.cgroup_mode));
  if (config_.allow_degraded && !cgroup_complaint(cgroups()).empty()) {
    log().warn("tasks run WITHOUT resource limits on this host", "reason", cgroup_complaint(cgroups()));
  }
  co_return Result<>{};
}

driver::Capabilities ExecDriver::capabilities() {
  driver::Capabilities out;
  out.send_signals = true;
  out.exec = true;
  out.fs_isolation = driver::FsIsolation::chroot;
  out.network_isolation_modes = {driver::NetIsolation::host, driver::NetIsolation::group};
  out.mount_configs = driver::MountConfigs::any;
  return out;
}

driver::Fingerprint judge_host(bool is_root, const CgroupHost& cgroups, bool allow_degraded) {
  return judge_host("exec", is_root, cgroups, allow_degraded);
}

driver::Fingerprint ExecDriver::facts() {
  return judge_host(::geteuid() == 0, cgroups(), config_.allow_degraded);
}

Async<Result<>> ExecDriver::make_files(driver::TaskConfig config) {
  const auto options = decode_task(config.driver_config, config_);
  // What is wrong is said by prepare().
  if (!options || (options->rootfs.empty() && !config_.copies_chroot)) co_return Result<>{};
  if (!pool_) pool_.emplace(1);
  const std::string task_dir = config.alloc_dir + "/" + config.name;
  if (options->rootfs.empty()) {
    auto copied = co_await run_blocking(*pool_, [entries = config_.chroot_env, task_dir, skip = std::filesystem::path(config.alloc_dir).parent_path().string()] {
      return copy_chroot(entries, task_dir, skip);
    });
    co_return copied;
  }
  const auto found = find_rootfs(options->rootfs, task_dir, config_.rootfs_paths);
  if (!found || std::filesystem::is_directory(*found)) co_return Result<>{};
  auto unpacked = co_await run_blocking(*pool_, [tar = *found, place = unpacked_root(config.alloc_dir, config.name)]() -> Result<> {
    if (::access(place.c_str(), F_OK) == 0) return {};  // by an earlier start of the task
    const std::string partial = place + ".partial";
    std::error_code error;
    std::filesystem::remove_all(partial, error);
    DROVER_TRY(make_directories(std::filesystem::path(place).parent_path().string(), 0700));
    DROVER_TRY(extract_tar(tar, partial));
    if (::rename(partial.c_str(), place.c_str()) != 0) return fail_errno("renaming \"{}\"", partial);
    return {};
  });
  co_return unpacked;
}

Result<PreparedTask> ExecDriver::prepare(const driver::TaskConfig& config) {
  const auto options = decode_task(config.driver_config, config_);
  if (!options) return fail(options.error());
  const auto judgement = judge_host(::geteuid() == 0, cgroups(), config_.allow_degraded);
  if (judgement.health != driver::Health::healthy) return fail(Code::unavailable, "{}", judgement.description);
  const auto account = task_account(config);
  if (!account) return fail(account.error());
  DROVER_TRY(check_ids(account->ids, config_.denied_host_uids, config_.denied_host_gids));
  DROVER_TRY(check_task_paths(config));

  RootPlanInput root;
  // The executor follows no link to the root, and an operator's data directory may be reached by one.
  std::error_code missing;
  root.alloc_dir = std::filesystem::canonical(config.alloc_dir, missing).string();
  if (missing) return fail(Code::not_found, "the directory of the allocation, \"{}\", is gone: {}", config.alloc_dir, missing.message());
  root.task_dir = root.alloc_dir + "/" + config.name;
  root.user_is_root = account->ids.uid == 0;
  root.mounts = config.mounts;
  root.devices = config.devices;
  root.has_user_namespace = options->user_namespace;
  if (!options->rootfs.empty()) {
    auto directory = find_rootfs(options->rootfs, root.task_dir, config_.rootfs_paths);
    if (!directory) return fail(std::move(directory).error());
    const std::string unpacked = unpacked_root(root.alloc_dir, config.name);
    root.root_dir = ::access(unpacked.c_str(), F_OK) == 0 ? unpacked : std::move(*directory);
  } else if (!config_.copies_chroot) {
    root.entries = inspect_chroot(config_.chroot_env, root.task_dir);
  }
  if (options->user_namespace) {
    if (account->ids.uid >= UserIdRange::count || account->ids.gid >= UserIdRange::count) {
      return fail(Code::invalid_argument, "user \"{}\" has an id above {}, which no user namespace holds", account->name, UserIdRange::count - 1);
    }
    DROVER_TRY(check_user_namespace(root));
  }
  auto command = find_command(options->command, root);
  if (!command) return fail(std::move(command).error());

  PreparedTask out;
  LaunchSpec& launch = out.launch;
  DROVER_TRY(apply_log_settings(launch, config.alloc_dir, config.name, config.stdout_path, config.stderr_path));
  DROVER_TRY(make_root_files(root, config));
  launch.executable = *command;
  launch.arguments = {options->command};
  launch.arguments.insert(launch.arguments.end(), options->args.begin(), options->args.end());
  launch.environment = task_environment(config, *account);
  launch.directory = options->work_dir;
  launch.user = account->ids;
  launch.root = root.root_dir.empty() ? root.task_dir : root.root_dir;
  launch.hostname = options->hostname;
  // Before the plan: whether there is a cgroup decides what of it the task sees.
  const std::string given = config.resources ? config.resources->linux_resources.cpuset_cgroup : "";
  const std::string cores = config.resources ? config.resources->linux_resources.cpuset_cpus : "";
  root.has_cgroup = !scope_path(cgroups(), scope_name(config.alloc_id, config.name)).empty();
  launch.mounts = plan_root(root);
  for (const auto& mount : launch.mounts) {
    if (mount.kind == executor::MountKind::overlay) DROVER_TRY(make_directories(mount.work, 0700));
  }
  launch.mount_base_fd = mount_base();
  launch.flags = executor::flag::mount_namespace | executor::flag::die_with_executor | executor::flag::uts_namespace;
  if (options->init) launch.flags |= executor::flag::init;
  if (options->private_pid) launch.flags |= executor::flag::pid_namespace;
  if (options->private_ipc) launch.flags |= executor::flag::ipc_namespace;
  if (config_.no_pivot_root) launch.flags |= executor::flag::no_pivot_root;
  if (config.network_isolation) launch.network_path = config.network_isolation->path;
  if (options->user_namespace) {
    const auto range = range_of(state_dir() + "/ids", config.alloc_id, root.alloc_dir);
    if (!range) return fail(range.error());
    auto names = make_user_namespace(*range);
    if (!names) return fail(std::move(names).error());
    launch.user_namespace_fd = names->get();
    launch.user_namespace_first = range->first;
    out.held.push_back(std::move(*names));
  }
  // Last, since it is the only step that leaves something behind.
  auto cgroup = task_cgroup(cgroups(), given, scope_name(config.alloc_id, config.name), cores);
  if (!cgroup) return fail(std::move(cgroup).error());
  launch.cgroup = cgroup->path;
  out.made_cgroup = cgroup->made;
  if (auto confined = confine(out, config, *options, *account); !confined) {
    if (out.made_cgroup) static_cast<void>(remove_scope(cgroups(), launch.cgroup));
    return fail(std::move(confined).error());
  }
  return out;
}

int ExecDriver::mount_base() {
  if (!mount_base_) {
    mount_base_ = make_mount_base();
    if (!*mount_base_) log().warn("each task starts with a copy of all mounts of the host, which takes long when there are many", "reason", mount_base_->error().message());
  }
  return *mount_base_ ? (*mount_base_)->get() : -1;
}

// Limits, devices, capabilities, system calls.
Result<> ExecDriver::confine(PreparedTask& task, const driver::TaskConfig& config, const TaskOptions& options, const Account& account) {
  LaunchSpec& launch = task.launch;
  auto capabilities = task_capabilities({.add = options.cap_add, .drop = options.cap_drop, .is_root = account.ids.uid == 0,
                                         .allowed = config_.allow_caps, .is_allowed_explicitly = config_.is_allow_caps_set});
  if (!capabilities) return fail(std::move(capabilities).error());
  std::vector<DeviceRule> devices = default_device_rules();
  for (const auto& device : config.devices) {
    auto rule = device_rule(device.host_path, device.permissions);
    if (!rule) return fail(std::move(rule).error());
    devices.push_back(*rule);
  }
  bool has_program = false;
  if (!launch.cgroup.empty()) {
    launch.flags |= executor::flag::own_cgroup | executor::flag::cgroup_namespace;
    if (cgroups().mode == CgroupMode::unified && config.resources) {
      DROVER_TRY(write_limits(launch.cgroup, limit_files(*config.resources, options.limits, host_cores())));
    }
    const auto attached = device_programs_.attach(launch.cgroup, devices);
    has_program = attached.has_value();
    if (!attached && has_device_program_) log().warn("tasks may not make devices on this host", "reason", attached.error().message());
    has_device_program_ = has_program;
  }
  // a node that a task makes must not open a device of the host.
  if (!has_program) *capabilities &= ~*parse_capability("mknod");
  auto filter = seccomp_.compile({.profile = options.seccomp_profile, .capabilities = *capabilities, .is_pid_private = options.private_pid});
  if (!filter) return fail(std::move(filter).error());
  Confinement& confinement = launch.confinement;
  confinement.capabilities = *capabilities;
  confinement.no_new_privs = config_.no_new_privs;
  confinement.seccomp_filter = std::move(*filter);
  confinement.limits = options.ulimits;
  return {};
}

ExecSpec ExecDriver::session_of(const driver::TaskConfig& config) {
  ExecSpec out;
  if (const auto account = task_account(config)) out.environment = task_environment(config, *account);
  if (const auto options = decode_task(config.driver_config, config_)) out.directory = options->work_dir;
  return out;
}

}  // namespace drover::exec
