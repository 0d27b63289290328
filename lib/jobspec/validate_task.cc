#include <algorithm>
#include <set>

#include "lib/jobspec/problems.h"

namespace drover::jobspec {

namespace {

void check_name(const model::Task& task, Problems& out) {
  if (task.name.empty()) out.add("Missing task name");
  if (task.name.find_first_of("/\\") != std::string::npos) out.add("Task name cannot include slashes");
  else if (task.name.find('\0') != std::string::npos) out.add("Task name cannot include null characters");
  if (task.name == "alloc") out.add("Task cannot be named \"alloc\"");
}

Problems check_logs(const model::LogConfig& logs, const model::EphemeralDisk* disk) {
  Problems out;
  if (logs.max_files < 1) out.add("minimum number of files is 1; got {}", logs.max_files);
  if (logs.max_file_size_mb < 1) out.add("minimum file size is 1MB; got {}", logs.max_file_size_mb);
  if (disk != nullptr) {
    const std::int64_t used = logs.max_files * logs.max_file_size_mb;
    if (disk->size_mb <= used) out.add("log storage ({} MB) must be less than requested disk capacity ({} MB)", used, disk->size_mb);
  }
  return out;
}

void check_timing(const model::Task& task, const model::TaskGroup& group, Problems& out) {
  if (task.kill_timeout.count() < 0) {
    out.add("KillTimeout must be a positive value");
  } else if (group.update && group.update->progress_deadline.count() > 0 && task.kill_timeout > group.update->progress_deadline) {
    out.add("KillTimout ({}) longer than the group's ProgressDeadline ({})", format_duration(task.kill_timeout), format_duration(group.update->progress_deadline));
  }
  if (task.shutdown_delay.count() < 0) out.add("ShutdownDelay must be a positive value");
}

void check_templates(const model::Task& task, Problems& out) {
  std::vector<std::pair<std::string, std::size_t>> destinations;
  for (std::size_t i = 0; i < task.templates.size(); i++) {
    if (const Problems found = check_template(task.templates[i]); !found.empty()) out.add("Template {} validation failed: {}", i + 1, found.text());
    const std::string& destination = task.templates[i].dest_path;
    const auto earlier = std::find_if(destinations.begin(), destinations.end(), [&](const auto& item) { return item.first == destination; });
    if (earlier != destinations.end()) out.add("Template {} has same destination as {}", i + 1, earlier->second + 1);
    else destinations.emplace_back(destination, i);
  }
}

void check_mounts(const model::Task& task, const model::TaskGroup& group, Problems& out) {
  for (std::size_t i = 0; i < task.volume_mounts.size(); i++) {
    const model::VolumeMount& mount = task.volume_mounts[i];
    if (!mount.volume.empty() && group.volumes.get(mount.volume) == nullptr) out.add("Volume Mount ({}) references undefined volume {}", i, mount.volume);
    if (const Problems found = check_volume_mount(mount); !found.empty()) out.add("Volume Mount ({}) is invalid: \"{}\"", i, found.text());
  }
}

void check_csi_plugin(const model::Task& task, Problems& out) {
  if (!task.csi_plugin_config) return;
  const auto& plugin = *task.csi_plugin_config;
  if (plugin.id.empty()) out.add("CSIPluginConfig must have a non-empty PluginID");
  if (plugin.type != "node" && plugin.type != "controller" && plugin.type != "monolith") {
    out.add("CSIPluginConfig PluginType must be one of 'node', 'controller', or 'monolith', got: \"{}\"", plugin.type);
  }
  if (!plugin.stage_publish_base_dir.empty() && !plugin.mount_dir.empty() && plugin.stage_publish_base_dir.starts_with(plugin.mount_dir + "/")) {
    out.add("CSIPluginConfig StagePublishBaseDir must not be a subdirectory of MountDir, got: StagePublishBaseDir=\"{}\" MountDir=\"{}\"", plugin.stage_publish_base_dir, plugin.mount_dir);
  }
}

void check_identities(const model::Task& task, Problems& out) {
  if (task.identity) {
    if (const Problems found = check_identity(*task.identity); !found.empty()) out.add("Identity {} is invalid: {}", quote(task.identity->name), found.text());
  }
  for (const model::WorkloadIdentity& identity : task.identities) {
    if (identity.name == "default") out.add("Duplicate default identities found");
    if (const Problems found = check_identity(identity); !found.empty()) out.add("Identity {} is invalid: {}", quote(identity.name), found.text());
  }
}

void check_secrets(const model::Task& task, Problems& out) {
  std::set<std::string> seen;
  for (const model::Secret& secret : task.secrets) {
    if (!seen.insert(secret.name).second) out.add("Duplicate secret {} found", quote(secret.name));
    if (secret.provider == "vault" && !task.vault) out.add("Secret {} has provider \"vault\" but no vault block", quote(secret.name));
    if (const Problems found = check_secret(secret); !found.empty()) out.add("Secret {} is invalid: {}", quote(secret.name), found.text());
  }
}

void check_actions(const model::Task& task, Problems& out) {
  std::set<std::string> seen;
  for (const model::Action& action : task.actions) {
    Problems found;
    if (action.command.empty()) found.add("command cannot be empty");
    const bool good_name = !action.name.empty() && action.name.size() <= 128 && action.name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == std::string::npos;
    if (!good_name) found.add("invalid name '{}'", action.name);
    if (!found.empty()) out.add("Action {} validation failed: {}", action.name, found.text());
    if (!seen.insert(action.name).second) out.add("Action {} defined multiple times", action.name);
  }
}

}  // namespace

Problems check_task(const model::Task& task, const model::TaskGroup& group, const model::Job& job) {
  Problems out;
  check_name(task, out);
  if (task.driver.empty()) out.add("Missing task driver");
  check_timing(task, group, out);
  if (!task.resources) out.add("Missing task resources");
  else out.nest(check_resources(*task.resources));
  if (!task.log_config) out.add("Missing Log Config");
  else out.nest(check_logs(*task.log_config, group.ephemeral_disk.get()));
  for (std::size_t i = 0; i < task.constraints.size(); i++) {
    const std::string& operand = task.constraints[i].operand;
    if (operand == "distinct_hosts" || operand == "distinct_property") out.add("Constraint {} has disallowed Operand at task level: {}", i + 1, operand);
  }
  check_placement(out, task.constraints, task.affinities, nullptr, job.type);
  out.append(check_task_services(task, group));
  for (std::size_t i = 0; i < task.artifacts.size(); i++) {
    if (const Problems found = check_artifact(task.artifacts[i]); !found.empty()) out.add("Artifact {} validation failed: {}", i + 1, found.text());
  }
  if (task.vault) {
    if (const Problems found = check_vault(*task.vault); !found.empty()) out.add("Vault validation failed: {}", found.text());
  }
  check_templates(task, out);
  check_actions(task, out);
  if (task.dispatch_payload && escapes("task/local/", task.dispatch_payload->file)) {
    out.add("Dispatch Payload validation failed: destination escapes allocation directory");
  }
  if (task.lifecycle) {
    const std::string& hook = task.lifecycle->hook;
    if (hook.empty()) out.add("Lifecycle validation failed: no lifecycle hook provided");
    else if (hook != "prestart" && hook != "poststart" && hook != "poststop") out.add("Lifecycle validation failed: invalid hook: {}", hook);
  }
  out.append(check_connect_proxy(task, group));
  check_mounts(task, group, out);
  check_csi_plugin(task, out);
  check_identities(task, out);
  check_secrets(task, out);
  if (task.schedule) {
    if (const Problems found = check_schedule(*task.schedule); !found.empty()) out.add("Schedule validation failed: {}", found.text());
  }
  return out;
}

}  // namespace drover::jobspec
