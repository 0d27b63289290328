#include "lib/metrics/series.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

namespace drover::metrics {

namespace {
constexpr std::size_t max_window = 512;

std::string prometheus_name(std::string_view name) {
  std::string out(name);
  for (char& c : out) {
    const bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == ':';
    if (!fine) c = '_';
  }
  return out;
}

prometheus::MetricType type_of(SeriesKind kind) {
  switch (kind) {
    case SeriesKind::gauge: return prometheus::MetricType::Gauge;
    case SeriesKind::counter: return prometheus::MetricType::Counter;
    case SeriesKind::summary: return prometheus::MetricType::Summary;
  }
  return prometheus::MetricType::Untyped;
}

void add_quantiles(const Series& series, UnixNanos oldest, prometheus::ClientMetric& metric) {
  std::vector<float> values;
  for (const auto& [time, value] : series.window) {
    if (time >= oldest) values.push_back(value);
  }
  std::sort(values.begin(), values.end());
  metric.summary.sample_count = series.count;
  metric.summary.sample_sum = series.value;
  for (const double quantile : {0.5, 0.9, 0.99}) {
    double value = std::numeric_limits<double>::quiet_NaN();
    if (!values.empty()) {
      const auto rank = static_cast<std::size_t>(std::ceil(quantile * static_cast<double>(values.size())));
      value = static_cast<double>(values[std::max<std::size_t>(rank, 1) - 1]);
    }
    metric.summary.quantile.push_back({quantile, value});
  }
}
}  // namespace

void Series::add_sample(double sample, UnixNanos now) {
  value += sample;
  ++count;
  const std::pair<UnixNanos, float> entry(now, static_cast<float>(sample));
  if (window.size() < max_window) {
    window.push_back(entry);
  } else {
    window[next] = entry;
    next = (next + 1) % max_window;
  }
}

std::string to_prometheus_text(const SeriesTable& table, UnixNanos now, nanoseconds age) {
  std::map<std::string, prometheus::MetricFamily> families;
  for (const auto& [key, series] : table) {
    const auto name = prometheus_name(series.name);
    auto& family = families[name];
    if (family.name.empty()) {
      family.name = name;
      family.help = name;
      family.type = type_of(series.kind);
    }
    // One name can have one type only; the first seen keeps it.
    if (family.type != type_of(series.kind)) continue;
    prometheus::ClientMetric metric;
    for (const auto& [label, value] : series.labels) metric.label.push_back({prometheus_name(label), value});
    switch (series.kind) {
      case SeriesKind::gauge: metric.gauge.value = series.value; break;
      case SeriesKind::counter: metric.counter.value = series.value; break;
      case SeriesKind::summary: add_quantiles(series, now - age.count(), metric); break;
    }
    family.metric.push_back(std::move(metric));
  }
  std::vector<prometheus::MetricFamily> list;
  list.reserve(families.size());
  for (auto& [name, family] : families) list.push_back(std::move(family));
  return prometheus::TextSerializer().Serialize(list);
}

}  // namespace drover::metrics
