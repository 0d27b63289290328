// What the HTTP handlers of the client role ask the client for; owned here, implemented by agent/client. Loop only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/model/driver_schema.h"
#include "lib/model/plugin_status.h"
#include "lib/model/stats.h"
#include "sdk/async/asio.h"
#include "sdk/base/error.h"
#include "sdk/driver/driver.h"

namespace drover::pluginhost { class PluginLogRing; }

namespace drover::agent {

enum class TaskPresence { unknown, not_started, started };

class ClientOps {
 public:
  virtual ~ClientOps() = default;
  // Empty when this agent is no client.
  [[nodiscard]] virtual std::string node_id() const = 0;
  // Directory of an allocation on this node; Code::not_found when it is not here. The text does not matter.
  [[nodiscard]] virtual Result<std::string> alloc_directory(std::string_view alloc_id) const = 0;
  [[nodiscard]] virtual TaskPresence task_presence(std::string_view alloc_id, std::string_view task) const = 0;

  // `task` empty: all tasks. An unknown one has used nothing.
  [[nodiscard]] virtual Async<Result<model::AllocResourceUsage>> alloc_stats(std::string alloc_id, std::string task) = 0;
  // `task` empty: all that run, or with `all` also those that have ended. An unknown task is the reference's text.
  [[nodiscard]] virtual Async<Result<>> restart_alloc(std::string alloc_id, std::string task, bool all) = 0;
  [[nodiscard]] virtual Async<Result<>> signal_alloc(std::string alloc_id, std::string task, std::string signal) = 0;
  // The command of one of the task's actions.
  [[nodiscard]] virtual Result<std::vector<std::string>> action_command(std::string_view alloc_id, std::string_view task, std::string_view action) const = 0;
  // Runs a command in a running task until it has ended. The channels outlive the call.
  [[nodiscard]] virtual Async<Result<>> exec_task(std::string alloc_id, std::string task, driver::ExecOptions options,
                                                  Channel<driver::ExecInput>& input, Channel<driver::ExecOutput>& output) = 0;
  // Code::not_found when the allocation is unknown or not terminal.
  [[nodiscard]] virtual Async<Result<>> collect_alloc(std::string alloc_id) = 0;
  [[nodiscard]] virtual Async<> collect_all() = 0;
  [[nodiscard]] virtual Async<Result<model::HostStats>> host_stats() = 0;
  // Of the drivers that have run, by name.
  [[nodiscard]] virtual Result<model::List<model::DriverSchema>> driver_schemas() const = 0;

  // Without digests. A plugin is named by its own name or its file's.
  [[nodiscard]] virtual std::vector<model::AgentPlugin> plugins() const = 0;
  // Null when there is no such plugin. Lives as long as the client.
  [[nodiscard]] virtual pluginhost::PluginLogRing* plugin_log(std::string_view name) const = 0;
  [[nodiscard]] virtual Result<> reset_plugin(std::string_view name) = 0;
};

}  // namespace drover::agent
