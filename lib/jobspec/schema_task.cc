#include "lib/jobspec/schema_common.h"

namespace drover::jobspec {

using namespace table;

const Schema& identity_schema() {
  static const Schema schema{{}, {}, Special::none,
                             {plain("name", "Name"), list("aud", "Audience"), plain("change_mode", "ChangeMode"),
                              plain("change_signal", "ChangeSignal"), plain("env", "Env", Shape::boolean), plain("file", "File", Shape::boolean),
                              plain("filepath", "Filepath"), plain("service_name", "ServiceName"), plain("ttl", "TTL", Shape::duration),
                              list("extra_claims", "ExtraClaims")}};
  return schema;
}

const Schema& resources_schema() {
  static const Schema device{"Name", "", Special::none,
                             {maybe("count", "Count", Shape::uint64), many("constraint", "Constraints", constraint_schema()),
                              many("affinity", "Affinities", affinity_schema())}};
  static const Schema numa{{}, {}, Special::none, {plain("affinity", "Affinity"), list("devices", "Devices")}};
  static const Schema schema{{}, {}, Special::none,
                             {maybe("cpu", "CPU", Shape::integer), maybe("cores", "Cores", Shape::integer), maybe("memory", "MemoryMB", Shape::integer),
                              maybe("memory_max", "MemoryMaxMB", Shape::integer), maybe("disk", "DiskMB", Shape::integer),
                              many("network", "Networks", network_schema()), many("device", "Devices", device), one("numa", "NUMA", numa),
                              maybe("secrets", "SecretsMB", Shape::integer), maybe("iops", "IOPS", Shape::integer)}};
  return schema;
}

const Schema& logs_schema() {
  static const Schema schema{{}, {}, Special::none,
                             {maybe("max_files", "MaxFiles", Shape::integer), maybe("max_file_size", "MaxFileSizeMB", Shape::integer),
                              maybe("enabled", "Enabled", Shape::boolean), maybe("disabled", "Disabled", Shape::boolean)}};
  return schema;
}

const Schema& volume_mount_schema() {
  static const Schema schema{{}, {}, Special::none,
                             {maybe("volume", "Volume"), maybe("destination", "Destination"), maybe("read_only", "ReadOnly", Shape::boolean),
                              maybe("propagation_mode", "PropagationMode"), maybe("selinux_label", "SELinuxLabel")}};
  return schema;
}

const Schema& vault_schema() {
  static const Schema schema{{}, {}, Special::none,
                             {list("policies", "Policies"), plain("role", "Role"), maybe("namespace", "Namespace"), plain("cluster", "Cluster"),
                              preset("env", "Env", Shape::boolean, "true"), preset("disable_file", "DisableFile", Shape::boolean, "false"),
                              preset("change_mode", "ChangeMode", Shape::text, "\"restart\""), maybe("change_signal", "ChangeSignal"),
                              maybe("allow_token_expiration", "AllowTokenExpiration", Shape::boolean)}};
  return schema;
}

const Schema& consul_schema() {
  static const Schema schema{{}, {}, Special::none, {plain("namespace", "Namespace"), plain("cluster", "Cluster"), plain("partition", "Partition")}};
  return schema;
}

const Schema& secret_schema() {
  static const Schema schema{"Name", "name", Special::none,
                             {plain("provider", "Provider"), plain("path", "Path"), free_map("config", "Config"), map("env", "Env")}};
  return schema;
}

namespace {

const Schema& template_schema() {
  static const Schema script{{}, {}, Special::none,
                             {maybe("command", "Command"), preset("args", "Args", Shape::text_list, "[]"),
                              preset("timeout", "Timeout", Shape::duration, "5000000000"),
                              preset("fail_on_error", "FailOnError", Shape::boolean, "false"),
                              preset("run_on_first_render", "RunOnFirstRender", Shape::boolean, "false")}};
  static const Schema wait{{}, {}, Special::none, {maybe("min", "Min", Shape::duration), maybe("max", "Max", Shape::duration)}};
  static const Schema schema{{}, {}, Special::none,
                             {maybe("source", "SourcePath"), maybe("destination", "DestPath"), maybe("data", "EmbeddedTmpl"),
                              preset("change_mode", "ChangeMode", Shape::text, "\"restart\""), one("change_script", "ChangeScript", script),
                              maybe("change_signal", "ChangeSignal"), maybe("once", "Once", Shape::boolean),
                              preset("splay", "Splay", Shape::duration, "5000000000"), preset("perms", "Perms", Shape::text, "\"0644\""),
                              maybe("uid", "Uid", Shape::integer), maybe("gid", "Gid", Shape::integer), maybe("left_delimiter", "LeftDelim"),
                              maybe("right_delimiter", "RightDelim"), maybe("env", "Envvars", Shape::boolean),
                              maybe("vault_grace", "VaultGrace", Shape::duration), one("wait", "Wait", wait),
                              preset("error_on_missing_key", "ErrMissingKey", Shape::boolean, "false")}};
  return schema;
}

const Schema& artifact_schema() {
  static const Schema schema{{}, {}, Special::none,
                             {maybe("source", "GetterSource"), map("options", "GetterOptions"), map("headers", "GetterHeaders"),
                              maybe("mode", "GetterMode"), maybe("insecure", "GetterInsecure", Shape::boolean), maybe("destination", "RelativeDest"),
                              plain("chown", "Chown", Shape::boolean)}};
  return schema;
}

const Schema& csi_plugin_schema() {
  static const Schema schema{{}, {}, Special::none,
                             {plain("id", "ID"), plain("type", "Type"), plain("mount_dir", "MountDir"),
                              plain("stage_publish_base_dir", "StagePublishBaseDir"), plain("health_timeout", "HealthTimeout", Shape::duration)}};
  return schema;
}

}  // namespace

const Schema& task_schema() {
  static const Schema lifecycle{{}, {}, Special::none, {required(plain("hook", "Hook")), plain("sidecar", "Sidecar", Shape::boolean)}};
  static const Schema dispatch{{}, {}, Special::none, {plain("file", "File")}};
  static const Schema action{"Name", "name", Special::none, {plain("command", "Command"), list("args", "Args")}};
  static const Schema cron{{}, {}, Special::none, {plain("start", "Start"), plain("end", "End"), plain("timezone", "Timezone")}};
  static const Schema schedule{{}, {}, Special::none, {one("cron", "Cron", cron)}};
  static const Schema schema = [] {
    Field csi = one("csi_plugin", "CSIPluginConfig", csi_plugin_schema());
    csi.omit_when_unset = true;
    return Schema{"Name", "name", Special::none,
                  {plain("driver", "Driver"), plain("user", "User"), one("lifecycle", "Lifecycle", lifecycle), free_map("config", "Config"),
                   many("constraint", "Constraints", constraint_schema()), many("affinity", "Affinities", affinity_schema()),
                   map("env", "Env", Form::either), many("service", "Services", service_schema()), one("resources", "Resources", resources_schema()),
                   one("restart", "RestartPolicy", restart_schema()), map("meta", "Meta", Form::either),
                   maybe("kill_timeout", "KillTimeout", Shape::duration), one("logs", "LogConfig", logs_schema()),
                   many("artifact", "Artifacts", artifact_schema()), one("vault", "Vault", vault_schema()), one("consul", "Consul", consul_schema()),
                   many("template", "Templates", template_schema()), one("dispatch_payload", "DispatchPayload", dispatch),
                   many("volume_mount", "VolumeMounts", volume_mount_schema()), csi, plain("leader", "Leader", Shape::boolean),
                   plain("shutdown_delay", "ShutdownDelay", Shape::duration), plain("kill_signal", "KillSignal"), plain("kind", "Kind"),
                   many("scaling", "ScalingPolicies", scaling_task_schema()), Field{"", "Identity", Shape::one, true, &identity_schema()},
                   many("identity", "Identities", identity_schema()), many("action", "Actions", action), one("schedule", "Schedule", schedule),
                   many("secret", "Secrets", secret_schema())}};
  }();
  return schema;
}

}  // namespace drover::jobspec
