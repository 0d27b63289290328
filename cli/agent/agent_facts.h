// What `/v1/agent/self` and `/v1/agent/health` say about this process.
#pragma once

#include <string>

#include "agent/client/client.h"
#include "agent/config/config.h"
#include "lib/model/api_agent.h"
#include "server/server.h"

namespace drover::cli {

// Null pointers: roles that do not run.
[[nodiscard]] model::AgentSelf agent_self(const agent::Config& config, const std::string& version, const Server* server, const agent::Client* client);
[[nodiscard]] model::AgentHealthResponse agent_health(bool client, bool server, const Server* server_role);

}  // namespace drover::cli
