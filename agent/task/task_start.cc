// How a task comes to run: recovered by its handle, adopted without one, or started.
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <fcntl.h>

#include <nlohmann/json.hpp>

#include "agent/task/events.h"
#include "agent/task/task_config.h"
#include "agent/task/task_dir.h"
#include "agent/task/task_runner.h"
#include "sdk/base/fail_point.h"
#include "sdk/base/fd.h"
#include "sdk/base/text.h"
#include "sdk/base/uuid.h"
#include "sdk/driver/check.h"
#include "sdk/driver/client.h"

namespace drover::agent {
namespace {
constexpr int shown_refusals = 5;
}  // namespace

Async<> TaskRunner::wait_for_plugin(TaskDriver& driver) {
  for (bool ready = false; !ready;) ready = co_await driver.wait_ready(std::chrono::minutes(5));
}

bool TaskRunner::keeps_logs(const TaskDriver& driver) const {
  return !(task_.log_config && task_.log_config->disabled) && !driver.capabilities().disable_log_collection;
}

Async<Result<>> TaskRunner::collect_logs(const TaskDriver& driver) {
  if (!driver.writes_fifos() || !keeps_logs(driver) || !services_.collect_logs) co_return Result<>{};
  const std::int64_t files = task_.log_config && task_.log_config->max_files > 0 ? task_.log_config->max_files : 10;
  const std::int64_t megabytes = task_.log_config && task_.log_config->max_file_size_mb > 0 ? task_.log_config->max_file_size_mb : 10;
  auto done = co_await services_.collect_logs(alloc_dir(), task_.name, static_cast<std::uint64_t>(files), static_cast<std::uint64_t>(megabytes) << 20);
  co_return done;
}

Async<bool> TaskRunner::recover(TaskDriver& driver) {
  // Its driver opens the FIFOs again.
  if (const auto ready = co_await collect_logs(driver); !ready) log_.error("the task's output is not collected", "error", ready.error());
  auto recovered = co_await driver.recover(local_.handle);
  while (!recovered && recovered.error().code() == Code::unavailable) {
    co_await wait_for_plugin(driver);
    recovered = co_await driver.recover(local_.handle);
  }
  if (recovered) {
    fail_point("task.recovered");
    notify();
    co_return true;
  }
  log_.warn("the task could not be taken over and is started again", "error", recovered.error());
  [[maybe_unused]] const auto destroyed = co_await driver.destroy(local_.driver_task_id, true);
  local_.handle.clear();
  local_.driver_task_id.clear();
  // The servers may have replaced it elsewhere meanwhile. System jobs belong to this node.
  const bool of_node = alloc_->job && (alloc_->job->type == "system" || alloc_->job->type == "sysbatch");
  if (of_node || services_.server_contacted.is_set() || killed_) co_return false;
  add_event(events::restore_failed(now()));
  using namespace asio::experimental::awaitable_operators;
  auto contact = services_.server_contacted.wait() || stop_asked_.wait();
  co_await std::move(contact);
  co_return false;
}

Async<bool> TaskRunner::adopt(TaskDriver& driver, driver::TaskConfig config) {
  auto adopted = co_await driver.adopt(config);
  while (!adopted && adopted.error().code() == Code::unavailable) {
    co_await wait_for_plugin(driver);
    adopted = co_await driver.adopt(config);
  }
  may_run_already_ = false;
  if (adopted) {
    log_.info("the task was running already and is taken over");
    co_await now_runs(std::move(*adopted));
    co_return true;
  }
  log_.debug("nothing of the task runs", "answer", adopted.error());
  // For a driver that cannot recover without its own handle: what it may have under the id ends, so that the task runs once.
  [[maybe_unused]] const auto destroyed = co_await driver.destroy(local_.driver_task_id, true);
  local_.driver_task_id.clear();
  co_return false;
}

Async<> TaskRunner::new_driver_task_id() {
  local_.driver_task_id = fmt::format("{}/{}/{}", alloc_->id, task_.name, make_uuid().substr(0, 8));
  co_await store();
}

void TaskRunner::keep_network(std::optional<driver::DriverNetwork> told) {
  local_.network.reset();
  if (!told) return;
  std::vector<std::string> refused;
  auto accepted = driver::accept_network(std::move(*told), refused);
  if (!refused.empty()) {
    if (refused.size() > shown_refusals) {
      refused.back() = fmt::format("{} more", refused.size() - shown_refusals + 1);
      refused.erase(refused.begin() + shown_refusals - 1, refused.end() - 1);
    }
    push_event(events::driver_message(now(), fmt::format("of the network that the driver told this is not used: {}", join(refused, "; ")), {}));
  }
  auto& kept = local_.network.ensure();
  for (const auto& [label, port] : accepted.port_map) kept.port_map[label] = port;
  kept.ip = std::move(accepted.ip);
  kept.auto_advertise = accepted.auto_advertise;
}

Async<> TaskRunner::now_runs(TaskDriver::Started started) {
  fail_point("task.started");
  unstored_ = true;
  local_.handle = std::move(started.handle);
  local_.state.state = "running";
  local_.state.started_at = model::Time(now());
  up_since_ = reckoning_.now();
  push_event(events::started(now()));
  keep_network(std::move(started.network));
  count("client.allocs.running");
  co_await store();
  unstored_ = false;
  fail_point("task.handle_stored");
  notify();
}

Result<driver::TaskConfig> TaskRunner::prepare(const TaskDriver& driver) {
  const std::string dir = alloc_dir();
  // A restart finds it built, and only sees to what has been taken away.
  if (local_.state.restarts == 0) add_event(events::task_setup(now(), "Building Task Directory"));
  auto built = build_task_dir(dir, task_.name, task_.resources ? task_.resources->secrets_mb : 0);
  if (built && !built->on_disk_because.empty()) log_.warn("the task's secrets are kept on disk", "reason", built->on_disk_because);
  if (!driver.writes_fifos()) {
    if (auto settings = write_log_settings(dir, task_.name, task_.log_config.get()); built && !settings) built = fail(settings.error());
  }
  if (!built) {
    add_event(events::setup_failure(now(), fmt::format("failed to build task directory for \"{}\": {}", task_.name, built.error().message()), false));
    return fail(built.error());
  }
  const auto node = services_.node();
  const driver::Capabilities capabilities = driver.capabilities();
  const bool own_root = capabilities.fs_isolation == driver::FsIsolation::chroot || capabilities.fs_isolation == driver::FsIsolation::image;
  const std::string task_dir = dir + "/" + task_.name;
  EnvironmentInput input{.alloc = *alloc_, .group = group_, .task = task_, .node = *node, .region = services_.region};
  input.alloc_dir = own_root ? "/alloc" : dir + "/alloc";
  input.task_dir = own_root ? "/local" : task_dir + "/local";
  input.secrets_dir = own_root ? "/secrets" : task_dir + "/secrets";
  if (local_.network) input.driver_ports = local_.network->port_map;
  if (capabilities.fs_isolation != driver::FsIsolation::image) input.host = services_.host_environment;
  Environment environment = build_environment(input);
  const std::string config = task_.config.is_null() ? "{}" : task_.config.json().dump();
  // Hundreds of variables, of which only a template has any use.
  const bool templated = config.find("${") != std::string::npos || config.find("%{") != std::string::npos;
  auto encoded = driver.encode_config(config, templated ? config_variables_json(environment, *node, services_.region) : "{}");
  if (!encoded) {
    add_event(events::failed_validation(now(), fmt::format("failed to decode driver config: {}", encoded.error().message())));
    return fail(encoded.error());
  }
  return make_task_config({.alloc = *alloc_, .group = group_, .task = task_, .node = *node, .driver_task_id = local_.driver_task_id,
                           .alloc_dir = dir, .driver_config = std::move(*encoded), .environment = std::move(environment),
                           .devices = reserved_ ? *reserved_ : device::Reservation{}});
}

Async<Result<>> TaskRunner::prepare_and_start(TaskDriver& driver) {
  if (killed_ && !may_run_already_) co_return fail(Code::cancelled, "the task was killed before it started");
  if (local_.driver_task_id.empty()) co_await new_driver_task_id();
  auto devices = co_await reserve_devices();
  if (!devices) co_return devices;
  auto config = prepare(driver);
  if (!config) co_return fail(config.error());
  if (driver.writes_fifos() && !keeps_logs(driver)) config->stdout_path = config->stderr_path = "/dev/null";
  if (const auto logs = co_await collect_logs(driver); !logs) {
    // F-21: better a log that is never rotated than none, or a task that does not start.
    log_.warn("the task's output is kept in one file, since it cannot be collected", "error", logs.error());
    const std::string base = fmt::format("{}/alloc/logs/{}", alloc_dir(), task_.name);
    config->stdout_path = base + ".stdout.0";
    config->stderr_path = base + ".stderr.0";
    for (const std::string& path : {config->stdout_path, config->stderr_path}) {
      if (const auto file = open_file(path, O_WRONLY | O_CREAT | O_NOFOLLOW, 0644); !file) log_.warn("the log file cannot be made", "error", file.error());
    }
  }
  fail_point("task.prepared");
  if (may_run_already_) {
    const bool adopted = co_await adopt(driver, *config);
    if (adopted) co_return Result<>{};
  }
  if (local_.driver_task_id.empty()) co_await new_driver_task_id();
  if (killed_) co_return fail(Code::cancelled, "the task was killed before it started");
  auto started = co_await start(driver, std::move(*config));
  if (!started) {
    add_event(events::driver_failure(now(), driver::rpc_text(started.error())));
    co_return fail(started.error());
  }
  if (local_.handle.empty()) co_await now_runs(std::move(*started));
  co_return Result<>{};
}

// A start under which the plugin died is repeated once (plugin protocol 3.6), when the next instance has nothing of it.
Async<Result<TaskDriver::Started>> TaskRunner::start(TaskDriver& driver, driver::TaskConfig config) {
  for (int attempt = 1;; ++attempt) {
    config.id = local_.driver_task_id;
    auto started = co_await driver.start(config);
    if (started || started.error().code() != Code::unavailable) co_return started;
    log_.warn("the driver plugin died within the start of the task", "driver", task_.driver, "attempt", attempt);
    co_await wait_for_plugin(driver);
    const bool adopted = co_await adopt(driver, config);
    if (adopted) co_return TaskDriver::Started{local_.handle, std::nullopt};
    if (attempt == 2) co_return fail(Code::unavailable, "failed to start task after driver exited unexpectedly: {}", started.error().message());
    if (killed_) co_return fail(Code::cancelled, "the task was killed before it started");
    co_await new_driver_task_id();
  }
}

}  // namespace drover::agent
