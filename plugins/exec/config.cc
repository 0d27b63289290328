#include <algorithm>
#include <nlohmann/json.hpp>

#include "plugins/exec/driver.h"
#include "plugins/shared/ulimits.h"
#include "sdk/base/text.h"
#include "sdk/plugin/config.h"

namespace drover::exec {
namespace {

Result<bool> is_private(const std::string& mode, bool fallback, const char* name) {
  if (mode.empty()) return fallback;
  if (mode == "private") return true;
  if (mode == "host") return false;
  return fail(Code::invalid_argument, "{} must be \"private\" or \"host\", got \"{}\"", name, mode);
}

Result<> decode_limits(const nlohmann::json& json, LimitOptions& out) {
  out.cpu_hard_limit = plugin::get_bool(json, "cpu_hard_limit");
  out.disable_swap = plugin::get_bool(json, "disable_swap");
  out.memory_oom_group = plugin::get_bool(json, "memory_oom_group");
  out.memory_high_percent = plugin::get_int(json, "memory_high_percent");
  out.pids_limit = plugin::get_int(json, "pids_limit");
  if (out.memory_high_percent < 0 || out.memory_high_percent > 100) return fail(Code::invalid_argument, "memory_high_percent must be from 0 to 100");
  if (out.pids_limit < 0) return fail(Code::invalid_argument, "pids_limit must not be negative");
  return {};
}

// A job may tighten what the operator set, not widen it (N-020).
Result<LimitOptions> limits_of_task(const nlohmann::json& json, const LimitOptions& of_node) {
  LimitOptions out = of_node;
  out.cpu_hard_limit = out.cpu_hard_limit || plugin::get_bool(json, "cpu_hard_limit");
  out.memory_oom_group = out.memory_oom_group || plugin::get_bool(json, "memory_oom_group");
  const std::int64_t pids = plugin::get_int(json, "pids_limit");
  if (pids < 0) return fail(Code::invalid_argument, "pids_limit must not be negative");
  if (of_node.pids_limit > 0 && pids > of_node.pids_limit) {
    return fail(Code::permission_denied, "pids_limit {} is more than the {} that this client allows", pids, of_node.pids_limit);
  }
  if (pids > 0) out.pids_limit = pids;
  return out;
}

Result<std::string> profile_of_task(const std::string& wanted, const std::string& of_node) {
  if (wanted.empty() || wanted == of_node) return of_node;
  if (wanted == "default" && of_node == "unconfined") return wanted;
  return fail(Code::permission_denied, "seccomp_profile \"{}\" is not allowed: this client's is \"{}\", and a task may ask for \"default\" only where that is \"unconfined\"",
              wanted, of_node);
}

Result<> check_host_namespaces(const Config& config, const TaskOptions& options) {
  if (config.allow_host_namespaces) return {};
  if (!options.private_pid && config.private_pid) return fail(Code::permission_denied, "pid_mode = \"host\" is not allowed on this client (allow_host_namespaces)");
  if (!options.private_ipc && config.private_ipc) return fail(Code::permission_denied, "ipc_mode = \"host\" is not allowed on this client (allow_host_namespaces)");
  return {};
}

}  // namespace

plugin::Spec config_schema() {
  using namespace plugin;
  return object({{"no_pivot_root", default_value(attr("no_pivot_root", "bool"), "false")},
                 {"default_pid_mode", default_value(attr("default_pid_mode", "string"), "\"private\"")},
                 {"default_ipc_mode", default_value(attr("default_ipc_mode", "string"), "\"private\"")},
                 {"allow_caps", attr("allow_caps", "list(string)")},
                 {"denied_host_uids", attr("denied_host_uids", "string")},
                 {"denied_host_gids", attr("denied_host_gids", "string")},
                 {"allow_degraded", default_value(attr("allow_degraded", "bool"), "false")},
                 {"allow_host_namespaces", default_value(attr("allow_host_namespaces", "bool"), "true")},
                 {"no_new_privs", default_value(attr("no_new_privs", "bool"), "true")},
                 {"seccomp_profile", default_value(attr("seccomp_profile", "string"), "\"unconfined\"")},
                 {"chroot_mode", default_value(attr("chroot_mode", "string"), "\"bind\"")},
                 {"rootfs_paths", attr("rootfs_paths", "list(string)")},
                 {"cpu_hard_limit", default_value(attr("cpu_hard_limit", "bool"), "false")},
                 {"cgroup_mode", default_value(attr("cgroup_mode", "string"), "\"compat\"")},
                 {"disable_swap", default_value(attr("disable_swap", "bool"), "false")},
                 {"memory_oom_group", default_value(attr("memory_oom_group", "bool"), "false")},
                 {"memory_high_percent", default_value(attr("memory_high_percent", "number"), "0")},
                 {"pids_limit", default_value(attr("pids_limit", "number"), "0")},
                 {"chroot_env", attr("chroot_env", "list(map(string))")}});
}

plugin::Spec task_config_schema() {
  using namespace plugin;
  return object({{"command", attr("command", "string", true)},
                 {"args", attr("args", "list(string)")},
                 {"pid_mode", attr("pid_mode", "string")},
                 {"ipc_mode", attr("ipc_mode", "string")},
                 {"cap_add", attr("cap_add", "list(string)")},
                 {"cap_drop", attr("cap_drop", "list(string)")},
                 {"work_dir", attr("work_dir", "string")},
                 {"seccomp_profile", attr("seccomp_profile", "string")},
                 {"hostname", attr("hostname", "string")},
                 {"init", attr("init", "bool")},
                 {"user_namespace", attr("user_namespace", "bool")},
                 {"rootfs", attr("rootfs", "string")},
                 {"ulimit", attr("ulimit", "list(map(string))")},
                 {"cpu_hard_limit", attr("cpu_hard_limit", "bool")},
                 {"memory_oom_group", attr("memory_oom_group", "bool")},
                 {"pids_limit", attr("pids_limit", "number")}});
}

Result<Config> decode_config(std::string_view msgpack) {
  const auto json = plugin::decode_config(msgpack);
  if (!json) return fail(json.error(), "configuration of plugin \"exec\"");
  Config out;
  out.no_pivot_root = plugin::get_bool(*json, "no_pivot_root");
  out.allow_degraded = plugin::get_bool(*json, "allow_degraded");
  const auto pid = is_private(plugin::get_string(*json, "default_pid_mode"), true, "default_pid_mode");
  if (!pid) return fail(pid.error());
  const auto ipc = is_private(plugin::get_string(*json, "default_ipc_mode"), true, "default_ipc_mode");
  if (!ipc) return fail(ipc.error());
  out.private_pid = *pid;
  out.private_ipc = *ipc;
  const auto allowed = json->is_object() ? json->find("allow_caps") : json->end();
  out.is_allow_caps_set = json->is_object() && allowed != json->end() && allowed->is_array();
  out.allow_caps = default_allowed_capabilities();
  if (out.is_allow_caps_set) {
    const auto mask = parse_capabilities(plugin::get_strings(*json, "allow_caps"));
    if (!mask) return fail(mask.error(), "allow_caps");
    out.allow_caps = *mask;
  }
  out.allow_host_namespaces = plugin::get_bool(*json, "allow_host_namespaces", true);
  out.no_new_privs = plugin::get_bool(*json, "no_new_privs", true);
  out.seccomp_profile = plugin::get_string(*json, "seccomp_profile", "unconfined");
  const std::string mode = plugin::get_string(*json, "chroot_mode", "bind");
  if (mode != "bind" && mode != "copy") return fail(Code::invalid_argument, "chroot_mode must be \"bind\" or \"copy\", got \"{}\"", mode);
  out.copies_chroot = mode == "copy";
  out.rootfs_paths = plugin::get_strings(*json, "rootfs_paths");
  DROVER_TRY(decode_limits(*json, out.limits));
  out.cgroup_mode = plugin::get_string(*json, "cgroup_mode");
  auto uids = parse_id_ranges(plugin::get_string(*json, "denied_host_uids"));
  if (!uids) return fail(uids.error(), "denied_host_uids");
  auto gids = parse_id_ranges(plugin::get_string(*json, "denied_host_gids"));
  if (!gids) return fail(gids.error(), "denied_host_gids");
  out.denied_host_uids = std::move(*uids);
  out.denied_host_gids = std::move(*gids);
  out.chroot_env = plugin::get_string_map(*json, "chroot_env");
  if (out.chroot_env.empty()) out.chroot_env = default_chroot_env();
  for (const auto& [host, task] : out.chroot_env) {
    if (!host.starts_with('/') || !task.starts_with('/') || task.size() < 2) {
      return fail(Code::invalid_argument, "chroot_env: \"{}\" = \"{}\" must be two absolute paths, and the second not \"/\"", host, task);
    }
  }
  return out;
}

Result<TaskOptions> decode_task(std::string_view msgpack, const Config& config) {
  const auto json = plugin::decode_config(msgpack);
  if (!json) return fail(json.error(), "config block of the task");
  TaskOptions out;
  out.command = plugin::get_string(*json, "command");
  if (out.command.empty()) return fail(Code::invalid_argument, "command must be set");
  out.args = plugin::get_strings(*json, "args");
  const auto pid = is_private(plugin::get_string(*json, "pid_mode"), config.private_pid, "pid_mode");
  if (!pid) return fail(pid.error());
  const auto ipc = is_private(plugin::get_string(*json, "ipc_mode"), config.private_ipc, "ipc_mode");
  if (!ipc) return fail(ipc.error());
  out.private_pid = *pid;
  out.private_ipc = *ipc;
  out.cap_add = plugin::get_strings(*json, "cap_add");
  out.cap_drop = plugin::get_strings(*json, "cap_drop");
  // What is refused whoever the task's user is.
  const auto granted = task_capabilities({.add = out.cap_add, .drop = out.cap_drop, .allowed = config.allow_caps});
  if (!granted) return fail(granted.error());
  DROVER_TRY(check_host_namespaces(config, out));
  auto profile = profile_of_task(plugin::get_string(*json, "seccomp_profile"), config.seccomp_profile);
  if (!profile) return fail(std::move(profile).error());
  out.seccomp_profile = std::move(*profile);
  auto limits = limits_of_task(*json, config.limits);
  if (!limits) return fail(std::move(limits).error());
  out.limits = *limits;
  auto ulimits = parse_ulimits(plugin::get_string_map(*json, "ulimit"));
  if (!ulimits) return fail(std::move(ulimits).error());
  out.ulimits = std::move(*ulimits);
  out.hostname = plugin::get_string(*json, "hostname");
  if (out.hostname.size() > 64) return fail(Code::invalid_argument, "hostname \"{}\" is longer than 64 characters", out.hostname);
  out.user_namespace = plugin::get_bool(*json, "user_namespace");
  out.init = plugin::get_bool(*json, "init");
  if (out.init && !out.private_pid) return fail(Code::invalid_argument, "init = true needs pid_mode = \"private\"");
  out.rootfs = plugin::get_string(*json, "rootfs");
  const std::string work_dir = plugin::get_string(*json, "work_dir");
  if (!work_dir.empty()) {
    if (work_dir.front() != '/') return fail(Code::invalid_argument, "work_dir must be an absolute path");
    out.work_dir = work_dir;
  }
  return out;
}

}  // namespace drover::exec
