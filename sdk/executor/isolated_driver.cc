#include "sdk/executor/isolated_driver.h"

#include <unistd.h>

#include <filesystem>

#include "sdk/base/file.h"
#include "sdk/executor/executor_driver.h"
#include "sdk/executor/limits.h"
#include "sdk/executor/log_settings.h"
#include "sdk/executor/task_surroundings.h"

namespace drover::driver {
namespace {
unsigned host_cores() {
  const long count = ::sysconf(_SC_NPROCESSORS_ONLN);
  return count > 0 ? static_cast<unsigned>(count) : 1;
}
}  // namespace

class IsolatedDriver::Tasks final : public ExecutorDriver {
 public:
  Tasks(IsolatedDriver& author, Executor loop, Logger log, Options options)
      : ExecutorDriver(std::move(loop), std::move(log), executor_host_from_environment(), system_clock()), author_(author), options_(std::move(options)) {}

  void allow_degraded(bool allow) { options_.allow_degraded = allow; }
  Async<Result<>> set_config(std::string, std::string) override { co_return Result<>{}; }
  Capabilities capabilities() override { return author_.capabilities(); }
  Fingerprint facts() override { return judge_host(options_.name, ::geteuid() == 0, cgroups(), options_.allow_degraded); }

  Result<PreparedTask> prepare(const TaskConfig& config) override {
    const auto isolation = author_.isolate(config);
    if (!isolation) return fail(isolation.error());
    if (isolation->command.empty() || isolation->command.front().empty()) return fail(Code::invalid_argument, "the driver has no command for the task");
    const auto judgement = facts();
    if (judgement.health != Health::healthy) return fail(Code::unavailable, "{}", judgement.description);
    const auto account = task_account(config);
    if (!account) return fail(account.error());
    DROVER_TRY(check_task_paths(config));
    auto root = plan_input(config, *account);
    if (!root) return fail(root.error());
    auto program = find_command(isolation->command.front(), *root);
    if (!program) return fail(program.error());

    PreparedTask out;
    LaunchSpec& launch = out.launch;
    DROVER_TRY(apply_log_settings(launch, config.alloc_dir, config.name, config.stdout_path, config.stderr_path));
    DROVER_TRY(make_root_files(*root, config));
    launch.executable = std::move(*program);
    launch.arguments = isolation->command;
    launch.environment = task_environment(config, *account);
    launch.directory = isolation->directory;
    launch.user = account->ids;
    launch.root = root->task_dir;
    launch.hostname = isolation->hostname;
    launch.mounts = plan_root(*root);
    for (const auto& mount : launch.mounts) {
      if (mount.kind == executor::MountKind::overlay) DROVER_TRY(make_directories(mount.work, 0700));
    }
    launch.flags = executor::flag::mount_namespace | executor::flag::die_with_executor | executor::flag::uts_namespace;
    if (isolation->own_processes) launch.flags |= executor::flag::pid_namespace | executor::flag::ipc_namespace;
    if (isolation->has_init) launch.flags |= executor::flag::init;
    if (config.network_isolation) launch.network_path = config.network_isolation->path;
    // without the right to make one, a task opens no device but those it was given.
    launch.confinement.capabilities = 0;
    launch.confinement.no_new_privs = true;
    DROVER_TRY(enter_cgroup(out, config, isolation->pids_limit));
    return out;
  }

  ExecSpec session_of(const TaskConfig& config) override {
    ExecSpec out;
    if (const auto account = task_account(config)) out.environment = task_environment(config, *account);
    // A host may have lost the block that the task was started with.
    if (const auto isolation = author_.isolate(config)) out.directory = isolation->directory;
    return out;
  }

 private:
  Result<RootPlanInput> plan_input(const TaskConfig& config, const Account& account) {
    RootPlanInput out;
    // The executor follows no link to the root, and an operator's data directory may be reached by one.
    std::error_code missing;
    out.alloc_dir = std::filesystem::canonical(config.alloc_dir, missing).string();
    if (missing) return fail(Code::not_found, "the directory of the allocation, \"{}\", is gone: {}", config.alloc_dir, missing.message());
    out.task_dir = out.alloc_dir + "/" + config.name;
    out.user_is_root = account.ids.uid == 0;
    out.mounts = config.mounts;
    out.devices = config.devices;
    out.entries = inspect_chroot(default_chroot_env(), out.task_dir);
    // Whether there is a cgroup decides what of it the task sees.
    out.has_cgroup = !scope_path(cgroups(), scope_name(config.alloc_id, config.name)).empty();
    return out;
  }

  // Last, since it is the only step that leaves something behind.
  Result<> enter_cgroup(PreparedTask& task, const TaskConfig& config, std::int64_t pids_limit) {
    const LinuxResources given = config.resources ? config.resources->linux_resources : LinuxResources{};
    auto cgroup = task_cgroup(cgroups(), given.cpuset_cgroup, scope_name(config.alloc_id, config.name), given.cpuset_cpus);
    if (!cgroup) return fail(cgroup.error());
    task.launch.cgroup = cgroup->path;
    task.made_cgroup = cgroup->made;
    if (task.launch.cgroup.empty()) return {};
    task.launch.flags |= executor::flag::own_cgroup | executor::flag::cgroup_namespace;
    if (cgroups().mode != CgroupMode::unified || !config.resources) return {};
    LimitOptions options;
    options.pids_limit = pids_limit;
    auto limited = write_limits(task.launch.cgroup, limit_files(*config.resources, options, host_cores()));
    if (!limited && task.made_cgroup) static_cast<void>(remove_scope(cgroups(), task.launch.cgroup));
    return limited;
  }

  IsolatedDriver& author_;
  Options options_;
};

IsolatedDriver::IsolatedDriver(Executor loop, Logger log, Options options)
    : tasks_(std::make_unique<Tasks>(*this, std::move(loop), std::move(log), std::move(options))) {}
IsolatedDriver::~IsolatedDriver() = default;

void IsolatedDriver::allow_degraded(bool allow) { tasks_->allow_degraded(allow); }

Async<Result<>> IsolatedDriver::set_config(std::string, std::string) { co_return Result<>{}; }

Capabilities IsolatedDriver::capabilities() {
  Capabilities out;
  out.send_signals = true;
  out.exec = true;
  out.fs_isolation = FsIsolation::chroot;
  out.network_isolation_modes = {NetIsolation::host, NetIsolation::group};
  out.mount_configs = MountConfigs::any;
  return out;
}

Async<> IsolatedDriver::fingerprint(Channel<Fingerprint>& out) { return tasks_->fingerprint(out); }
Async<Result<StartedTask>> IsolatedDriver::start_task(TaskConfig config) { return tasks_->start_task(std::move(config)); }
Async<Result<>> IsolatedDriver::recover_task(TaskHandle handle) { return tasks_->recover_task(std::move(handle)); }
Async<Result<ExitResult>> IsolatedDriver::wait_task(std::string id) { return tasks_->wait_task(std::move(id)); }
Async<Result<>> IsolatedDriver::stop_task(std::string id, std::chrono::nanoseconds timeout, std::string signal) {
  return tasks_->stop_task(std::move(id), timeout, std::move(signal));
}
Async<Result<>> IsolatedDriver::destroy_task(std::string id, bool force) { return tasks_->destroy_task(std::move(id), force); }
Async<Result<TaskStatus>> IsolatedDriver::inspect_task(std::string id) { return tasks_->inspect_task(std::move(id)); }
Async<Result<>> IsolatedDriver::task_stats(std::string id, std::chrono::nanoseconds interval, Channel<TaskStats>& out) {
  return tasks_->task_stats(std::move(id), interval, out);
}
Async<Result<>> IsolatedDriver::all_task_stats(std::chrono::nanoseconds interval, Channel<std::vector<TaskStats>>& out) {
  return tasks_->all_task_stats(interval, out);
}
Async<> IsolatedDriver::task_events(Channel<TaskEvent>& out) { return tasks_->task_events(out); }
Async<Result<>> IsolatedDriver::signal_task(std::string id, std::string signal) { return tasks_->signal_task(std::move(id), std::move(signal)); }
Async<Result<ExecResult>> IsolatedDriver::exec_task(std::string id, std::vector<std::string> command, std::chrono::nanoseconds timeout) {
  return tasks_->exec_task(std::move(id), std::move(command), timeout);
}
Async<Result<>> IsolatedDriver::exec_task_streaming(std::string id, ExecOptions options, Channel<ExecInput>& input, Channel<ExecOutput>& output) {
  return tasks_->exec_task_streaming(std::move(id), std::move(options), input, output);
}

}  // namespace drover::driver
