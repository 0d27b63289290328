// What the client's HTTP handlers may ask of it. Loop only.
#pragma once

#include "agent/api/client_ops.h"
#include "agent/client/client.h"

namespace drover::agent {

class LocalClientOps final : public ClientOps {
 public:
  explicit LocalClientOps(Client& client) : client_(client) {}
  [[nodiscard]] std::string node_id() const override;
  [[nodiscard]] Result<std::string> alloc_directory(std::string_view alloc_id) const override;
  [[nodiscard]] TaskPresence task_presence(std::string_view alloc_id, std::string_view task) const override;
  [[nodiscard]] Async<Result<model::AllocResourceUsage>> alloc_stats(std::string alloc_id, std::string task) override;
  [[nodiscard]] Async<Result<>> restart_alloc(std::string alloc_id, std::string task, bool all) override;
  [[nodiscard]] Async<Result<>> signal_alloc(std::string alloc_id, std::string task, std::string signal) override;
  [[nodiscard]] Result<std::vector<std::string>> action_command(std::string_view alloc_id, std::string_view task, std::string_view action) const override;
  [[nodiscard]] Async<Result<>> exec_task(std::string alloc_id, std::string task, driver::ExecOptions options, Channel<driver::ExecInput>& input,
                                          Channel<driver::ExecOutput>& output) override;
  [[nodiscard]] Async<Result<>> collect_alloc(std::string alloc_id) override;
  [[nodiscard]] Async<> collect_all() override;
  [[nodiscard]] Async<Result<model::HostStats>> host_stats() override;
  [[nodiscard]] std::vector<model::AgentPlugin> plugins() const override;
  [[nodiscard]] pluginhost::PluginLogRing* plugin_log(std::string_view name) const override;
  [[nodiscard]] Result<> reset_plugin(std::string_view name) override;
  [[nodiscard]] Result<model::List<model::DriverSchema>> driver_schemas() const override { return client_.driver_schemas(); }

 private:
  Client& client_;
};

}  // namespace drover::agent
