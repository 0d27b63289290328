// The agent's metrics as the `telemetry` block asks (client contract 1.5): what is kept, where it is sent, and the collection of
// what is only known when somebody looks.
#pragma once

#include "agent/config/config.h"
#include "lib/metrics/metrics.h"
#include "sdk/base/error.h"

namespace drover::cli {

[[nodiscard]] metrics::Options metrics_options(const agent::Config& config);

// Lines for statsd over UDP; with `tags` in DataDog's form, labels as tags beside those given. Sends are never waited for: what
// the socket does not take is lost, as the protocol has it.
struct StatsdOptions {
  std::string address;  // host:port
  bool tags = false;
  std::vector<std::string> constant_tags;
};
[[nodiscard]] Result<metrics::Sink> statsd_sink(const StatsdOptions& options);
// One line, without the end of line: `name:value|kind`, with the label values in the name or as tags.
[[nodiscard]] std::string statsd_line(char kind, std::string_view name, double value, const metrics::Labels& labels, const StatsdOptions& options);

// What statsd_address and datadog_address name. Refuses what this version does not send to.
[[nodiscard]] Result<> add_sinks(metrics::Registry& registry, const agent::Config& config);

// Memory and threads of this process under the names that dashboards read (server contract 36). `with_heap`: also what is allocated,
// which takes a walk over all that is free.
void set_runtime_gauges(metrics::Registry& registry, bool with_heap);

}  // namespace drover::cli
