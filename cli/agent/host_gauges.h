// The metrics of the machine a client runs on, taken every `telemetry.collection_interval`.
#pragma once

#include "agent/client/client.h"
#include "lib/metrics/metrics.h"

namespace drover::cli {

// Each core, file system and the memory as gauges `client.host.*`, labelled with what the node is.
void set_host_gauges(metrics::Registry& metrics, const model::Node& node, const model::HostStats& stats);
// Until its scope ends.
[[nodiscard]] Async<> collect_host_gauges(metrics::Registry& metrics, agent::Client& client, std::chrono::nanoseconds interval);

}  // namespace drover::cli
