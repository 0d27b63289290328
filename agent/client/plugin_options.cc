#include "agent/client/plugin_options.h"

#include <filesystem>

#include "agent/pluginhost/plugin_cgroup.h"
#include "sdk/base/text.h"

namespace drover::agent {
namespace {
// The first option that is set, at its commas.
std::vector<std::string> driver_list(const std::map<std::string, std::string>& set, std::initializer_list<const char*> names) {
  std::vector<std::string> out;
  for (const char* name : names) {
    const auto at = set.find(name);
    if (at == set.end()) continue;
    for (const auto& part : split(at->second, ',')) {
      if (const auto driver = trim(part); !driver.empty()) out.emplace_back(driver);
    }
    break;
  }
  return out;
}

// Blocks name drivers (`plugin "raw_exec"`); our own executables have longer names.
std::string plugin_file(const ClientOptions& from, const std::string& name) {
  const std::string file = "drover-driver-" + replace_all(name, "_", "-");
  std::error_code error;
  return std::filesystem::exists(from.plugin_directories.first_party + "/" + file, error) ? file : name;
}
}  // namespace

pluginhost::Options plugin_options(const ClientOptions& from) {
  pluginhost::Options out;
  out.directories = from.plugin_directories;
  for (const auto& [name, block] : from.config.plugins) {
    out.blocks[plugin_file(from, name)] = {.args = block.args, .config_json = block.config.json, .mutual_tls = block.mutual_tls,
                                           .limits = {block.limits.memory_mb, block.limits.pids, block.limits.cpu_weight}};
  }
  out.allowlist = driver_list(from.config.client.options, {"driver.allowlist", "driver.whitelist"});
  out.denylist = driver_list(from.config.client.options, {"driver.denylist", "driver.blacklist"});
  // The option of old configurations, and of dev mode, that switches raw_exec on.
  const auto enable = from.config.client.options.find("driver.raw_exec.enable");
  if (enable != from.config.client.options.end() && (enable->second == "1" || enable->second == "true")) {
    auto& block = out.blocks[plugin_file(from, "raw_exec")];
    if (block.config_json.empty()) block.config_json = R"({"enabled":true})";
  }
  out.socket_dir = from.config.client.state_dir + "/plugins";
  out.cgroup_slice = pluginhost::find_cgroup_slice();
  for (const auto& [key, value] : from.environment) out.environment.emplace_back(key, value);
  // Where executors keep what must outlive the plugin.
  out.environment.emplace_back("DROVER_STATE_DIR", from.config.client.state_dir);
  // Ours, for drivers of others that use it too (sdk/executor); one that is named already goes before it.
  if (!from.environment.contains("DROVER_EXECUTOR")) {
    out.environment.emplace_back("DROVER_EXECUTOR", (std::filesystem::path(from.plugin_directories.first_party).parent_path() / "drover-executor").lexically_normal().string());
  }
  return out;
}

}  // namespace drover::agent
