#include "server/rpc/call_metrics.h"

#include <cctype>

namespace drover::rpc {
namespace {

// `GetJobVersions` -> `get_job_versions`.
std::string snake_case(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::isupper(static_cast<unsigned char>(c)) != 0 && !out.empty()) out.push_back('_');
    out.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
  }
  return out;
}

// Timers that are not called as their endpoint is.
const std::map<std::string_view, std::string_view>& special_timers() {
  static const std::map<std::string_view, std::string_view> names{
      {"Job.Summary", "nomad.job_summary.get_job_summary"},
      {"Job.Statuses", "nomad.jobs.statuses"},
      {"Namespace.ListNamespaces", "nomad.namespace.list_namespace"},
  };
  return names;
}

std::string_view kind_name(wire::CallKind kind) {
  switch (kind) {
    case wire::CallKind::read: return "read";
    case wire::CallKind::list: return "list";
    case wire::CallKind::write: return "write";
  }
  return "read";
}

}  // namespace

std::string CallMetrics::timer_name(std::string_view endpoint) {
  if (const auto special = special_timers().find(endpoint); special != special_timers().end()) return std::string(special->second);
  const auto dot = endpoint.find('.');
  const std::string_view service = endpoint.substr(0, dot);
  if (dot == std::string_view::npos || service == "Status" || service == "System" || service == "Operator") return {};
  // What clients call has their name.
  const std::string room = service == "Node" ? "client" : snake_case(service);
  return "nomad." + room + "." + snake_case(endpoint.substr(dot + 1));
}

std::string CallMetrics::counter_name(std::string_view endpoint, wire::CallKind kind) {
  const std::string_view service = endpoint.substr(0, endpoint.find('.'));
  if (service == "Search") kind = wire::CallKind::list;
  return "nomad.rpc." + snake_case(service) + "." + std::string(kind_name(kind));
}

void CallMetrics::note(const char* endpoint, wire::CallKind kind, wire::Registry::Start start, bool succeeded) {
  auto at = names_.find(endpoint);
  if (at == names_.end()) at = names_.emplace(endpoint, Names{timer_name(endpoint), counter_name(endpoint, kind)}).first;
  meter_.count("nomad.rpc.request");
  if (kind != wire::CallKind::write) meter_.count("nomad.rpc.query");
  if (!succeeded) meter_.count("nomad.rpc.request_error");
  meter_.count(at->second.counter);
  if (!at->second.timer.empty()) meter_.since(at->second.timer, start);
}

}  // namespace drover::rpc
