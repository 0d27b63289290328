#include "lib/metrics/metrics.h"

#include <deque>

#include "lib/metrics/interval.h"
#include "lib/metrics/series.h"
#include "lib/metrics/summary.h"
#include "sdk/base/reckoning.h"

namespace drover::metrics {

struct Registry::Impl {
  Impl(const Clock& source, Options wanted) : clock(source), time(source), options(std::move(wanted)) {}

  const Clock& clock;
  Reckoning time;  // of intervals and ages of series
  Options options;
  std::deque<Interval> intervals;
  SeriesTable table;
  std::vector<Sink> sinks;
  std::uint64_t dropped = 0;
  // Reused between calls; a metric is recorded without allocating once it is known.
  std::string name_buffer;
  std::string key_buffer;

  // Sets name_buffer and key_buffer; false when the filter refuses the name.
  bool prepare(std::string_view name, const Labels& labels) {
    name_buffer.assign(options.prefix);
    if (!options.prefix.empty()) name_buffer.push_back('.');
    name_buffer.append(name);
    if (!allowed(name_buffer)) return false;
    key_buffer.assign(name_buffer);
    for (const auto& [label, value] : labels) key_buffer.append(";").append(label).append("=").append(value);
    return true;
  }

  bool allowed(std::string_view name) const {
    bool out = options.filter_default;
    std::size_t longest = 0;
    for (const auto& rule : options.prefix_filter) {
      const auto prefix = std::string_view(rule).substr(rule.empty() ? 0 : 1);
      if (prefix.empty() || prefix.size() < longest || !name.starts_with(prefix)) continue;
      longest = prefix.size();
      out = rule[0] == '+';
    }
    return out;
  }

  Labels with_host(const Labels& labels) const {
    auto out = labels;
    if (!options.host.empty()) out.emplace_back("host", options.host);
    return out;
  }

  Interval& current(UnixNanos now) {
    const auto length = std::chrono::nanoseconds(options.interval).count();
    const auto start = now - now % length;
    if (intervals.empty() || intervals.back().start != start) {
      intervals.push_back({});
      intervals.back().start = start;
      const auto keep = static_cast<std::size_t>(std::max<std::int64_t>(2, options.retention / options.interval));
      while (intervals.size() > keep) intervals.pop_front();
      expire(now);
    }
    return intervals.back();
  }

  void expire(UnixNanos now) {
    const auto oldest = now - std::chrono::nanoseconds(options.expiry).count();
    std::erase_if(table, [&](const auto& entry) { return entry.second.touched < oldest; });
  }

  // The series of key_buffer, made when new; null when there are too many.
  Series* series(SeriesKind kind, const Labels& labels, UnixNanos now) {
    auto found = table.find(key_buffer);
    if (found == table.end()) {
      if (table.size() >= options.max_series) {
        ++dropped;
        return nullptr;
      }
      found = table.emplace(key_buffer, Series{.kind = kind, .name = name_buffer, .labels = with_host(labels)}).first;
    }
    found->second.touched = now;
    return found->second.kind == kind ? &found->second : nullptr;
  }

  void aggregate(std::map<std::string, AggregateEntry>& entries, const Series& series, double value) {
    auto found = entries.find(key_buffer);
    if (found == entries.end()) found = entries.emplace(key_buffer, AggregateEntry{series.name, series.labels, {}}).first;
    found->second.values.add(value);
  }

  void tell(char kind, double value, const Series& series) {
    for (const auto& sink : sinks) sink(kind, series.name, value, series.labels);
  }
};

Registry::Registry(const Clock& clock, Options options) : impl_(std::make_unique<Impl>(clock, std::move(options))) {}
Registry::~Registry() = default;

void Registry::set_gauge(std::string_view name, double value, const Labels& labels) {
  if (!impl_->prepare(name, labels)) return;
  const auto now = impl_->time.now();
  auto& interval = impl_->current(now);
  auto* series = impl_->series(SeriesKind::gauge, labels, now);
  if (series == nullptr) return;
  series->value = value;
  auto& entry = interval.gauges[impl_->key_buffer];
  if (entry.name.empty()) {
    entry.name = series->name;
    entry.labels = series->labels;
  }
  entry.value = static_cast<float>(value);
  impl_->tell('g', value, *series);
}

void Registry::add_counter(std::string_view name, double value, const Labels& labels) {
  if (!impl_->prepare(name, labels)) return;
  const auto now = impl_->time.now();
  auto& interval = impl_->current(now);
  auto* series = impl_->series(SeriesKind::counter, labels, now);
  if (series == nullptr) return;
  series->value += value;
  impl_->aggregate(interval.counters, *series, value);
  impl_->tell('c', value, *series);
}

void Registry::add_sample(std::string_view name, double value, const Labels& labels) {
  if (!impl_->prepare(name, labels)) return;
  const auto now = impl_->time.now();
  auto& interval = impl_->current(now);
  auto* series = impl_->series(SeriesKind::summary, labels, now);
  if (series == nullptr) return;
  series->add_sample(value, now);
  impl_->aggregate(interval.samples, *series, value);
  impl_->tell('m', value, *series);
}

void Registry::measure_since(std::string_view name, std::chrono::steady_clock::time_point start, const Labels& labels) {
  const std::chrono::duration<double, std::milli> elapsed = impl_->clock.monotonic() - start;
  add_sample(name, elapsed.count(), labels);
}

void Registry::forget(std::string_view name, const Labels& labels) {
  if (!impl_->prepare(name, labels)) return;
  impl_->table.erase(impl_->key_buffer);
  if (!impl_->intervals.empty()) impl_->intervals.back().gauges.erase(impl_->key_buffer);
}

void Registry::add_sink(Sink sink) { impl_->sinks.push_back(std::move(sink)); }

std::string Registry::summary_json(bool pretty) const {
  auto& impl = *impl_;
  static_cast<void>(impl.current(impl.time.now()));
  const auto count = impl.intervals.size();
  const auto& shown = impl.intervals[count > 1 ? count - 2 : 0];
  return to_summary_json(shown, impl.options.interval, pretty);
}

std::string Registry::prometheus_text() const {
  const auto now = impl_->time.now();
  impl_->expire(now);
  auto table = impl_->table;
  if (impl_->dropped > 0) {
    const auto name = impl_->options.prefix + ".metrics.dropped";
    table[name] = Series{.kind = SeriesKind::counter, .name = name, .value = static_cast<double>(impl_->dropped)};
  }
  return to_prometheus_text(table, now, impl_->options.interval);
}

}  // namespace drover::metrics
