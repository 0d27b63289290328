#include "lib/metrics/summary.h"

#include <fmt/format.h>

#include <array>
#include <ctime>
#include <nlohmann/json.hpp>

#include "lib/model/types.h"

namespace drover::metrics {

namespace {
using Json = model::Json;

Json labels_json(const Labels& labels) {
  auto out = Json::object();
  for (const auto& [name, value] : labels) out[name] = value;
  return out;
}

// Whole numbers without a fraction, as Go writes them; what JSON cannot say is 0.
Json number(double value) {
  if (!std::isfinite(value)) return 0;
  if (value == std::trunc(value) && std::abs(value) < 9e15) return static_cast<std::int64_t>(value);
  return value;
}

// The shortest text that reads back as the same float.
Json single(float value) {
  if (!std::isfinite(value)) return 0;
  return number(std::strtod(fmt::format("{}", value).c_str(), nullptr));
}

Json sampled(const std::map<std::string, AggregateEntry>& entries, double seconds) {
  auto out = Json::array();
  for (const auto& [key, entry] : entries) {
    const auto& values = entry.values;
    auto item = Json::object();
    item["Name"] = entry.name;
    item["Count"] = values.count;
    item["Rate"] = number(values.sum / seconds);
    item["Sum"] = number(values.sum);
    item["Min"] = number(values.min);
    item["Max"] = number(values.max);
    item["Mean"] = number(values.mean());
    item["Stddev"] = number(values.deviation());
    item["Labels"] = labels_json(entry.labels);
    out.push_back(std::move(item));
  }
  return out;
}

// Go's Time.String in UTC: `2006-01-02 15:04:05 +0000 UTC`.
std::string time_text(UnixNanos nanos) {
  const auto seconds = static_cast<std::time_t>(nanos / 1'000'000'000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 64> text;
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S +0000 UTC", &parts)};
}
}  // namespace

std::string to_summary_json(const Interval& interval, std::chrono::seconds length, bool pretty) {
  const auto seconds = static_cast<double>(length.count());
  auto out = Json::object();
  out["Timestamp"] = time_text(interval.start);
  auto gauges = Json::array();
  for (const auto& [key, entry] : interval.gauges) {
    gauges.push_back(Json::object({{"Name", entry.name}, {"Value", single(entry.value)}, {"Labels", labels_json(entry.labels)}}));
  }
  out["Gauges"] = std::move(gauges);
  out["PrecisionGauges"] = Json::array();
  out["Points"] = Json::array();
  out["Counters"] = sampled(interval.counters, seconds);
  out["Samples"] = sampled(interval.samples, seconds);
  constexpr auto replace = Json::error_handler_t::replace;
  return pretty ? out.dump(4, ' ', false, replace) + "\n" : out.dump(-1, ' ', false, replace);
}

}  // namespace drover::metrics
