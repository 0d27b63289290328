// operator scheduler get-config and set-config, autopilot get-config, set-config and health, raft list-peers, remove-peer and
// transfer-leadership, metrics.
#include <nlohmann/json.hpp>

#include "cli/api_client.h"
#include "cli/commands.h"
#include "cli/output_options.h"
#include "lib/model/api_agent.h"
#include "lib/model/api_misc.h"
#include "sdk/base/text.h"

namespace drover::cli {
namespace {
using Json = model::Json;

std::string yes_no(bool value) { return value ? "true" : "false"; }

class SchedulerGetConfig final : public Command {
 public:
  void flags(FlagSet& set) override { output_.flags(set); }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (!arguments.empty()) return context.usage_error("This command takes no arguments");
    auto answer = context.api().get("/v1/operator/scheduler/configuration");
    if (!answer) return context.failed(fmt::format("Error querying scheduler configuration: {}", answer.error().message()));
    model::SchedulerConfigurationResponse reply;
    if (auto decoded = model::from_json(answer->body, reply); !decoded) return context.failed(decoded.error().message());
    if (output_.wanted()) {
      // The client's type has the query's facts under names of its own.
      const Json document = Json::parse(answer->body, nullptr, false);
      const Json& config = document.at("SchedulerConfig");
      return write_formatted(context, output_,
                             record("api.SchedulerConfigurationResponse",
                                    {{"SchedulerConfig", json_value(config)}, {"LastIndex", gotemplate::Value::unsigned_integer(answer->index)},
                                     {"LastContact", gotemplate::Value::integer(0)}, {"KnownLeader", gotemplate::Value(true)},
                                     {"RequestTime", gotemplate::Value::integer(0)}, {"NextToken", gotemplate::Value("")}}));
    }
    const auto& config = *reply.scheduler_config;
    const auto& preempt = config.preemption_config;
    context.ui.out(format_pairs({{"Scheduler Algorithm", config.scheduler_algorithm},
                                 {"Memory Oversubscription", yes_no(config.memory_oversubscription_enabled)},
                                 {"Reject Job Registration", yes_no(config.reject_job_registration)},
                                 {"Pause Eval Broker", yes_no(config.pause_eval_broker)},
                                 {"Preemption System Scheduler", yes_no(preempt.system_scheduler_enabled)},
                                 {"Preemption Service Scheduler", yes_no(preempt.service_scheduler_enabled)},
                                 {"Preemption Batch Scheduler", yes_no(preempt.batch_scheduler_enabled)},
                                 {"Preemption SysBatch Scheduler", yes_no(preempt.sys_batch_scheduler_enabled)},
                                 {"Node Limit For Feasibility Checks", std::to_string(config.node_limit_for_feasibility_checks)},
                                 {"Modify Index", std::to_string(config.modify_index)}}));
    return 0;
  }

 private:
  OutputOptions output_;
};

class SchedulerSetConfig final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.text("check-index", check_index_, "Change only if the modify index is this.");
    set.text("scheduler-algorithm", algorithm_, "binpack or spread.");
    set.optional_boolean("memory-oversubscription", memory_, "Let tasks use more memory than they reserve (true or false).");
    set.optional_boolean("reject-job-registration", reject_, "Refuse jobs but those of management tokens.");
    set.optional_boolean("pause-eval-broker", pause_, "Keep evaluations from being processed.");
    set.optional_boolean("preempt-batch-scheduler", batch_, "Batch jobs may preempt.");
    set.optional_boolean("preempt-service-scheduler", service_, "Service jobs may preempt.");
    set.optional_boolean("preempt-sysbatch-scheduler", sysbatch_, "Sysbatch jobs may preempt.");
    set.optional_boolean("preempt-system-scheduler", system_, "System jobs may preempt.");
    set.optional_integer("node-limit-for-feasibility-checks", limit_, "How many nodes are looked at for a placement; 0: as many as needed.");
  }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (!arguments.empty()) return context.usage_error("This command takes no arguments");
    QueryPairs query;
    if (!check_index_.empty()) {
      auto index = parse_unsigned(check_index_);
      if (!index) return context.failed(fmt::format("Error parsing check-index value {}: {}", quote(check_index_), index.error().message()));
      query.emplace_back("cas", std::to_string(*index));
    }
    auto answer = context.api().get("/v1/operator/scheduler/configuration");
    if (!answer) return context.failed(fmt::format("Error querying for scheduler configuration: {}", answer.error().message()));
    Json config = Json::parse(answer->body, nullptr, false)["SchedulerConfig"];
    const auto set = [](Json& to, const auto& value) {
      if (value) to = *value;
    };
    if (!algorithm_.empty()) config["SchedulerAlgorithm"] = algorithm_;
    set(config["MemoryOversubscriptionEnabled"], memory_);
    set(config["RejectJobRegistration"], reject_);
    set(config["PauseEvalBroker"], pause_);
    set(config["NodeLimitForFeasibilityChecks"], limit_);
    Json& preempt = config["PreemptionConfig"];
    set(preempt["BatchSchedulerEnabled"], batch_);
    set(preempt["ServiceSchedulerEnabled"], service_);
    set(preempt["SysBatchSchedulerEnabled"], sysbatch_);
    set(preempt["SystemSchedulerEnabled"], system_);
    auto reply = context.api().put("/v1/operator/scheduler/configuration", config.dump(), query);
    if (!reply) return context.failed(fmt::format("Error setting scheduler configuration: {}", reply.error().message()));
    if (const auto updated = Json::parse(reply->body, nullptr, false); !query.empty() && updated.is_object() && !updated.value("Updated", true)) {
      return context.failed("Scheduler configuration could not be atomically updated, please try again");
    }
    context.ui.out("Scheduler configuration updated!");
    return 0;
  }

 private:
  std::string check_index_, algorithm_;
  std::optional<bool> memory_, reject_, pause_, batch_, service_, sysbatch_, system_;
  std::optional<std::uint64_t> limit_;
};

class AutopilotGetConfig final : public Command {
 public:
  void flags(FlagSet& set) override { output_.flags(set); }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (!arguments.empty()) return context.usage_error("This command takes no arguments");
    auto answer = context.api().get("/v1/operator/autopilot/configuration");
    if (!answer) return context.failed(fmt::format("Error querying Autopilot configuration: {}", answer.error().message()));
    const Json config = Json::parse(answer->body, nullptr, false);
    if (output_.wanted()) return write_formatted(context, output_, json_value(config));
    for (const char* name : {"CleanupDeadServers", "LastContactThreshold", "MaxTrailingLogs", "MinQuorum", "ServerStabilizationTime",
                             "EnableRedundancyZones", "DisableUpgradeMigration", "EnableCustomUpgrades"}) {
      const Json value = config.is_object() ? config.value(name, Json()) : Json();
      context.ui.out(fmt::format("{} = {}", name, value.is_string() ? value.get<std::string>() : value.dump()));
    }
    return 0;
  }

 private:
  OutputOptions output_;
};

class AutopilotSetConfig final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.optional_boolean("cleanup-dead-servers", cleanup_, "Remove dead servers when new ones join (true or false).");
    set.optional_integer("max-trailing-logs", trailing_, "How many log entries a healthy server may be behind.");
    set.text("last-contact-threshold", contact_, "How long a healthy server may be out of contact with the leader.");
    set.text("server-stabilization-time", stabilization_, "How long a new server must be healthy before it votes.");
    set.optional_boolean("enable-redundancy-zones", zones_, "Keep one voter a zone.");
    set.optional_boolean("disable-upgrade-migration", migration_, "Do not wait for enough servers of a new version.");
    set.optional_boolean("enable-custom-upgrades", upgrades_, "Take versions for upgrades from tags.");
    set.optional_integer("min-quorum", quorum_, "Below how many servers none is removed.");
  }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (!arguments.empty()) return context.usage_error("This command takes no arguments");
    auto answer = context.api().get("/v1/operator/autopilot/configuration");
    if (!answer) return context.failed(fmt::format("Error querying for Autopilot configuration: {}", answer.error().message()));
    Json config = Json::parse(answer->body, nullptr, false);
    const auto set = [&](const char* name, const auto& value) {
      if (value) config[name] = *value;
    };
    set("CleanupDeadServers", cleanup_);
    set("MaxTrailingLogs", trailing_);
    set("EnableRedundancyZones", zones_);
    set("DisableUpgradeMigration", migration_);
    set("EnableCustomUpgrades", upgrades_);
    set("MinQuorum", quorum_);
    if (!contact_.empty()) config["LastContactThreshold"] = contact_;
    if (!stabilization_.empty()) config["ServerStabilizationTime"] = stabilization_;
    const auto index = config.value("ModifyIndex", std::uint64_t{0});
    auto reply = context.api().put("/v1/operator/autopilot/configuration", config.dump(), {{"cas", std::to_string(index)}});
    if (!reply) return context.failed(fmt::format("Error setting Autopilot configuration: {}", reply.error().message()));
    if (trim(reply->body) == "false") return context.failed("Configuration could not be atomically updated, please try again");
    context.ui.out("Configuration updated!");
    return 0;
  }

 private:
  std::optional<bool> cleanup_, zones_, migration_, upgrades_;
  std::optional<std::uint64_t> trailing_, quorum_;
  std::string contact_, stabilization_;
};

class AutopilotHealth final : public Command {
 public:
  void flags(FlagSet& set) override { set.boolean("json", json_, "Write JSON."); }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (!arguments.empty()) return context.usage_error("This command takes no arguments");
    auto answer = context.api().get("/v1/operator/autopilot/health");
    if (!answer) return context.failed(fmt::format("Error querying Autopilot health: {}", answer.error().message()));
    const Json health = Json::parse(answer->body, nullptr, false);
    if (json_ || !health.is_object()) {
      context.ui.out(pretty_json(answer->body));
      return 0;
    }
    context.ui.out(fmt::format("Healthy: {}\nFailureTolerance: {}\nLeader: {}\nVoters: ", health.value("Healthy", false) ? "true" : "false",
                               health.value("FailureTolerance", 0), health.value("Leader", "")));
    for (const Json& voter : health.value("Voters", Json::array())) context.ui.out("\t" + voter.get<std::string>());
    context.ui.out("Servers: ");
    std::vector<std::vector<std::string>> rows{{"ID", "Name", "Address", "SerfStatus", "Version", "Leader", "Voter", "Healthy", "LastContact", "LastTerm", "LastIndex", "StableSince"}};
    for (const Json& server : health.value("Servers", Json::array())) {
      std::vector<std::string> row;
      for (const std::string& name : rows[0]) {
        const Json value = server.value(name, Json());
        row.push_back(value.is_string() ? value.get<std::string>() : value.dump());
      }
      rows.push_back(std::move(row));
    }
    context.ui.out(format_table(rows));
    return 0;
  }

 private:
  bool json_ = false;
};

class Metrics final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.boolean("pretty", pretty_, "Write JSON over several lines.");
    set.text("format", form_, "json or prometheus.");
    output_.flags(set);
  }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (!arguments.empty()) return context.usage_error("This command takes no arguments");
    if (output_.json && !output_.format.empty()) return context.failed("Both json and template formatting are not allowed");
    QueryPairs query;
    if (!form_.empty() && form_ != "json") query.emplace_back("format", form_);
    auto answer = context.api().get("/v1/metrics", query);
    if (!answer) return context.failed(fmt::format("Error querying metrics: {}", answer.error().message()));
    if (output_.wanted()) return write_formatted(context, output_, json_value(Json::parse(answer->body, nullptr, false)));
    context.ui.out(pretty_ ? pretty_json(answer->body) : answer->body);
    return 0;
  }

 private:
  OutputOptions output_;
  bool pretty_ = false;
  std::string form_;
};

class RaftListPeers final : public Command {
 public:
  void flags(FlagSet& set) override { set.boolean("stale", stale_, "Let any server answer, not only the leader."); }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (!arguments.empty()) return context.usage_error("This command takes no arguments");
    QueryPairs query;
    if (stale_) query.emplace_back("stale", "");
    auto peers = context.api().read<model::RaftConfigurationResponse>("/v1/operator/raft/configuration", query);
    if (!peers) return context.failed(fmt::format("Failed to retrieve raft configuration: {}", peers.error().message()));
    std::vector<std::vector<std::string>> rows{{"Node", "ID", "Address", "State", "Voter", "RaftProtocol"}};
    for (const auto& server : peers->servers) {
      rows.push_back({server.node, server.id, server.address, server.leader ? "leader" : "follower", yes_no(server.voter), server.raft_protocol});
    }
    context.ui.out(format_table(rows));
    return 0;
  }

 private:
  bool stale_ = false;
};

class RaftRemovePeer final : public Command {
 public:
  void flags(FlagSet& set) override { set.text("peer-id", id_, "Id of the server to remove."); }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (!arguments.empty()) return context.usage_error("This command takes no arguments");
    if (id_.empty()) return context.failed("Missing peer id required");
    auto answer = context.api().remove("/v1/operator/raft/peer", {{"id", id_}});
    if (!answer) return context.failed(fmt::format("Error removing peer: {}", answer.error().message()));
    context.ui.out(fmt::format("Removed peer with id {}", quote(id_)));
    return 0;
  }

 private:
  std::string id_;
};

class RaftTransfer final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.text("peer-address", address_, "Address of the server that shall lead.");
    set.text("peer-id", id_, "Id of the server that shall lead.");
  }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (!arguments.empty()) return context.usage_error("This command takes no arguments");
    if (id_.empty() && address_.empty()) return context.failed("Error transferring leadership to peer: an address or id is required for the destination peer");
    if (!id_.empty() && !address_.empty()) return context.failed("Error transferring leadership to peer: cannot specify both peer-address and peer-id");
    auto answer = context.api().put("/v1/operator/raft/transfer-leadership", "", {{id_.empty() ? "address" : "id", id_.empty() ? address_ : id_}});
    if (!answer) return context.failed(fmt::format("Error transferring leadership to peer: {}", answer.error().message()));
    context.ui.out(fmt::format("Transferred leadership to peer {}", quote(id_.empty() ? address_ : id_)));
    return 0;
  }

 private:
  std::string address_, id_;
};
}  // namespace

std::unique_ptr<Command> make_operator_autopilot_get_config() { return std::make_unique<AutopilotGetConfig>(); }
std::unique_ptr<Command> make_operator_autopilot_health() { return std::make_unique<AutopilotHealth>(); }
std::unique_ptr<Command> make_operator_autopilot_set_config() { return std::make_unique<AutopilotSetConfig>(); }
std::unique_ptr<Command> make_operator_metrics() { return std::make_unique<Metrics>(); }
std::unique_ptr<Command> make_operator_raft_list_peers() { return std::make_unique<RaftListPeers>(); }
std::unique_ptr<Command> make_operator_raft_remove_peer() { return std::make_unique<RaftRemovePeer>(); }
std::unique_ptr<Command> make_operator_raft_transfer() { return std::make_unique<RaftTransfer>(); }
std::unique_ptr<Command> make_operator_scheduler_get_config() { return std::make_unique<SchedulerGetConfig>(); }
std::unique_ptr<Command> make_operator_scheduler_set_config() { return std::make_unique<SchedulerSetConfig>(); }

}  // namespace drover::cli
