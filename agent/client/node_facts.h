// The Node a client registers: identity, configuration, fingerprints, and what drivers say. Blocking file reads, quick.
#pragma once

#include <map>
#include <string>

#include "agent/client/client.h"
#include "lib/model/node.h"

namespace drover::agent {

// When each driver's state last changed, so that an unchanged one keeps its time.
struct DriverUpdateTimes {
  struct Seen {
    model::DriverInfo info;
    UnixNanos changed = 0;
  };
  std::map<std::string, Seen> drivers;
};

// Everything but the drivers.
[[nodiscard]] model::Node gather_node_facts(const ClientOptions& options, const std::string& node_id, const std::string& secret_id);
// What can change while the machine runs, again (client.md 1.8).
void refresh_node_facts(const ClientOptions& options, model::Node& node);
// Adds `Drivers` and their attributes.
void add_driver_facts(model::Node& node, const pluginhost::DriverManager& manager, DriverUpdateTimes& times, UnixNanos now);

}  // namespace drover::agent
