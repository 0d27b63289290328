// Everything since the start, for Prometheus: gauges, running counters and summaries with the quantiles of the last seconds.
// Private to lib/metrics.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "lib/metrics/metrics.h"

namespace drover::metrics {

enum class SeriesKind : std::uint8_t { gauge, counter, summary };

struct Series {
  SeriesKind kind = SeriesKind::gauge;
  std::string name;
  Labels labels;
  double value = 0;            // of a gauge, or the sum
  std::uint64_t count = 0;     // of a summary
  UnixNanos touched = 0;
  // The newest values of a summary with their times: a ring of at most `max_window`.
  std::vector<std::pair<UnixNanos, float>> window;
  std::size_t next = 0;

  void add_sample(double sample, UnixNanos now);
};

using SeriesTable = std::unordered_map<std::string, Series>;

// Quantiles are taken over the values younger than `age`.
[[nodiscard]] std::string to_prometheus_text(const SeriesTable& table, UnixNanos now, nanoseconds age);

}  // namespace drover::metrics
