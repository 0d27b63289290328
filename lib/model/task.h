// One task of a task group, with everything its job file block can hold.
// Field names, types and order are wire facts (HTTP API contract, appendix A); `describe` lists each once.
#pragma once

#include <memory>
#include <string>

#include "lib/model/types.h"
#include "lib/model/constraint.h"
#include "lib/model/consul.h"
#include "lib/model/resources.h"
#include "lib/model/service.h"

namespace drover::model {

struct Vault {
  std::string role;
  std::string namespace_;
  std::string cluster;
  bool env = false;
  bool disable_file = false;
  std::string change_mode;
  std::string change_signal;
  bool allow_token_expiration = false;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Role", self.role);
    v("Namespace", self.namespace_);
    v("Cluster", self.cluster);
    v("Env", self.env);
    v("DisableFile", self.disable_file);
    v("ChangeMode", self.change_mode);
    v("ChangeSignal", self.change_signal);
    v("AllowTokenExpiration", self.allow_token_expiration);
  }
  friend bool operator==(const Vault&, const Vault&) = default;
};

struct DispatchPayloadConfig {
  std::string file;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("File", self.file);
  }
  friend bool operator==(const DispatchPayloadConfig&, const DispatchPayloadConfig&) = default;
};

struct Action {
  std::string name;
  std::string command;
  List<std::string> args;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Name", self.name);
    v("Command", self.command);
    v("Args", self.args);
  }
  friend bool operator==(const Action&, const Action&) = default;
};

struct RestartPolicy {
  std::int64_t attempts = 0;
  Duration interval{};
  Duration delay{};
  std::string mode;
  bool render_templates = false;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Attempts", self.attempts);
    v("Interval", self.interval);
    v("Delay", self.delay);
    v("Mode", self.mode);
    v("RenderTemplates", self.render_templates);
  }
  friend bool operator==(const RestartPolicy&, const RestartPolicy&) = default;
};

struct ScalingPolicy {
  std::string id;
  std::string type;
  Map<std::string> target;
  Any policy;
  std::int64_t min = 0;
  std::int64_t max = 0;
  bool enabled = false;
  std::uint64_t create_index = 0;
  std::uint64_t modify_index = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("ID", self.id);
    v("Type", self.type);
    v("Target", self.target);
    v("Policy", self.policy);
    v("Min", self.min);
    v("Max", self.max);
    v("Enabled", self.enabled);
    v("CreateIndex", self.create_index);
    v("ModifyIndex", self.modify_index);
  }
  friend bool operator==(const ScalingPolicy&, const ScalingPolicy&) = default;
};

struct Secret {
  std::string name;
  std::string provider;
  std::string path;
  Any config;
  Map<std::string> env;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Name", self.name);
    v("Provider", self.provider);
    v("Path", self.path);
    v("Config", self.config);
    v("Env", self.env);
  }
  friend bool operator==(const Secret&, const Secret&) = default;
};

struct VolumeMount {
  std::string volume;
  std::string destination;
  bool read_only = false;
  std::string propagation_mode;
  std::string se_linux_label;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Volume", self.volume);
    v("Destination", self.destination);
    v("ReadOnly", self.read_only);
    v("PropagationMode", self.propagation_mode);
    v("SELinuxLabel", self.se_linux_label);
  }
  friend bool operator==(const VolumeMount&, const VolumeMount&) = default;
};

struct WorkloadIdentity {
  std::string name;
  List<std::string> audience;
  std::string change_mode;
  std::string change_signal;
  bool env = false;
  bool file = false;
  std::string filepath;
  std::string service_name;
  Duration ttl{};
  List<std::string> extra_claims;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Name", self.name);
    v("Audience", self.audience);
    v("ChangeMode", self.change_mode);
    v("ChangeSignal", self.change_signal);
    v("Env", self.env);
    v("File", self.file);
    v("Filepath", self.filepath);
    v("ServiceName", self.service_name);
    v("TTL", self.ttl);
    v("ExtraClaims", self.extra_claims);
  }
  friend bool operator==(const WorkloadIdentity&, const WorkloadIdentity&) = default;
};

struct SidecarTask {
  std::string name;
  std::string driver;
  std::string user;
  Any config;
  Map<std::string> env;
  Box<Resources> resources;
  Map<std::string> meta;
  std::optional<Duration> kill_timeout;
  Box<LogConfig> log_config;
  std::optional<Duration> shutdown_delay;
  std::string kill_signal;
  List<VolumeMount> volume_mounts;
  List<WorkloadIdentity> identities;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Name", self.name);
    v("Driver", self.driver);
    v("User", self.user);
    v("Config", self.config);
    v("Env", self.env);
    v("Resources", self.resources);
    v("Meta", self.meta);
    v("KillTimeout", self.kill_timeout);
    v("LogConfig", self.log_config);
    v("ShutdownDelay", self.shutdown_delay);
    v("KillSignal", self.kill_signal);
    v("VolumeMounts", self.volume_mounts);
    v("Identities", self.identities);
  }
  friend bool operator==(const SidecarTask&, const SidecarTask&) = default;
};

struct ConsulConnect {
  bool native = false;
  Box<ConsulSidecarService> sidecar_service;
  Box<SidecarTask> sidecar_task;
  Box<ConsulGateway> gateway;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Native", self.native);
    v("SidecarService", self.sidecar_service);
    v("SidecarTask", self.sidecar_task);
    v("Gateway", self.gateway);
  }
  friend bool operator==(const ConsulConnect&, const ConsulConnect&) = default;
};

struct Service {
  std::string name;
  std::string task_name;
  std::string port_label;
  std::string address_mode;
  std::string address;
  bool enable_tag_override = false;
  List<std::string> tags;
  List<std::string> canary_tags;
  List<ServiceCheck> checks;
  Box<ConsulConnect> connect;
  Map<std::string> meta;
  Map<std::string> canary_meta;
  Box<ServiceWeights> weights;
  Map<std::string> tagged_addresses;
  std::string namespace_;
  std::string on_update;
  std::string provider;
  std::string cluster;
  Box<WorkloadIdentity> identity;
  std::string kind;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Name", self.name);
    v("TaskName", self.task_name);
    v("PortLabel", self.port_label);
    v("AddressMode", self.address_mode);
    v("Address", self.address);
    v("EnableTagOverride", self.enable_tag_override);
    v("Tags", self.tags);
    v("CanaryTags", self.canary_tags);
    v("Checks", self.checks);
    v("Connect", self.connect);
    v("Meta", self.meta);
    v("CanaryMeta", self.canary_meta);
    v("Weights", self.weights);
    v("TaggedAddresses", self.tagged_addresses);
    v("Namespace", self.namespace_);
    v("OnUpdate", self.on_update);
    v("Provider", self.provider);
    v("Cluster", self.cluster);
    v("Identity", self.identity);
    v("Kind", self.kind);
  }
  friend bool operator==(const Service&, const Service&) = default;
};

struct TaskArtifact {
  std::string getter_source;
  Map<std::string> getter_options;
  Map<std::string> getter_headers;
  std::string getter_mode;
  bool getter_insecure = false;
  std::string relative_dest;
  bool chown = false;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("GetterSource", self.getter_source);
    v("GetterOptions", self.getter_options);
    v("GetterHeaders", self.getter_headers);
    v("GetterMode", self.getter_mode);
    v("GetterInsecure", self.getter_insecure);
    v("RelativeDest", self.relative_dest);
    v("Chown", self.chown);
  }
  friend bool operator==(const TaskArtifact&, const TaskArtifact&) = default;
};

struct TaskCSIPluginConfig {
  std::string id;
  std::string type;
  std::string mount_dir;
  std::string stage_publish_base_dir;
  Duration health_timeout{};

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("ID", self.id);
    v("Type", self.type);
    v("MountDir", self.mount_dir);
    v("StagePublishBaseDir", self.stage_publish_base_dir);
    v("HealthTimeout", self.health_timeout);
  }
  friend bool operator==(const TaskCSIPluginConfig&, const TaskCSIPluginConfig&) = default;
};

struct TaskLifecycleConfig {
  std::string hook;
  bool sidecar = false;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Hook", self.hook);
    v("Sidecar", self.sidecar);
  }
  friend bool operator==(const TaskLifecycleConfig&, const TaskLifecycleConfig&) = default;
};

struct TaskScheduleCron {
  std::string start;
  std::string end;
  std::string timezone;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Start", self.start);
    v("End", self.end);
    v("Timezone", self.timezone);
  }
  friend bool operator==(const TaskScheduleCron&, const TaskScheduleCron&) = default;
};

struct TaskSchedule {
  Box<TaskScheduleCron> cron;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Cron", self.cron);
  }
  friend bool operator==(const TaskSchedule&, const TaskSchedule&) = default;
};

struct ChangeScript {
  std::string command;
  List<std::string> args;
  Duration timeout{};
  bool fail_on_error = false;
  bool run_on_first_render = false;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Command", self.command);
    v("Args", self.args);
    v("Timeout", self.timeout);
    v("FailOnError", self.fail_on_error);
    v("RunOnFirstRender", self.run_on_first_render);
  }
  friend bool operator==(const ChangeScript&, const ChangeScript&) = default;
};

struct WaitConfig {
  std::optional<Duration> min;
  std::optional<Duration> max;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Min", self.min);
    v("Max", self.max);
  }
  friend bool operator==(const WaitConfig&, const WaitConfig&) = default;
};

struct Template {
  std::string source_path;
  std::string dest_path;
  std::string embedded_tmpl;
  std::string change_mode;
  std::string change_signal;
  Box<ChangeScript> change_script;
  bool once = false;
  Duration splay{};
  std::string perms;
  std::optional<std::int64_t> uid;
  std::optional<std::int64_t> gid;
  std::string left_delim;
  std::string right_delim;
  bool envvars = false;
  Duration vault_grace{};
  Box<WaitConfig> wait;
  bool err_missing_key = false;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("SourcePath", self.source_path);
    v("DestPath", self.dest_path);
    v("EmbeddedTmpl", self.embedded_tmpl);
    v("ChangeMode", self.change_mode);
    v("ChangeSignal", self.change_signal);
    v("ChangeScript", self.change_script);
    v("Once", self.once);
    v("Splay", self.splay);
    v("Perms", self.perms);
    v("Uid", self.uid);
    v("Gid", self.gid);
    v("LeftDelim", self.left_delim);
    v("RightDelim", self.right_delim);
    v("Envvars", self.envvars);
    v("VaultGrace", self.vault_grace);
    v("Wait", self.wait);
    v("ErrMissingKey", self.err_missing_key);
  }
  friend bool operator==(const Template&, const Template&) = default;
};

struct Task {
  std::string name;
  std::string driver;
  std::string user;
  Any config;
  Map<std::string> env;
  List<Service> services;
  Box<Vault> vault;
  List<Secret> secrets;
  Box<Consul> consul;
  List<Template> templates;
  List<Constraint> constraints;
  List<Affinity> affinities;
  Box<Resources> resources;
  Box<RestartPolicy> restart_policy;
  Box<DispatchPayloadConfig> dispatch_payload;
  Box<TaskLifecycleConfig> lifecycle;
  Map<std::string> meta;
  Duration kill_timeout{};
  Box<LogConfig> log_config;
  List<TaskArtifact> artifacts;
  bool leader = false;
  Duration shutdown_delay{};
  List<VolumeMount> volume_mounts;
  List<ScalingPolicy> scaling_policies;
  std::string kill_signal;
  std::string kind;
  Box<TaskCSIPluginConfig> csi_plugin_config;
  Box<WorkloadIdentity> identity;
  List<WorkloadIdentity> identities;
  List<Action> actions;
  Box<TaskSchedule> schedule;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Name", self.name);
    v("Driver", self.driver);
    v("User", self.user);
    v("Config", self.config);
    v("Env", self.env);
    v("Services", self.services);
    v("Vault", self.vault);
    v("Secrets", self.secrets);
    v("Consul", self.consul);
    v("Templates", self.templates);
    v("Constraints", self.constraints);
    v("Affinities", self.affinities);
    v("Resources", self.resources);
    v("RestartPolicy", self.restart_policy);
    v("DispatchPayload", self.dispatch_payload);
    v("Lifecycle", self.lifecycle);
    v("Meta", self.meta);
    v("KillTimeout", self.kill_timeout);
    v("LogConfig", self.log_config);
    v("Artifacts", self.artifacts);
    v("Leader", self.leader);
    v("ShutdownDelay", self.shutdown_delay);
    v("VolumeMounts", self.volume_mounts);
    v("ScalingPolicies", self.scaling_policies);
    v("KillSignal", self.kill_signal);
    v("Kind", self.kind);
    v("CSIPluginConfig", self.csi_plugin_config);
    v("Identity", self.identity);
    v("Identities", self.identities);
    v("Actions", self.actions);
    v("Schedule", self.schedule);
  }
  friend bool operator==(const Task&, const Task&) = default;
};

}  // namespace drover::model
