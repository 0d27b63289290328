// raw_exec: a command on the host itself, without isolation, held by its executor. Off unless the operator enables it.
// Contract: client 5.1 to 5.5, degraded rules 11.7.
#pragma once

#include "sdk/executor/cgroups.h"
#include "sdk/executor/executor_driver.h"
#include "sdk/executor/limits.h"
#include "sdk/executor/users.h"
#include "sdk/plugin/schema.h"

namespace drover::raw_exec {

// Schemas of `plugin "raw_exec" { config {} }` and of a job's `config {}`.
[[nodiscard]] plugin::Spec config_schema();
[[nodiscard]] plugin::Spec task_config_schema();

struct Config {
  bool enabled = false;  // N-024: unset is the safe state
  bool no_cgroups = false;
  bool landlock = false;  // for every task, whether it asks or not
  LimitOptions limits;
  std::string cgroup_mode;  // "compat", "delegated"
  std::vector<std::string> denied_envvars;
  std::vector<IdRange> denied_host_uids, denied_host_gids;
};
[[nodiscard]] Result<Config> decode_config(std::string_view msgpack);

struct TaskOptions {
  std::string command;
  std::vector<std::string> args;
  std::string cgroup_v2_override;
  std::int64_t oom_score_adj = 0;
  std::string work_dir;
  bool landlock = false;
  std::vector<LandlockPath> landlock_paths;  // beside the usual ones
  std::vector<ResourceLimit> ulimits;
  std::vector<std::string> denied_envvars;
};
[[nodiscard]] Result<TaskOptions> decode_task(std::string_view msgpack);

// The environment without the names that match a pattern ("AWS_*"), as KEY=value.
[[nodiscard]] std::vector<std::string> filter_environment(const std::map<std::string, std::string>& env, const std::vector<std::string>& denied);

class RawExecDriver final : public ExecutorDriver {
 public:
  RawExecDriver(Executor loop, Logger log, ExecutorHost host, const Clock& clock);

  Async<Result<>> set_config(std::string msgpack, std::string nomad_api_version) override;
  driver::Capabilities capabilities() override;

 protected:
  Result<PreparedTask> prepare(const driver::TaskConfig& config) override;
  ExecSpec session_of(const driver::TaskConfig& config) override;
  driver::Fingerprint facts() override;

 private:
  Config config_;
};

}  // namespace drover::raw_exec
