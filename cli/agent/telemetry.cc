#include "cli/agent/telemetry.h"

#include <fmt/format.h>
#include <malloc.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>

#include "sdk/base/fd.h"
#include "sdk/base/file.h"
#include "sdk/base/text.h"

namespace drover::cli {
namespace {

std::string host_name() {
  std::string out(256, '\0');
  if (::gethostname(out.data(), out.size()) != 0) return {};
  out.resize(out.find('\0'));
  return out;
}

bool sends(const agent::TelemetryConfig& telemetry) { return !telemetry.statsd_address.empty() || !telemetry.datadog_address.empty(); }

// What statsd takes as part of a name.
std::string name_part(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c == ':' || c == '|' || c == '@' || c == ' ') c = '_';
  }
  return out;
}

Result<Fd> connected_socket(const std::string& address) {
  const auto colon = address.rfind(':');
  if (colon == std::string::npos) return fail(Code::invalid_argument, "\"{}\" is not host:port", address);
  const std::string host = address.substr(0, colon), port = address.substr(colon + 1);
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* list = nullptr;
  if (const int failed = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &list); failed != 0) {
    return fail(Code::invalid_argument, "\"{}\": {}", address, ::gai_strerror(failed));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, ::freeaddrinfo);
  Fd fd(::socket(list->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd || ::connect(fd.get(), list->ai_addr, list->ai_addrlen) != 0) return fail_errno("connecting to {}", address);
  return fd;
}

}  // namespace

metrics::Options metrics_options(const agent::Config& config) {
  const agent::TelemetryConfig& telemetry = config.telemetry;
  metrics::Options out;
  const auto seconds = [](const agent::ConfigDuration& d) { return std::chrono::duration_cast<std::chrono::seconds>(d.value); };
  if (const auto interval = seconds(telemetry.in_memory_collection_interval); interval.count() > 0) out.interval = interval;
  if (const auto retention = seconds(telemetry.in_memory_retention_period); retention.count() > 0) out.retention = retention;
  // Without a receiver of many hosts' metrics, the name of this one says nothing.
  if (!telemetry.disable_hostname && sends(telemetry)) out.host = telemetry.use_node_name ? config.name : host_name();
  out.prefix_filter = telemetry.prefix_filter;
  out.filter_default = telemetry.filter_default.value_or(true);
  return out;
}

std::string statsd_line(char kind, std::string_view name, double value, const metrics::Labels& labels, const StatsdOptions& options) {
  std::string out = name_part(name);
  if (!options.tags) {
    for (const auto& [label, text] : labels) out.append(".").append(name_part(text));
  }
  out += fmt::format(":{}|{}", value, kind == 'm' ? "ms" : kind == 'c' ? "c" : "g");
  if (!options.tags) return out;
  std::vector<std::string> tags = options.constant_tags;
  for (const auto& [label, text] : labels) tags.push_back(label + ":" + name_part(text));
  if (!tags.empty()) out += "|#" + join(tags, ",");
  return out;
}

Result<metrics::Sink> statsd_sink(const StatsdOptions& options) {
  auto socket = connected_socket(options.address);
  if (!socket) return fail(socket.error());
  auto shared = std::make_shared<Fd>(std::move(*socket));
  return metrics::Sink([shared, options](char kind, std::string_view name, double value, const metrics::Labels& labels) {
    const std::string line = statsd_line(kind, name, value, labels, options);
    [[maybe_unused]] const auto sent = ::send(shared->get(), line.data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  });
}

Result<> add_sinks(metrics::Registry& registry, const agent::Config& config) {
  const agent::TelemetryConfig& telemetry = config.telemetry;
  if (!telemetry.statsite_address.empty()) {
    return fail(Code::unimplemented, "telemetry.statsite_address is set, but metrics are sent by UDP only: name the receiver in telemetry.statsd_address");
  }
  if (!telemetry.circonus_api_token.empty() || !telemetry.circonus_submission_url.empty()) {
    return fail(Code::unimplemented, "telemetry.circonus_* is set, but metrics are sent to statsd and DataDog only: remove it and let Prometheus read /v1/metrics");
  }
  const auto add = [&](const char* key, StatsdOptions options) -> Result<> {
    auto sink = statsd_sink(options);
    if (!sink) return fail(sink.error(), "telemetry.{}", key);
    registry.add_sink(std::move(*sink));
    return {};
  };
  if (!telemetry.statsd_address.empty()) DROVER_TRY(add("statsd_address", {.address = telemetry.statsd_address}));
  if (!telemetry.datadog_address.empty()) {
    DROVER_TRY(add("datadog_address", {.address = telemetry.datadog_address, .tags = true, .constant_tags = telemetry.datadog_tags}));
  }
  return {};
}

void set_runtime_gauges(metrics::Registry& registry, bool with_heap) {
  if (with_heap) {
    const auto heap = ::mallinfo2();
    registry.set_gauge("runtime.alloc_bytes", static_cast<double>(heap.uordblks + heap.hblkhd));
  }
  double resident = 0, threads = 0;
  if (const auto status = read_file("/proc/self/status", 8192)) {
    for (const std::string& line : split(*status, '\n')) {
      if (line.starts_with("VmRSS:")) resident = std::strtod(line.c_str() + 6, nullptr) * 1024;
      if (line.starts_with("Threads:")) threads = std::strtod(line.c_str() + 8, nullptr);
    }
  }
  registry.set_gauge("runtime.sys_bytes", resident);
  registry.set_gauge("runtime.num_goroutines", threads);
  // There is no collector, and what malloc does is not counted.
  for (const char* name : {"runtime.heap_objects", "runtime.malloc_count", "runtime.free_count", "runtime.total_gc_pause_ns", "runtime.total_gc_runs"}) {
    registry.set_gauge(name, 0);
  }
}

}  // namespace drover::cli
