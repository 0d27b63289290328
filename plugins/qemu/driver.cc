#include "plugins/qemu/driver.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "plugins/qemu/image.h"
#include "plugins/qemu/monitor.h"
#include "sdk/executor/limits.h"
#include "sdk/executor/log_settings.h"
#include "sdk/executor/users.h"
#include "sdk/base/text.h"

namespace drover::qemu {
namespace {

using namespace std::chrono_literals;

constexpr auto version_limit = 30s;
constexpr auto monitor_limit = 5s;

std::string task_directory(const driver::TaskConfig& config) { return config.alloc_dir + "/" + config.name; }

// Every system emulator in PATH that a job may name, sorted.
std::vector<std::string> find_emulators(const std::vector<std::string>& allowlist) {
  std::vector<std::string> out;
  for (const auto& name : allowlist) {
    if (find_program(name, own_path())) out.push_back(name);
  }
  if (!allowlist.empty()) return out;
  for (const auto& directory : split(own_path(), ':')) {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(directory.empty() ? "/nonexistent" : directory, error)) {
      const std::string name = entry.path().filename();
      if (name.starts_with("qemu-system-") && check_emulator({}, name) && find_program(name, own_path())) out.push_back(name);
    }
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

// The guest has what the job asks for; QEMU itself needs some more, and is not killed for that.
driver::Resources limits_of(driver::Resources resources) {
  constexpr std::int64_t own_memory_mb = 512;
  if (resources.memory_max_mb >= 0) resources.memory_max_mb = std::max(resources.memory_mb, resources.memory_max_mb) + own_memory_mb;
  return resources;
}

}  // namespace

Async<Result<>> QemuDriver::set_config(std::string msgpack, std::string) {
  auto config = decode_config(msgpack);
  if (!config) co_return fail(std::move(config).error());
  config_ = std::move(*config);
  co_return Result<>{};
}

driver::Capabilities QemuDriver::capabilities() {
  driver::Capabilities out;
  out.fs_isolation = driver::FsIsolation::none;
  out.network_isolation_modes = {driver::NetIsolation::host, driver::NetIsolation::group};
  out.mount_configs = driver::MountConfigs::none;
  return out;
}

Async<> QemuDriver::gather() {
  emulators_ = find_emulators(config_.emulators_allowlist);
  const bool has_default = std::find(emulators_.begin(), emulators_.end(), default_emulator) != emulators_.end();
  auto program = emulators_.empty() ? Result<Program>(fail(Code::not_found, "none")) : find_program(has_default ? default_emulator : emulators_.front(), own_path());
  if (!program) {
    asked_.reset();
    co_return;
  }
  if (asked_ == *program && version_) co_return;
  asked_ = *program;
  const auto output = co_await program_output(program->path, {"--version"}, version_limit);
  if (!output) version_ = fail(output.error());
  else if (auto version = parse_version(*output); !version.empty()) version_ = std::move(version);
  else version_ = fail(Code::internal, "Failed to parse qemu version from {}", trim(*output));
}

driver::Fingerprint QemuDriver::facts() {
  driver::Fingerprint out;
  if (!asked_ || !version_) {
    // Not an error: a node without QEMU just cannot run such tasks.
    out.description = asked_ ? version_.error().message() : "no qemu-system-* in PATH; install one, such as the package qemu-system-x86";
    return out;
  }
  out.health = driver::Health::healthy;
  out.description = "Healthy";
  out.attributes["driver.qemu"] = {true, {}};
  out.attributes["driver.qemu.version"] = {*version_, {}};
  out.attributes["driver.qemu.emulators"] = {join(emulators_, ","), {}};
  return out;
}

Result<PreparedTask> QemuDriver::prepare(const driver::TaskConfig& config) {
  const auto options = decode_task(config.driver_config, config_);
  if (!options) return fail(options.error());
  const auto image = check_image({config.alloc_dir, task_directory(config), config_.image_paths}, options->image_path);
  if (!image) return fail(image.error());
  auto arguments = command_line(*options, config, *image);
  if (!arguments) return fail(std::move(arguments).error());
  const auto emulator = find_program(options->emulator, own_path());
  if (!emulator) return fail(emulator.error());

  PreparedTask out;
  LaunchSpec& launch = out.launch;
  launch.executable = emulator->path;
  launch.arguments = {emulator->path};
  launch.arguments.insert(launch.arguments.end(), arguments->begin(), arguments->end());
  for (const auto& [key, value] : config.env) launch.environment.push_back(key + "=" + value);
  launch.directory = task_directory(config);
  if (!config.user.empty()) {
    const auto account = find_account(config.user);
    if (!account) return fail(account.error());
    if (::geteuid() == 0) launch.user = account->ids;
    else if (account->ids.uid != ::geteuid()) return fail(Code::permission_denied, "running as user \"{}\" needs an agent that runs as root", config.user);
  }
  if (config.network_isolation) launch.network_path = config.network_isolation->path;
  DROVER_TRY(apply_log_settings(launch, config.alloc_dir, config.name, config.stdout_path, config.stderr_path));
  if (!options->port_map.empty()) {
    out.network.emplace();
    for (const auto& [label, port] : options->port_map) out.network->port_map[label] = static_cast<std::int32_t>(port);
  }
  // Last, since it is the only step that leaves something behind.
  const auto& linux_resources = config.resources->linux_resources;
  auto cgroup = task_cgroup(cgroups(), linux_resources.cpuset_cgroup, scope_name(config.alloc_id, config.name), linux_resources.cpuset_cpus);
  if (!cgroup) return fail(std::move(cgroup).error());
  if (cgroup->made && cgroups().mode == CgroupMode::unified) {
    if (auto limited = write_limits(cgroup->path, limit_files(limits_of(*config.resources), {}, 0)); !limited) {
      static_cast<void>(remove_scope(cgroups(), cgroup->path));
      return fail(std::move(limited).error());
    }
  }
  launch.cgroup = cgroup->path;
  out.made_cgroup = cgroup->made;
  if (!launch.cgroup.empty()) launch.flags |= executor::flag::own_cgroup;
  return out;
}

// Sessions are refused below; the guest's console is the task's log.
ExecSpec QemuDriver::session_of(const driver::TaskConfig&) { return {}; }

Async<bool> QemuDriver::ask_to_end(driver::TaskConfig config) {
  const auto options = decode_task(config.driver_config, config_);
  if (!options || !options->graceful_shutdown) co_return false;
  const auto sent = co_await send_to_monitor(task_directory(config), "system_powerdown", monitor_limit);
  if (!sent) log().warn("the machine cannot be asked to power off; it is ended by a signal", "task", config.name, "error", sent.error().message());
  co_return sent.has_value();
}

Async<Result<>> QemuDriver::signal_task(std::string, std::string) { co_return fail(Code::unimplemented, "QEMU driver can't signal commands"); }

Async<Result<driver::ExecResult>> QemuDriver::exec_task(std::string, std::vector<std::string>, std::chrono::nanoseconds) {
  co_return fail(Code::unimplemented, "QEMU driver can't execute commands");
}

Async<Result<>> QemuDriver::exec_task_streaming(std::string, driver::ExecOptions, Channel<driver::ExecInput>&, Channel<driver::ExecOutput>&) {
  co_return fail(Code::unimplemented, "QEMU driver can't execute commands");
}

}  // namespace drover::qemu
