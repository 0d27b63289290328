// The operations of an agent without the client role: there is no allocation and no node here.
#pragma once

#include "agent/api/client_ops.h"

namespace drover::agent {

class NoClient final : public ClientOps {
 public:
  [[nodiscard]] std::string node_id() const override { return {}; }
  [[nodiscard]] Result<std::string> alloc_directory(std::string_view) const override { return nothing(); }
  [[nodiscard]] TaskPresence task_presence(std::string_view, std::string_view) const override { return TaskPresence::unknown; }
  [[nodiscard]] Async<Result<model::AllocResourceUsage>> alloc_stats(std::string, std::string) override { co_return nothing(); }
  [[nodiscard]] Async<Result<>> restart_alloc(std::string, std::string, bool) override { co_return nothing(); }
  [[nodiscard]] Async<Result<>> signal_alloc(std::string, std::string, std::string) override { co_return nothing(); }
  [[nodiscard]] Result<std::vector<std::string>> action_command(std::string_view, std::string_view, std::string_view) const override { return nothing(); }
  [[nodiscard]] Async<Result<>> exec_task(std::string, std::string, driver::ExecOptions, Channel<driver::ExecInput>&,
                                          Channel<driver::ExecOutput>& output) override {
    output.close();
    co_return nothing();
  }
  [[nodiscard]] Async<Result<>> collect_alloc(std::string) override { co_return nothing(); }
  [[nodiscard]] Async<> collect_all() override { co_return; }
  [[nodiscard]] Async<Result<model::HostStats>> host_stats() override { co_return nothing(); }
  [[nodiscard]] std::vector<model::AgentPlugin> plugins() const override { return {}; }
  [[nodiscard]] pluginhost::PluginLogRing* plugin_log(std::string_view) const override { return nullptr; }
  [[nodiscard]] Result<> reset_plugin(std::string_view) override { return nothing(); }
  [[nodiscard]] Result<model::List<model::DriverSchema>> driver_schemas() const override { return nothing(); }

 private:
  static Unexpected nothing() { return fail(Code::not_found, "this agent is not a client"); }
};

}  // namespace drover::agent
