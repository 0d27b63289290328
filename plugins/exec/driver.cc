#include "plugins/exec/driver.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "plugins/shared/log_settings.h"
#include "sdk/base/file.h"
#include "sdk/base/text.h"

namespace drover::exec {
namespace {

std::vector<std::string> environment_of(const driver::TaskConfig& config, const Account& account) {
  auto env = config.env;
  env["USER"] = account.name;
  env["LOGNAME"] = account.name;
  env["HOME"] = account.home;
  std::vector<std::string> out;
  out.reserve(env.size());
  for (const auto& [key, value] : env) out.push_back(key + "=" + value);
  return out;
}

Result<Account> account_of(const driver::TaskConfig& config) { return find_account(config.user.empty() ? "nobody" : config.user); }

std::string resolv_conf(const driver::DnsConfig& dns) {
  std::string out;
  if (!dns.searches.empty()) out += "search " + join(dns.searches, " ") + "\n";
  for (const auto& server : dns.servers) out += "nameserver " + server + "\n";
  if (!dns.options.empty()) out += "options " + join(dns.options, " ") + "\n";
  return out;
}

std::string hosts_file(const std::map<std::string, std::string>& entries) {
  std::string out = "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\nff02::1 ip6-allnodes\nff02::2 ip6-allrouters\n\n";
  for (const auto& [hostname, address] : entries) out += address + " " + hostname + "\n";
  return out;
}

// The driver's own directory beside the task's, which the task cannot reach: overlay work directories, generated files.
Result<> make_work_dir(RootPlanInput& input, const driver::TaskConfig& config) {
  input.work_dir = config.alloc_dir + "/." + config.name + ".root";
  DROVER_TRY(make_directories(input.work_dir, 0700));
  if (config.dns && !(config.dns->servers.empty() && config.dns->searches.empty() && config.dns->options.empty())) {
    DROVER_TRY(write_file(input.work_dir + "/resolv.conf", resolv_conf(*config.dns)));
    input.own_resolv_conf = true;
  }
  const auto& isolation = config.network_isolation;
  if (isolation && isolation->mode == driver::NetIsolation::group && !isolation->hosts_entries.empty()) {
    DROVER_TRY(write_file(input.work_dir + "/hosts", hosts_file(isolation->hosts_entries)));
    input.own_hosts = true;
  }
  return {};
}

Result<> check_paths(const driver::TaskConfig& config) {
  for (const auto& mount : config.mounts) {
    if (!mount.task_path.starts_with('/')) return fail(Code::invalid_argument, "mount target \"{}\" is not an absolute path", mount.task_path);
  }
  for (const auto& device : config.devices) {
    if (!device.task_path.starts_with('/')) return fail(Code::invalid_argument, "device \"{}\" is not an absolute path", device.task_path);
  }
  return {};
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
  if (config_.allow_degraded && !cgroup_complaint(cgroups_).empty()) {
    log().warn("tasks run WITHOUT resource limits on this host", "reason", cgroup_complaint(cgroups_));
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
  driver::Fingerprint out;
  if (!is_root) {
    out.description = "Driver must run as root";
    return out;
  }
  const std::string complaint = cgroup_complaint(cgroups);
  if (!complaint.empty() && !allow_degraded) {
    out.health = driver::Health::unhealthy;
    out.description = complaint;
    return out;
  }
  out.health = driver::Health::healthy;
  out.description = complaint.empty() ? "Healthy" : "Healthy, without resource limits: " + complaint;
  out.attributes["driver.exec"] = {true, {}};
  if (!complaint.empty()) out.attributes["driver.exec.degraded"] = {true, {}};
  return out;
}

driver::Fingerprint ExecDriver::facts() {
  cgroups_ = inspect_cgroups();
  return judge_host(::geteuid() == 0, cgroups_, config_.allow_degraded);
}

Result<PreparedTask> ExecDriver::prepare(const driver::TaskConfig& config) {
  const auto options = decode_task(config.driver_config, config_);
  if (!options) return fail(options.error());
  const auto judgement = judge_host(::geteuid() == 0, cgroups_, config_.allow_degraded);
  if (judgement.health != driver::Health::healthy) return fail(Code::unavailable, "{}", judgement.description);
  const auto account = account_of(config);
  if (!account) return fail(account.error());
  DROVER_TRY(check_ids(account->ids, config_.denied_host_uids, config_.denied_host_gids));
  DROVER_TRY(check_paths(config));

  RootPlanInput root;
  root.alloc_dir = config.alloc_dir;
  root.task_dir = config.alloc_dir + "/" + config.name;
  root.user_is_root = account->ids.uid == 0;
  root.mounts = config.mounts;
  root.devices = config.devices;
  root.entries = inspect_chroot(config_.chroot_env, root.task_dir);
  auto command = find_command(options->command, root);
  if (!command) return fail(std::move(command).error());

  PreparedTask out;
  LaunchSpec& launch = out.launch;
  DROVER_TRY(apply_log_settings(launch, config.alloc_dir, config.name, config.stdout_path, config.stderr_path));
  DROVER_TRY(make_work_dir(root, config));
  launch.executable = *command;
  launch.arguments = {options->command};
  launch.arguments.insert(launch.arguments.end(), options->args.begin(), options->args.end());
  launch.environment = environment_of(config, *account);
  launch.directory = options->work_dir;
  launch.user = account->ids;
  launch.root = root.task_dir;
  launch.mounts = plan_root(root);
  for (const auto& mount : launch.mounts) {
    if (mount.kind == executor::MountKind::overlay) DROVER_TRY(make_directories(mount.work, 0700));
  }
  launch.flags = executor::flag::mount_namespace | executor::flag::die_with_executor;
  if (options->private_pid) launch.flags |= executor::flag::pid_namespace;
  if (options->private_ipc) launch.flags |= executor::flag::ipc_namespace;
  if (config_.no_pivot_root) launch.flags |= executor::flag::no_pivot_root;
  if (config.network_isolation) launch.network_path = config.network_isolation->path;
  const std::string given = config.resources ? config.resources->linux_resources.cpuset_cgroup : "";
  const auto cgroup = task_cgroup(cgroups_, given, scope_name(config.alloc_id, config.name));
  launch.cgroup = cgroup.path;
  out.made_cgroup = cgroup.made;
  if (!launch.cgroup.empty()) launch.flags |= executor::flag::own_cgroup;
  return out;
}

ExecSpec ExecDriver::session_of(const driver::TaskConfig& config) {
  ExecSpec out;
  if (const auto account = account_of(config)) out.environment = environment_of(config, *account);
  if (const auto options = decode_task(config.driver_config, config_)) out.directory = options->work_dir;
  return out;
}

}  // namespace drover::exec
