// The schemas of drivers' config blocks: as nodes of the cluster publish them, or, without a cluster, as the plugins installed here say.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "cli/api_client.h"
#include "lib/lint/driver_config.h"

namespace drover::cli {

struct FoundSchemas {
  lint::DriverSchemas schemas;
  bool asked = false;                 // whether there was somebody to ask
  std::set<std::string> nowhere;      // drivers that no ready node of the cluster has
};

// Asks one ready node for each driver. A cluster that publishes no schemas gives none.
[[nodiscard]] FoundSchemas cluster_schemas(ApiClient& api, const std::set<std::string>& drivers);

// Starts the plugins that may be these drivers: those of `libexec` by their names, and every executable of `plugin_dir`, one after
// another, and stops them again. What cannot be started says nothing. An empty `drivers` asks for all.
[[nodiscard]] FoundSchemas installed_schemas(const std::set<std::string>& drivers, const std::string& libexec, const std::string& plugin_dir);

}  // namespace drover::cli
