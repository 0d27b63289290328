#include <fnmatch.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "plugins/raw_exec/driver.h"
#include "plugins/shared/landlock.h"
#include "plugins/shared/ulimits.h"
#include "sdk/base/text.h"
#include "sdk/plugin/config.h"

namespace drover::raw_exec {

plugin::Spec config_schema() {
  using namespace plugin;
  return object({{"enabled", default_value(attr("enabled", "bool"), "false")},
                 {"no_cgroups", default_value(attr("no_cgroups", "bool"), "false")},
                 {"denied_host_uids", attr("denied_host_uids", "string")},
                 {"denied_host_gids", attr("denied_host_gids", "string")},
                 {"landlock", default_value(attr("landlock", "bool"), "false")},
                 {"cgroup_mode", default_value(attr("cgroup_mode", "string"), "\"compat\"")},
                 {"disable_swap", default_value(attr("disable_swap", "bool"), "false")},
                 {"memory_oom_group", default_value(attr("memory_oom_group", "bool"), "false")},
                 {"pids_limit", default_value(attr("pids_limit", "number"), "0")},
                 {"denied_envvars", attr("denied_envvars", "list(string)")}});
}

plugin::Spec task_config_schema() {
  using namespace plugin;
  return object({{"command", attr("command", "string", true)},
                 {"args", attr("args", "list(string)")},
                 {"cgroup_v2_override", attr("cgroup_v2_override", "string")},
                 {"cgroup_v1_override", attr("cgroup_v1_override", "list(map(string))")},
                 {"oom_score_adj", attr("oom_score_adj", "number")},
                 {"work_dir", attr("work_dir", "string")},
                 {"landlock", attr("landlock", "bool")},
                 {"landlock_paths", attr("landlock_paths", "list(string)")},
                 {"ulimit", attr("ulimit", "list(map(string))")},
                 {"denied_envvars", attr("denied_envvars", "list(string)")}});
}

Result<Config> decode_config(std::string_view msgpack) {
  const auto json = plugin::decode_config(msgpack);
  if (!json) return fail(json.error(), "configuration of plugin \"raw_exec\"");
  Config out;
  out.enabled = plugin::get_bool(*json, "enabled");
  out.denied_envvars = plugin::get_strings(*json, "denied_envvars");
  out.landlock = plugin::get_bool(*json, "landlock");
  out.no_cgroups = plugin::get_bool(*json, "no_cgroups");
  out.limits.disable_swap = plugin::get_bool(*json, "disable_swap");
  out.limits.memory_oom_group = plugin::get_bool(*json, "memory_oom_group");
  out.limits.pids_limit = plugin::get_int(*json, "pids_limit");
  if (out.limits.pids_limit < 0) return fail(Code::invalid_argument, "pids_limit must not be negative");
  out.cgroup_mode = plugin::get_string(*json, "cgroup_mode");
  auto uids = parse_id_ranges(plugin::get_string(*json, "denied_host_uids"));
  if (!uids) return fail(uids.error(), "denied_host_uids");
  auto gids = parse_id_ranges(plugin::get_string(*json, "denied_host_gids"));
  if (!gids) return fail(gids.error(), "denied_host_gids");
  out.denied_host_uids = std::move(*uids);
  out.denied_host_gids = std::move(*gids);
  return out;
}

Result<TaskOptions> decode_task(std::string_view msgpack) {
  const auto json = plugin::decode_config(msgpack);
  if (!json) return fail(json.error(), "config block of the task");
  TaskOptions out;
  out.command = plugin::get_string(*json, "command");
  out.args = plugin::get_strings(*json, "args");
  out.cgroup_v2_override = plugin::get_string(*json, "cgroup_v2_override");
  out.oom_score_adj = plugin::get_int(*json, "oom_score_adj");
  out.work_dir = plugin::get_string(*json, "work_dir");
  out.denied_envvars = plugin::get_strings(*json, "denied_envvars");
  const auto v1 = json->is_object() ? json->find("cgroup_v1_override") : json->end();
  const bool has_v1 = json->is_object() && v1 != json->end() && !v1->is_null() && !v1->empty();
  if (out.command.empty()) return fail(Code::invalid_argument, "command must be set");
  if (out.oom_score_adj < 0) return fail(Code::invalid_argument, "oom_score_adj must not be negative");
  if (has_v1 && !out.cgroup_v2_override.empty()) {
    return fail(Code::invalid_argument, "only one of cgroup_v1_override and cgroup_v2_override may be set");
  }
  if (has_v1) return fail(Code::invalid_argument, "cgroup_v1_override: cgroup v1 is not supported; use cgroup_v2_override");
  if (!out.work_dir.empty() && out.work_dir.front() != '/') return fail(Code::invalid_argument, "work_dir must be an absolute path");
  out.landlock = plugin::get_bool(*json, "landlock");
  for (const auto& text : plugin::get_strings(*json, "landlock_paths")) {
    auto path = parse_landlock_path(text);
    if (!path) return fail(std::move(path).error());
    out.landlock_paths.push_back(std::move(*path));
  }
  auto ulimits = parse_ulimits(plugin::get_string_map(*json, "ulimit"));
  if (!ulimits) return fail(std::move(ulimits).error());
  out.ulimits = std::move(*ulimits);
  return out;
}

std::vector<std::string> filter_environment(const std::map<std::string, std::string>& env, const std::vector<std::string>& denied) {
  std::vector<std::string> out;
  out.reserve(env.size());
  for (const auto& [key, value] : env) {
    const bool refused = std::any_of(denied.begin(), denied.end(), [&](const std::string& glob) {
      return ::fnmatch(glob.c_str(), key.c_str(), 0) == 0;
    });
    if (!refused) out.push_back(key + "=" + value);
  }
  return out;
}

}  // namespace drover::raw_exec
