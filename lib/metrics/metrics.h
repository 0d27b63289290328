// Gauges, counters and samples: kept per 10 s interval for `/v1/metrics`, and since the start for Prometheus. One registry per
// process, owned by the composition root and passed by reference; use it on the loop only (a thread hands its numbers over).
//
// Names are dotted, without the prefix: `counter("client.allocs.start")` is `nomad.client.allocs.start` in JSON and
// `nomad_client_allocs_start` in Prometheus text.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sdk/base/clock.h"

namespace drover::metrics {

// In the order given; names are unique within one call.
using Labels = std::vector<std::pair<std::string, std::string>>;

struct Options {
  std::string prefix = "nomad";
  std::chrono::seconds interval{10};
  std::chrono::seconds retention{60};
  // `host` label, empty for none.
  std::string host;
  // `+x` / `-x` of telemetry.prefix_filter, and what holds for the others. The longest matching prefix decides.
  std::vector<std::string> prefix_filter;
  bool filter_default = true;
  // Prometheus series not touched for this long are dropped.
  std::chrono::seconds expiry{60};
  // Distinct series; more are dropped and counted in `metrics.dropped`.
  std::size_t max_series = 50'000;
};

// A line for statsd or statsite: full name with its values, kind 'g', 'c' or 'm' (milliseconds).
using Sink = std::function<void(char kind, std::string_view name, double value, const Labels& labels)>;

class Registry {
 public:
  explicit Registry(const Clock& clock, Options options = {});
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  void set_gauge(std::string_view name, double value, const Labels& labels = {});
  void add_counter(std::string_view name, double value = 1, const Labels& labels = {});
  void add_sample(std::string_view name, double value, const Labels& labels = {});
  // A sample in milliseconds from `start` to now.
  void measure_since(std::string_view name, std::chrono::steady_clock::time_point start, const Labels& labels = {});
  // Takes a gauge away (a stopped allocation).
  void forget(std::string_view name, const Labels& labels = {});
  void add_sink(Sink sink);

  // MetricsSummary of the last finished interval, of the current one in the first (http-api 3.11).
  [[nodiscard]] std::string summary_json(bool pretty = false) const;
  // Prometheus text, version 0.0.4.
  [[nodiscard]] std::string prometheus_text() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace drover::metrics
