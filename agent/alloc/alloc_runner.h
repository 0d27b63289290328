// Runs one allocation: its directory, its tasks in lifecycle order, their common end (client contract 3.1, 3.6). Loop only;
// owned by the client role. `run()` is spawned by the owner and ends when every task has; the runner is then kept for its
// files and states until destroy().
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/alloc/health.h"
#include "agent/task/lifecycle.h"
#include "agent/task/task_runner.h"
#include "lib/model/alloc.h"
#include "sdk/async/scope.h"

namespace drover::agent {

struct AllocServices {
  TaskServices& tasks;
  // Stores the allocation and first records of its tasks in one transaction (walkthrough row 13).
  std::function<Async<Result<>>(std::string alloc_id, std::string alloc_bytes, std::map<std::string, std::string> task_bytes)> store_alloc;
  std::function<Async<Result<>>(std::string alloc_id)> forget_alloc;
  // Something the servers should know has changed.
  std::function<void(const std::string& alloc_id)> changed;
  // For removing directory trees.
  std::function<Async<Result<>>(std::string directory)> remove_directory;
};

class AllocRunner {
 public:
  // `restored`: the tasks' stored records; empty for a new allocation. `may_run_already`: its tasks may run although there
  // are no records, since the agent's state was lost.
  AllocRunner(AllocServices& services, std::shared_ptr<const model::Allocation> alloc, std::map<std::string, TaskLocal> restored,
              bool may_run_already);
  ~AllocRunner();

  [[nodiscard]] Async<> run();
  // A newer version from the servers: a desired stop kills the tasks.
  void update(std::shared_ptr<const model::Allocation> alloc);
  // Kills what runs, removes the directory and forgets the records. The runner may be deleted afterwards.
  [[nodiscard]] Async<> destroy();
  // Ends the runner's coroutines and leaves the tasks alone (the agent is stopping).
  [[nodiscard]] Async<> detach();

  [[nodiscard]] const model::Allocation& alloc() const { return *alloc_; }
  [[nodiscard]] bool terminal() const;
  // The fields a client owns, as sent to the servers.
  [[nodiscard]] std::shared_ptr<const model::Allocation> client_update() const;
  [[nodiscard]] TaskRunner* task(std::string_view name);
  [[nodiscard]] const std::vector<std::unique_ptr<TaskRunner>>& tasks() const { return tasks_; }
  [[nodiscard]] std::string directory() const;
  // When it became terminal, Unix nanoseconds; 0 while it is not.
  [[nodiscard]] UnixNanos terminal_since() const { return terminal_since_; }
  // Restarts running tasks, or with `all` also those that have ended.
  void restart(const std::string& task, bool all);

 private:
  [[nodiscard]] Async<Result<>> prepare();
  [[nodiscard]] Async<> run_task(TaskRunner& runner);
  [[nodiscard]] Async<> coordinate();
  [[nodiscard]] Async<> kill_all(model::TaskEvent why, TaskRunner* except);
  [[nodiscard]] Async<> watch_health(HealthRules rules);
  [[nodiscard]] std::vector<LifecycleTask> lifecycle_view() const;
  void task_changed();
  void fail_setup(const Error& error);

  AllocServices& services_;
  std::shared_ptr<const model::Allocation> alloc_;
  const model::TaskGroup* group_ = nullptr;
  std::map<std::string, TaskLocal> restored_;
  bool may_run_already_ = false;
  Logger log_;
  std::vector<std::unique_ptr<TaskRunner>> tasks_;
  Scope scope_;
  Condition changed_;
  LifecycleState lifecycle_ = LifecycleState::init;
  bool killing_ = false;
  std::optional<bool> healthy_;
  Reckoning reckoning_;  // of what is timed here (L-10)
  UnixNanos watched_since_ = 0;
  UnixNanos healthy_at_ = 0;
  UnixNanos terminal_since_ = 0;
};

}  // namespace drover::agent
