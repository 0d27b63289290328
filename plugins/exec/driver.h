// exec: a command in namespaces and a root of its own, as an unprivileged user, held by its executor.
// Contract: client 5.1 to 5.5, 11.4, degraded rules 11.7.
#pragma once

#include "plugins/exec/rootfs.h"
#include "plugins/shared/executor_driver.h"
#include "plugins/shared/users.h"
#include "sdk/plugin/schema.h"

namespace drover::exec {

[[nodiscard]] plugin::Spec config_schema();
[[nodiscard]] plugin::Spec task_config_schema();

struct Config {
  bool no_pivot_root = false;
  bool private_pid = true, private_ipc = true;
  bool allow_degraded = false;  // run without cgroup limits on hosts without a usable cgroup v2
  std::vector<std::string> allow_caps;
  std::vector<IdRange> denied_host_uids, denied_host_gids;
  std::map<std::string, std::string> chroot_env;
};
[[nodiscard]] Result<Config> decode_config(std::string_view msgpack);

struct TaskOptions {
  std::string command;
  std::vector<std::string> args;
  bool private_pid = true, private_ipc = true;
  std::vector<std::string> cap_add, cap_drop;
  std::string work_dir = "/";
};
[[nodiscard]] Result<TaskOptions> decode_task(std::string_view msgpack, const Config& config);

// java derives from it: a JVM is a command like any other.
class ExecDriver : public ExecutorDriver {
 public:
  ExecDriver(Executor loop, Logger log, ExecutorHost host, const Clock& clock);

  Async<Result<>> set_config(std::string msgpack, std::string nomad_api_version) override;
  driver::Capabilities capabilities() override;

 protected:
  Result<PreparedTask> prepare(const driver::TaskConfig& config) override;
  ExecSpec session_of(const driver::TaskConfig& config) override;
  driver::Fingerprint facts() override;
  [[nodiscard]] const Config& settings() const { return config_; }

 private:
  Config config_;
  CgroupHost cgroups_ = inspect_cgroups();  // read again with each fingerprint: its file grows with the mounts of all tasks
};

// Pure: what the fingerprint says of a host.
[[nodiscard]] driver::Fingerprint judge_host(bool is_root, const CgroupHost& cgroups, bool allow_degraded);

}  // namespace drover::exec
