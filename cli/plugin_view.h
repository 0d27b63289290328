// Plugins of a node as text.
#pragma once

#include <optional>
#include <string>

#include "cli/api_client.h"
#include "lib/model/plugin_status.h"

namespace drover::cli {

// `Name | Type | Version | Phase | PID | Uptime | Restarts | Tasks | Memory`.
[[nodiscard]] std::string plugin_table(const model::List<model::AgentPlugin>& plugins, std::int64_t now_unix_nanos);
// A sentence for each that does not run: what is wrong and what to do. Empty when all do.
[[nodiscard]] std::string plugin_reasons(const model::List<model::AgentPlugin>& plugins);
[[nodiscard]] std::string plugin_details(const Ui& ui, const model::AgentPlugin& plugin, bool verbose, std::int64_t now_unix_nanos);
// The query that names a node by a prefix of its id; empty for the agent's own. Nothing: an error is printed, `code` is set.
[[nodiscard]] std::optional<QueryPairs> node_query(Context& context, const std::string& prefix, int& code);

}  // namespace drover::cli
