#include "lib/jobspec/canonical_parts.h"
#include "sdk/base/text.h"

namespace drover::jobspec {

namespace {

std::string upper(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

std::string base_name(const std::string& source) {
  const std::size_t slash = source.rfind('/');
  return slash == std::string::npos ? source : source.substr(slash + 1);
}

void canonicalize_artifact(Json& artifact) {
  fill(artifact, "GetterMode", "any");
  fill(artifact, "GetterSource", "");
  fill(artifact, "GetterInsecure", false);
  null_when_empty(artifact, "GetterOptions");
  null_when_empty(artifact, "GetterHeaders");
  const bool file = artifact["GetterMode"] == "file";
  fill(artifact, "RelativeDest", file ? "local/" + base_name(artifact["GetterSource"].get<std::string>()) : "local/");
}

void canonicalize_template(Json& item) {
  fill(item, "SourcePath", "");
  fill(item, "DestPath", "");
  fill(item, "EmbeddedTmpl", "");
  fill(item, "ChangeMode", "restart");
  if (item["ChangeSignal"].is_null()) item["ChangeSignal"] = item["ChangeMode"] == "signal" ? "SIGHUP" : "";
  else item["ChangeSignal"] = upper(item["ChangeSignal"].get<std::string>());
  if (Json& script = item["ChangeScript"]; !script.is_null()) {
    fill(script, "Command", "");
    fill(script, "Args", Json::array());
    fill(script, "Timeout", 5 * second_ns);
    fill(script, "FailOnError", false);
    fill(script, "RunOnFirstRender", false);
  }
  fill(item, "Once", false);
  fill(item, "Splay", 5 * second_ns);
  fill(item, "Perms", "0644");
  fill(item, "LeftDelim", "{{");
  fill(item, "RightDelim", "}}");
  fill(item, "Envvars", false);
  fill(item, "ErrMissingKey", false);
  fill(item, "VaultGrace", 0);
}

void canonicalize_vault(Json& vault, const Json& job) {
  if (vault.is_null()) return;
  fill(vault, "Env", true);
  fill(vault, "DisableFile", false);
  fill(vault, "Namespace", job.at("VaultNamespace").is_string() ? job.at("VaultNamespace") : Json(""));
  fill_text(vault, "Cluster", "default");
  fill_text(vault, "ChangeMode", "restart");
  fill(vault, "ChangeSignal", "SIGHUP");
  fill(vault, "AllowTokenExpiration", false);
}

void canonicalize_csi_plugin(Json& task) {
  if (!task.contains("CSIPluginConfig") || task["CSIPluginConfig"].is_null()) return;
  Json& plugin = task["CSIPluginConfig"];
  fill_text(plugin, "MountDir", "/csi");
  fill_text(plugin, "StagePublishBaseDir", "/local/csi");
  if (plugin["HealthTimeout"] == 0) plugin["HealthTimeout"] = 30 * second_ns;
}

void canonicalize_lifecycle(Json& lifecycle) {
  if (lifecycle.is_object() && lifecycle.value("Hook", "").empty() && !lifecycle.value("Sidecar", false)) lifecycle = nullptr;
}

}  // namespace

void canonicalize_resources(Json& resources) {
  if (resources.is_null()) resources = Json::object();
  for (const char* name : {"MemoryMaxMB", "DiskMB", "Networks", "Devices", "NUMA", "SecretsMB", "IOPS"}) fill(resources, name, nullptr);
  fill(resources, "Cores", 0);
  fill(resources, "CPU", resources["Cores"] == 0 ? 100 : 0);
  fill(resources, "MemoryMB", 300);
  if (resources["Devices"].is_array()) {
    for (Json& device : resources["Devices"]) {
      fill(device, "Count", 1);
      canonicalize_weights(device);
    }
  }
}

void canonicalize_logs(Json& logs) {
  if (logs.is_null()) logs = Json::object();
  fill(logs, "Enabled", nullptr);
  fill(logs, "MaxFiles", 10);
  fill(logs, "MaxFileSizeMB", 10);
  fill(logs, "Disabled", false);
}

void canonicalize_volume_mounts(Json& mounts) {
  if (!mounts.is_array()) return;
  for (Json& mount : mounts) {
    fill(mount, "PropagationMode", "private");
    fill(mount, "ReadOnly", false);
    fill(mount, "SELinuxLabel", "");
  }
}

void canonicalize_task(Json& task, const Json& group, const Json& job) {
  canonicalize_resources(task["Resources"]);
  fill(task, "KillTimeout", 5 * second_ns);
  canonicalize_logs(task["LogConfig"]);
  if (task["Artifacts"].is_array()) {
    for (Json& artifact : task["Artifacts"]) canonicalize_artifact(artifact);
  }
  canonicalize_vault(task["Vault"], job);
  if (Json& consul = task["Consul"]; !consul.is_null()) fill_text(consul, "Cluster", "default");
  if (task["Templates"].is_array()) {
    for (Json& item : task["Templates"]) canonicalize_template(item);
  }
  canonicalize_weights(task);
  canonicalize_lifecycle(task["Lifecycle"]);
  canonicalize_csi_plugin(task);
  // After the group was done, its policy is complete.
  task["RestartPolicy"] = task["RestartPolicy"].is_null() ? group.at("RestartPolicy") : merged(group.at("RestartPolicy"), task["RestartPolicy"]);
  canonicalize_volume_mounts(task["VolumeMounts"]);
  if (task["Services"].is_array()) {
    for (Json& service : task["Services"]) canonicalize_service(service, &task, group, job);
  }
}

}  // namespace drover::jobspec
