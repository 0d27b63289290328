// java: a JVM as an exec task. What is Java's own is which program runs, with which arguments, and what the node says of it.
// Contract: client 5.1, 5.3, 5.4; options of isolation as exec.
#pragma once

#include <optional>

#include "plugins/exec/driver.h"
#include "plugins/shared/program.h"

namespace drover::java {

[[nodiscard]] plugin::Spec config_schema();
[[nodiscard]] plugin::Spec task_config_schema();

// Pure: a config block of this driver, as exec's, with `java` for the command; a root of the job's own is asked for a java of its
// own, by name. Error "jar_path or class must be specified".
[[nodiscard]] Result<std::string> exec_config(std::string_view msgpack, const std::string& java);

// The three lines of `java -version`.
struct Version {
  std::string number, runtime, vm;
  friend bool operator==(const Version&, const Version&) = default;
};
// Lines before them ("Picked up _JAVA_OPTIONS: ...") are passed over. All empty when the output has another form.
[[nodiscard]] Version parse_version(std::string_view output);

// The directory a JVM needs to be seen in a task's root, when no entry of chroot_env holds it: /opt/jdk for /opt/jdk/bin/java.
[[nodiscard]] std::string home_to_bind(const std::string& java, const std::map<std::string, std::string>& chroot_env);

class JavaDriver final : public exec::ExecDriver {
 public:
  using ExecDriver::ExecDriver;
  driver::Capabilities capabilities() override;

 protected:
  Async<Result<>> make_files(driver::TaskConfig config) override;
  Result<PreparedTask> prepare(const driver::TaskConfig& config) override;
  ExecSpec session_of(const driver::TaskConfig& config) override;
  Async<> gather() override;
  driver::Fingerprint facts() override;

 private:
  // Of the last fingerprint. The version is empty when the program gave none.
  std::optional<Program> java_;
  Result<Version> version_;
};

}  // namespace drover::java
