#include "plugins/java/driver.h"

namespace drover::java {
namespace {

using namespace std::chrono_literals;

// A JVM that has to be read from a slow disk takes a while.
constexpr auto version_limit = 30s;

Result<Program> find_java() {
  auto java = find_program("java", own_path());
  if (!java) return fail(java.error(), "failed to find java binary");
  return java;
}

}  // namespace

driver::Capabilities JavaDriver::capabilities() {
  auto out = ExecDriver::capabilities();
  out.send_signals = false;
  return out;
}

Async<> JavaDriver::gather() {
  auto found = find_program("java", own_path());
  if (!found) {
    java_.reset();
    co_return;
  }
  if (java_ == *found && version_) co_return;  // starting a JVM costs a tenth of a second of a core
  java_ = *found;
  const auto output = co_await program_output(found->path, {"-version"}, version_limit);
  if (output) version_ = parse_version(*output);
  else version_ = fail(output.error());
}

driver::Fingerprint JavaDriver::facts() {
  auto out = ExecDriver::facts();
  if (out.health == driver::Health::undetected) return out;
  if (!java_ || !version_) {
    // Not an error: a node without Java just cannot run such tasks.
    driver::Fingerprint none;
    none.description = java_ ? version_.error().message() : "no java in PATH; install one, such as the package default-jre-headless";
    return none;
  }
  const bool degraded = out.attributes.contains("driver.exec.degraded");
  out.attributes.clear();
  if (out.health != driver::Health::healthy) return out;
  out.attributes["driver.java"] = {true, {}};
  out.attributes["driver.java.version"] = {version_->number, {}};
  out.attributes["driver.java.runtime"] = {version_->runtime, {}};
  out.attributes["driver.java.vm"] = {version_->vm, {}};
  if (degraded) out.attributes["driver.java.degraded"] = {true, {}};
  return out;
}

Async<Result<>> JavaDriver::make_files(driver::TaskConfig config) {
  auto options = exec_config(config.driver_config, "java");
  if (!options) co_return Result<>{};  // what is wrong is said by prepare()
  config.driver_config = std::move(*options);
  auto made = co_await ExecDriver::make_files(std::move(config));
  co_return made;
}

Result<PreparedTask> JavaDriver::prepare(const driver::TaskConfig& config) {
  // First what is wrong with the job, then what is wrong with the node.
  if (auto checked = exec_config(config.driver_config, "java"); !checked) return fail(std::move(checked).error());
  const auto java = find_java();
  if (!java) return fail(java.error());
  auto options = exec_config(config.driver_config, java->path);
  if (!options) return fail(std::move(options).error());
  auto task = config;
  task.driver_config = std::move(*options);
  if (const auto home = home_to_bind(java->path, settings().chroot_env); !home.empty()) {
    task.mounts.push_back({.task_path = home, .host_path = home, .readonly = true, .propagation_mode = {}, .selinux_label = {}});
  }
  return ExecDriver::prepare(task);
}

ExecSpec JavaDriver::session_of(const driver::TaskConfig& config) {
  auto task = config;
  if (auto options = exec_config(config.driver_config, "java")) task.driver_config = std::move(*options);
  return ExecDriver::session_of(task);
}

}  // namespace drover::java
