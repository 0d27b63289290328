#include <algorithm>
#include <nlohmann/json.hpp>

#include "plugins/exec/driver.h"
#include "sdk/base/text.h"
#include "sdk/plugin/config.h"

namespace drover::exec {
namespace {

constexpr const char* default_caps[] = {"AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD",
                                        "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"};

Result<bool> is_private(const std::string& mode, bool fallback, const char* name) {
  if (mode.empty()) return fallback;
  if (mode == "private") return true;
  if (mode == "host") return false;
  return fail(Code::invalid_argument, "{} must be \"private\" or \"host\", got \"{}\"", name, mode);
}

// Any case, with or without CAP_.
std::string capability_name(std::string_view text) {
  std::string out = to_lower(text);
  if (out.starts_with("cap_")) out.erase(0, 4);
  return out;
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
                 {"work_dir", attr("work_dir", "string")}});
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
  out.allow_caps = plugin::get_strings(*json, "allow_caps");
  if (out.allow_caps.empty()) out.allow_caps.assign(std::begin(default_caps), std::end(default_caps));
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
  std::vector<std::string> refused;
  for (const auto& wanted : out.cap_add) {
    const bool allowed = std::any_of(config.allow_caps.begin(), config.allow_caps.end(), [&](const std::string& name) {
      return capability_name(name) == capability_name(wanted) || capability_name(name) == "all";
    });
    if (!allowed) refused.push_back(wanted);
  }
  if (!refused.empty()) return fail(Code::permission_denied, "driver does not allow the following capabilities: {}", join(refused, ", "));
  const std::string work_dir = plugin::get_string(*json, "work_dir");
  if (!work_dir.empty()) {
    if (work_dir.front() != '/') return fail(Code::invalid_argument, "work_dir must be an absolute path");
    out.work_dir = work_dir;
  }
  return out;
}

}  // namespace drover::exec
