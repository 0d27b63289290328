// What happened within one interval, as go-metrics counts it. Private to lib/metrics.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <string>

#include "lib/metrics/metrics.h"

namespace drover::metrics {

struct Aggregate {
  std::uint64_t count = 0;
  double sum = 0;
  double squares = 0;
  double min = 0;
  double max = 0;

  void add(double value) {
    min = count == 0 ? value : std::min(min, value);
    max = count == 0 ? value : std::max(max, value);
    ++count;
    sum += value;
    squares += value * value;
  }
  [[nodiscard]] double mean() const { return count == 0 ? 0 : sum / static_cast<double>(count); }
  [[nodiscard]] double deviation() const {
    if (count < 2) return 0;
    const auto n = static_cast<double>(count);
    // Rounding can push the difference of two large numbers below zero.
    return std::sqrt(std::max(0.0, n * squares - sum * sum) / (n * (n - 1)));
  }
};

struct GaugeEntry {
  std::string name;
  Labels labels;
  float value = 0;
};

struct AggregateEntry {
  std::string name;
  Labels labels;
  Aggregate values;
};

// Keys are full names with labels (`nomad.x;a=b`), which also gives the order of the JSON.
struct Interval {
  UnixNanos start = 0;
  std::map<std::string, GaugeEntry> gauges;
  std::map<std::string, AggregateEntry> counters;
  std::map<std::string, AggregateEntry> samples;
};

}  // namespace drover::metrics
