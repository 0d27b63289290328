// The client role's gauges (server contract 36): the machine, what is allocated on it, and what each task uses. Loop only; set
// each `telemetry.collection_interval`.
#pragma once

#include <vector>

#include "agent/alloc/alloc_runner.h"
#include "lib/metrics/meter.h"
#include "lib/model/plugin_status.h"
#include "lib/model/stats.h"

namespace drover::agent {

// What every gauge of a node is labelled with.
[[nodiscard]] metrics::Labels node_labels(const model::Node& node);
// Cores, memory and file systems: `client.host.*`.
void set_host_gauges(const metrics::Meter& meter, const model::Node& node, const model::HostStats& stats);
// Allocations and tasks by state, and what is taken and what is left of the node: `client.allocations.*`, `client.tasks.*`,
// `client.allocated.*`, `client.unallocated.*`.
void set_allocation_gauges(const metrics::Meter& meter, const model::Node& node, const std::vector<const AllocRunner*>& runners);
// Plugins: whether each runs, how often it was started again, what it takes: `client.plugin.*` (P-27).
void set_plugin_gauges(const metrics::Meter& meter, const model::Node& node, const std::vector<model::AgentPlugin>& plugins);
// One task's use, as its driver last said: `client.allocs.*`.
void set_task_gauges(const metrics::Meter& meter, const AllocRunner& runner);

}  // namespace drover::agent
