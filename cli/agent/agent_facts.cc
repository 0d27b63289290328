#include "cli/agent/agent_facts.h"

#include <nlohmann/json.hpp>

namespace drover::cli {

model::AgentSelf agent_self(const agent::Config& config, const std::string& version, const Server* server, const agent::Client* client) {
  model::AgentSelf out;
  model::Json shown = model::Json::object();
  shown["Region"] = config.region;
  shown["Datacenter"] = config.datacenter;
  shown["NodeName"] = config.name;
  shown["DataDir"] = config.data_dir;
  shown["PluginDir"] = config.plugin_dir;
  shown["LogLevel"] = config.log_level;
  shown["BindAddr"] = config.bind_addr;
  shown["Ports"] = {{"HTTP", config.ports.http}, {"RPC", config.ports.rpc}, {"Serf", config.ports.serf}};
  shown["Addresses"] = {{"HTTP", config.addresses.http}, {"RPC", config.addresses.rpc}, {"Serf", config.addresses.serf}};
  shown["AdvertiseAddrs"] = {{"HTTP", config.advertise.http}, {"RPC", config.advertise.rpc}, {"Serf", config.advertise.serf}};
  shown["Client"] = {{"Enabled", config.client.enabled}, {"AllocDir", config.client.alloc_dir}, {"StateDir", config.client.state_dir},
                     {"NodeClass", config.client.node_class}, {"NodePool", config.client.node_pool}};
  shown["Server"] = {{"Enabled", config.server.enabled}, {"BootstrapExpect", config.server.bootstrap_expect}};
  shown["ACL"] = {{"Enabled", config.acl.enabled}};
  shown["DevMode"] = config.dev_mode;
  shown["Version"] = {{"Version", version}, {"VersionPrerelease", ""}, {"VersionMetadata", ""}, {"Revision", ""}};
  out.config = model::Any(std::move(shown));
  if (server != nullptr) {
    for (const auto& [section, values] : server->stats()) {
      for (const auto& [key, value] : values) out.stats[section][key] = value;
    }
  }
  if (client != nullptr) {
    for (const auto& [key, value] : client->stats()) out.stats["client"][key] = value;
  }
  out.stats.allocate();
  return out;
}

model::AgentHealthResponse agent_health(bool client, bool server, const Server* server_role) {
  model::AgentHealthResponse out;
  if (client) out.client = model::AgentHealth{true, "ok"};
  if (server) {
    const bool led = server_role != nullptr && !server_role->leader().empty();
    out.server = model::AgentHealth{led, led ? "ok" : "No cluster leader"};
  }
  return out;
}

}  // namespace drover::cli
