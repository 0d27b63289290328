#include "cli/plugin_view.h"

#include "cli/lookup.h"
#include "sdk/base/text.h"

namespace drover::cli {
namespace {
std::string span(std::int64_t from, std::int64_t to) {
  if (from <= 0 || to <= from) return "";
  constexpr std::int64_t second = 1'000'000'000;
  return format_duration(std::chrono::nanoseconds((to - from) / second * second));
}
std::string uptime(const model::AgentPlugin& plugin, std::int64_t now) { return plugin.phase == "running" ? span(plugin.since.unix_nanos(), now) : ""; }
std::string or_dash(std::string text) { return text.empty() ? "-" : text; }
std::string lines_of(std::string text, std::string_view indent) {
  std::string out;
  for (const auto& line : split(trim(text), '\n')) out += fmt::format("{}{}\n", indent, line);
  return out;
}
}  // namespace

std::string plugin_table(const model::List<model::AgentPlugin>& plugins, std::int64_t now) {
  std::vector<std::vector<std::string>> rows{{"Name", "Type", "Version", "Phase", "PID", "Uptime", "Restarts", "Tasks", "Memory"}};
  for (const auto& plugin : plugins) {
    rows.push_back({plugin.name, plugin.type, or_dash(plugin.version), plugin.phase, plugin.pid == 0 ? "-" : std::to_string(plugin.pid),
                    or_dash(uptime(plugin, now)), std::to_string(plugin.restarts), std::to_string(plugin.tasks),
                    plugin.memory_bytes == 0 ? "-" : format_bytes(plugin.memory_bytes)});
  }
  return format_table(rows, true);
}

std::string plugin_reasons(const model::List<model::AgentPlugin>& plugins) {
  std::string out;
  for (const auto& plugin : plugins) {
    if (plugin.reason.empty()) continue;
    if (!out.empty()) out += "\n";
    out += fmt::format("{} ({}): {}", plugin.name, plugin.step.empty() ? plugin.phase : plugin.step, plugin.reason.substr(0, plugin.reason.find('\n')));
    if (!plugin.remedy.empty()) out += fmt::format("\n  {}", plugin.remedy);
  }
  return out;
}

std::string plugin_details(const Ui& ui, const model::AgentPlugin& plugin, bool verbose, std::int64_t now) {
  std::vector<std::string> versions(plugin.api_versions.begin(), plugin.api_versions.end());
  std::vector<std::pair<std::string, std::string>> pairs{{"Name", plugin.name},
                                                         {"Type", plugin.type},
                                                         {"Version", or_dash(plugin.version)},
                                                         {"API Versions", or_dash(join(versions, ", "))},
                                                         {"File", plugin.file},
                                                         {"Origin", plugin.first_party ? "part of this installation" : "plugin_dir"},
                                                         {"Phase", plugin.phase},
                                                         {"PID", plugin.pid == 0 ? "-" : std::to_string(plugin.pid)},
                                                         {"Channel", plugin.pid == 0 ? "-" : plugin.mutual_tls ? "unix socket, mutual TLS" : "unix socket"},
                                                         {"Uptime", or_dash(uptime(plugin, now))},
                                                         {"Restarts", std::to_string(plugin.restarts)},
                                                         {"Tasks", std::to_string(plugin.tasks)},
                                                         {"Memory", plugin.memory_bytes == 0 ? "-" : format_bytes(plugin.memory_bytes)},
                                                         {"Threads", plugin.pid == 0 ? "-" : std::to_string(plugin.threads)},
                                                         {"Open Files", plugin.pid == 0 ? "-" : std::to_string(plugin.open_files)}};
  if (verbose) pairs.insert(pairs.begin() + 5, {"Digest", or_dash(plugin.digest)});
  if (plugin.next_start.unix_nanos() > now) pairs.emplace_back("Next Start", "in " + span(now, plugin.next_start.unix_nanos()));
  if (plugin.type == "driver") pairs.emplace_back("Health", or_dash(plugin.health_description));
  std::string out = format_pairs(pairs);
  const auto block = [&](std::string_view heading, const std::string& text) {
    while (out.ends_with('\n')) out.pop_back();
    if (!text.empty()) out += fmt::format("\n\n{}\n{}", ui.heading(heading), text);
  };
  if (!plugin.reason.empty()) block("Not Running", lines_of(fmt::format("at step \"{}\": {}", plugin.step, plugin.reason), "") + lines_of(plugin.remedy, ""));
  else if (!plugin.last_error.empty()) block("Last Error", lines_of(fmt::format("{}, at step \"{}\": {}", relative_time(plugin.last_error_time.unix_nanos(), now), plugin.last_error_step, plugin.last_error), ""));
  std::string refused;
  for (const auto& why : plugin.refused) refused += "* " + why + "\n";
  block("Refused Answers", refused);
  if (!plugin.devices.empty()) {
    std::vector<std::vector<std::string>> rows{{"Device", "ID", "Healthy", "Description"}};
    for (const auto& group : plugin.devices) {
      for (const auto& one : group.instances) {
        rows.push_back({fmt::format("{}/{}/{}", group.vendor, group.type, group.name), one.id, one.healthy ? "true" : "false", or_dash(one.health_description)});
      }
    }
    block("Devices", format_table(rows, true));
  }
  if (verbose) block("Last Lines on stderr", plugin.stderr_tail.empty() ? "" : lines_of(plugin.stderr_tail, ""));
  while (out.ends_with('\n')) out.pop_back();
  return out;
}

std::optional<QueryPairs> node_query(Context& context, const std::string& prefix, int& code) {
  if (prefix.empty()) return QueryPairs{};
  const auto node = find_node(context, prefix, false, code);
  if (!node) return std::nullopt;
  return QueryPairs{{"node_id", node->id}};
}

}  // namespace drover::cli
