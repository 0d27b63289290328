#include "plugins/raw_exec/driver.h"

#include <sys/stat.h>
#include <unistd.h>

#include "plugins/shared/landlock.h"
#include "sdk/executor/log_settings.h"
#include "plugins/shared/program.h"
#include "sdk/base/text.h"

namespace drover::raw_exec {
namespace {

bool is_file(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

// `<task>/local/<cmd>`, `<task>/<cmd>`, the path itself, then PATH.
Result<std::string> find_command(const std::string& command, const std::string& task_dir, const std::string& path_variable) {
  if (command.front() != '/') {
    for (const auto& candidate : {task_dir + "/local/" + command, task_dir + "/" + command}) {
      if (is_file(candidate)) return candidate;
    }
  }
  if (command.find('/') != std::string::npos) {
    if (is_file(command)) return command;
    return fail(Code::not_found, "command \"{}\" is not a file on this host", command);
  }
  for (const auto& directory : split(path_variable, ':')) {
    const std::string candidate = directory + "/" + command;
    if (!directory.empty() && is_file(candidate)) return candidate;
  }
  return fail(Code::not_found, "command \"{}\" was found neither in the task's directory nor in PATH ({})", command, path_variable);
}

Result<TaskCgroup> choose_cgroup(const CgroupHost& host, const driver::TaskConfig& config, const TaskOptions& options) {
  if (!options.cgroup_v2_override.empty()) {
    const std::string& wanted = options.cgroup_v2_override;
    const std::string path = wanted.front() == '/' ? wanted : "/sys/fs/cgroup/" + wanted;
    if (!is_cgroup2(path)) return fail(Code::invalid_argument, "cgroup_v2_override \"{}\" is not a cgroup of a cgroup2 hierarchy", wanted);
    return TaskCgroup{path, false};
  }
  const std::string given = config.resources ? config.resources->linux_resources.cpuset_cgroup : "";
  const std::string cores = config.resources ? config.resources->linux_resources.cpuset_cpus : "";
  return task_cgroup(host, given, scope_name(config.alloc_id, config.name), cores);
}

}  // namespace

RawExecDriver::RawExecDriver(Executor loop, Logger log, ExecutorHost host, const Clock& clock)
    : ExecutorDriver(std::move(loop), std::move(log), std::move(host), clock) {}

Async<Result<>> RawExecDriver::set_config(std::string msgpack, std::string) {
  auto config = decode_config(msgpack);
  if (!config) co_return fail(std::move(config).error());
  config_ = std::move(*config);
  DROVER_CO_TRY(choose_cgroup_layout(config_.cgroup_mode));
  co_return Result<>{};
}

driver::Capabilities RawExecDriver::capabilities() {
  driver::Capabilities out;
  out.send_signals = true;
  out.exec = true;
  out.fs_isolation = driver::FsIsolation::none;
  out.network_isolation_modes = {driver::NetIsolation::host, driver::NetIsolation::group};
  out.mount_configs = driver::MountConfigs::none;
  return out;
}

driver::Fingerprint RawExecDriver::facts() {
  driver::Fingerprint out;
  if (!config_.enabled) {
    out.description = "disabled";
    return out;
  }
  out.health = driver::Health::healthy;
  out.description = "Healthy";
  out.attributes["driver.raw_exec"] = {true, {}};
  return out;
}

Result<PreparedTask> RawExecDriver::prepare(const driver::TaskConfig& config) {
  if (!config_.enabled) {
    return fail(Code::permission_denied, "raw_exec is disabled on this client; enable it with plugin \"raw_exec\" {{ config {{ enabled = true }} }}");
  }
  const auto options = decode_task(config.driver_config);
  if (!options) return fail(options.error());
  const std::string task_dir = config.alloc_dir + "/" + config.name;
  auto command = find_command(options->command, task_dir, own_path());
  if (!command) return fail(std::move(command).error());

  PreparedTask out;
  LaunchSpec& launch = out.launch;
  launch.executable = *command;
  launch.arguments = {options->command};
  launch.arguments.insert(launch.arguments.end(), options->args.begin(), options->args.end());
  auto denied = config_.denied_envvars;
  denied.insert(denied.end(), options->denied_envvars.begin(), options->denied_envvars.end());
  launch.environment = filter_environment(config.env, denied);
  launch.directory = options->work_dir.empty() ? task_dir : options->work_dir;
  launch.oom_score_adj = static_cast<int>(options->oom_score_adj);
  if (config.user.empty()) {
    DROVER_TRY(check_ids({::geteuid(), ::getegid(), {}}, config_.denied_host_uids, config_.denied_host_gids));
  } else {
    const auto account = find_account(config.user);
    if (!account) return fail(account.error());
    DROVER_TRY(check_ids(account->ids, config_.denied_host_uids, config_.denied_host_gids));
    // Without root there is only one user to run as.
    if (::geteuid() == 0) launch.user = account->ids;
    else if (account->ids.uid != ::geteuid()) return fail(Code::permission_denied, "running as user \"{}\" needs an agent that runs as root", config.user);
  }
  if (config.network_isolation) launch.network_path = config.network_isolation->path;
  DROVER_TRY(apply_log_settings(launch, config.alloc_dir, config.name, config.stdout_path, config.stderr_path));
  launch.confinement.limits = options->ulimits;
  if (config_.landlock || options->landlock || !options->landlock_paths.empty()) {
    if (landlock_abi() == 0) return fail(Code::unavailable, "landlock was asked for, and this kernel has none: boot with lsm=landlock,... or leave it unset");
    launch.confinement.landlock = default_landlock_paths(config.alloc_dir, task_dir);
    launch.confinement.landlock.insert(launch.confinement.landlock.end(), options->landlock_paths.begin(), options->landlock_paths.end());
  }
  if (config_.no_cgroups) return out;
  // Last, since it is the only step that leaves something behind.
  auto cgroup = choose_cgroup(cgroups(), config, *options);
  if (!cgroup) return fail(std::move(cgroup).error());
  if (cgroup->made && cgroups().mode == CgroupMode::unified && config.resources) {
    if (auto limited = write_limits(cgroup->path, limit_files(*config.resources, config_.limits, 0)); !limited) {
      static_cast<void>(remove_scope(cgroups(), cgroup->path));
      return fail(std::move(limited).error());
    }
  }
  launch.cgroup = cgroup->path;
  out.made_cgroup = cgroup->made;
  if (!launch.cgroup.empty() && options->cgroup_v2_override.empty()) launch.flags |= executor::flag::own_cgroup;
  return out;
}

ExecSpec RawExecDriver::session_of(const driver::TaskConfig& config) {
  ExecSpec out;
  const auto options = decode_task(config.driver_config);
  auto denied = config_.denied_envvars;
  if (options) denied.insert(denied.end(), options->denied_envvars.begin(), options->denied_envvars.end());
  out.environment = filter_environment(config.env, denied);
  out.directory = options && !options->work_dir.empty() ? options->work_dir : config.alloc_dir + "/" + config.name;
  return out;
}

}  // namespace drover::raw_exec
