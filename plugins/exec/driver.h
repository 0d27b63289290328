// exec: a command in namespaces and a root of its own, as an unprivileged user, held by its executor.
// Contract: client 5.1 to 5.5, 11.4, degraded rules 11.7.
#pragma once

#include "sdk/executor/rootfs.h"
#include "plugins/shared/capabilities.h"
#include "plugins/shared/device_program.h"
#include "sdk/executor/executor_driver.h"
#include "sdk/executor/limits.h"
#include "plugins/shared/seccomp.h"
#include "sdk/executor/users.h"
#include "sdk/async/pool.h"
#include "sdk/plugin/schema.h"

namespace drover::exec {

[[nodiscard]] plugin::Spec config_schema();
[[nodiscard]] plugin::Spec task_config_schema();

struct Config {
  bool no_pivot_root = false;
  bool private_pid = true, private_ipc = true;
  bool allow_degraded = false;  // run without cgroup limits on hosts without a usable cgroup v2
  CapabilityMask allow_caps = default_allowed_capabilities();
  bool is_allow_caps_set = false;       // by the operator; then it bounds root too
  bool allow_host_namespaces = true;    // N-020: whether a job may choose "host"
  bool no_new_privs = true;             // what set-uid programs of a task's tree could give is ignored anyway (nosuid)
  std::string seccomp_profile = "unconfined";
  bool copies_chroot = false;           // chroot_mode = "copy"
  std::vector<std::string> rootfs_paths;  // below which a job's `rootfs` may be, beside its own task directory
  LimitOptions limits;
  std::string cgroup_mode;  // "compat", "delegated"
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
  std::string seccomp_profile;
  std::string hostname;
  bool init = false;
  bool user_namespace = false;
  std::string rootfs;  // a directory in place of the task's directory and the chroot entries
  LimitOptions limits;
  std::vector<ResourceLimit> ulimits;
};
[[nodiscard]] Result<TaskOptions> decode_task(std::string_view msgpack, const Config& config);

// java derives from it: a JVM is a command like any other.
class ExecDriver : public ExecutorDriver {
 public:
  ExecDriver(Executor loop, Logger log, ExecutorHost host, const Clock& clock);

  Async<Result<>> set_config(std::string msgpack, std::string nomad_api_version) override;
  driver::Capabilities capabilities() override;

 protected:
  Async<Result<>> make_files(driver::TaskConfig config) override;
  Result<PreparedTask> prepare(const driver::TaskConfig& config) override;
  ExecSpec session_of(const driver::TaskConfig& config) override;
  driver::Fingerprint facts() override;
  [[nodiscard]] const Config& settings() const { return config_; }

 private:
  // A descriptor of the namespace that tasks' mounts start from; negative where there is none, and they start from the host's.
  int mount_base();
  Result<> confine(PreparedTask& task, const driver::TaskConfig& config, const TaskOptions& options, const Account& account);

  Config config_;
  SeccompCache seccomp_;
  DevicePrograms device_programs_;
  std::optional<Pool> pool_;  // made when a task's root has to be copied or unpacked
  std::optional<Result<Fd>> mount_base_;  // made with the first task
  bool has_device_program_ = true;  // until the kernel refuses one
};

// Pure: what the fingerprint says of a host.
[[nodiscard]] driver::Fingerprint judge_host(bool is_root, const CgroupHost& cgroups, bool allow_degraded);

}  // namespace drover::exec
