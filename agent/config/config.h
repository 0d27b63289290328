// The agent's configuration as it is after defaults, files and flags were merged: plain values, read by the composition root.
//
// Each block lists its keys once in `describe`, with the key of the configuration file; decoding (decode.cc), merging
// (merge.h) and the check for unknown keys are visitors of that list. Tags say how two files merge where it is not the
// type's own rule: later non-zero wins for text and numbers, OR for bool, key by key for maps, recursive for blocks.
// Blocks that nothing reads yet are `Kept`: checked for unknown keys, merged by replacement, held as JSON.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/config/duration.h"

namespace drover::agent {

struct AppendTag {};
struct ReplaceTag {};
// The whole block of a later file wins.
struct WholeTag {};
inline constexpr AppendTag appended;
inline constexpr ReplaceTag replaced;
inline constexpr WholeTag whole;

// A block that is accepted and kept. `keys` is the list of allowed keys: "a b c{d e} f{*}"; {*} allows any key.
struct Kept {
  std::string json;  // a JSON object; empty when the block was not written
  friend bool operator==(const Kept&, const Kept&) = default;
};
struct KeysTag { std::string_view keys; };

struct PortsConfig {
  std::int64_t http = 0, rpc = 0, serf = 0;
  template <class S, class V> static void describe(S& s, V& v) {
    v("http", s.http);
    v("rpc", s.rpc);
    v("serf", s.serf);
  }
};
// Addresses, without ports in `addresses`, with ports in `advertise` after resolve_addresses().
struct AddressesConfig {
  std::string http, rpc, serf;
  template <class S, class V> static void describe(S& s, V& v) {
    v("http", s.http);
    v("rpc", s.rpc);
    v("serf", s.serf);
  }
};

struct ServerJoinConfig {
  std::vector<std::string> start_join, retry_join;
  std::int64_t retry_max = 0;
  ConfigDuration retry_interval;
  template <class S, class V> static void describe(S& s, V& v) {
    v("start_join", s.start_join, replaced);
    v("retry_join", s.retry_join, replaced);
    v("retry_max", s.retry_max);
    v("retry_interval", s.retry_interval);
  }
};

struct ReservedConfig {
  std::int64_t cpu = 0, memory = 0, disk = 0;
  std::string reserved_ports, cores;
  template <class S, class V> static void describe(S& s, V& v) {
    v("cpu", s.cpu);
    v("memory", s.memory);
    v("disk", s.disk);
    v("reserved_ports", s.reserved_ports);
    v("cores", s.cores);
  }
};
struct HostVolumeConfig {
  std::string path;
  bool read_only = false;
  template <class S, class V> static void describe(S& s, V& v) {
    v("path", s.path);
    v("read_only", s.read_only);
  }
};
struct HostNetworkConfig {
  std::string cidr, interface, reserved_ports;
  template <class S, class V> static void describe(S& s, V& v) {
    v("cidr", s.cidr);
    v("interface", s.interface);
    v("reserved_ports", s.reserved_ports);
  }
};
struct FingerprintConfig {
  ConfigDuration retry_interval;
  std::int64_t retry_attempts = 0;
  bool exit_on_failure = false;
  template <class S, class V> static void describe(S& s, V& v) {
    v("retry_interval", s.retry_interval);
    v("retry_attempts", s.retry_attempts);
    v("exit_on_failure", s.exit_on_failure);
  }
};
struct DrainOnShutdownConfig {
  ConfigDuration deadline;
  bool force = false, ignore_system_jobs = false;
  template <class S, class V> static void describe(S& s, V& v) {
    v("deadline", s.deadline);
    v("force", s.force);
    v("ignore_system_jobs", s.ignore_system_jobs);
  }
};
struct UsersConfig {
  std::int64_t dynamic_user_min = 0, dynamic_user_max = 0;
  template <class S, class V> static void describe(S& s, V& v) {
    v("dynamic_user_min", s.dynamic_user_min);
    v("dynamic_user_max", s.dynamic_user_max);
  }
};

struct ClientConfig {
  bool enabled = false;
  std::string state_dir, alloc_dir, alloc_mounts_dir, host_volumes_dir, host_volume_plugin_dir, common_plugin_dir;
  std::vector<std::string> servers;
  ServerJoinConfig server_join;
  std::string node_class, node_pool;
  std::map<std::string, std::string> options, meta, chroot_env;
  std::string network_interface, preferred_address_family;
  std::int64_t network_speed = 0, cpu_total_compute = 0, memory_total_mb = 0, disk_total_mb = 0, disk_free_mb = 0;
  bool cpu_disable_dmidecode = false;
  std::string reservable_cores;
  ReservedConfig reserved;
  ConfigDuration max_kill_timeout;
  std::int64_t client_min_port = 0, client_max_port = 0, min_dynamic_port = 0, max_dynamic_port = 0;
  ConfigDuration gc_interval;
  std::int64_t gc_parallel_destroys = 0, gc_max_allocs = 0;
  double gc_disk_usage_threshold = 0, gc_inode_usage_threshold = 0;
  bool gc_volumes_on_node_gc = false, disable_remote_exec = false;
  std::optional<bool> no_host_uuid, nomad_service_discovery;
  Kept template_block, artifact;
  std::map<std::string, HostVolumeConfig> host_volumes;
  std::vector<std::pair<std::string, HostNetworkConfig>> host_networks;  // later ones of the same name win at use
  bool bind_wildcard_default_host_network = false, bridge_network_hairpin_mode = false, default_ineligible = false;
  std::string cni_path, cni_config_dir, bridge_network_name, bridge_network_subnet, bridge_network_subnet_ipv6, cgroup_parent;
  std::optional<DrainOnShutdownConfig> drain_on_shutdown;
  UsersConfig users;
  std::int64_t node_max_allocs = 0;
  std::map<std::string, FingerprintConfig> fingerprint;

  template <class S, class V> static void describe(S& s, V& v) {
    v("enabled", s.enabled);
    v("state_dir", s.state_dir);
    v("alloc_dir", s.alloc_dir);
    v("alloc_mounts_dir", s.alloc_mounts_dir);
    v("host_volumes_dir", s.host_volumes_dir);
    v("host_volume_plugin_dir", s.host_volume_plugin_dir);
    v("common_plugin_dir", s.common_plugin_dir);
    v("servers", s.servers, appended);
    v("server_join", s.server_join);
    v("node_class", s.node_class);
    v("node_pool", s.node_pool);
    v("options", s.options);
    v("meta", s.meta);
    v("chroot_env", s.chroot_env);
    v("network_interface", s.network_interface);
    v("preferred_address_family", s.preferred_address_family);
    v("network_speed", s.network_speed);
    v("cpu_total_compute", s.cpu_total_compute);
    v("memory_total_mb", s.memory_total_mb);
    v("disk_total_mb", s.disk_total_mb);
    v("disk_free_mb", s.disk_free_mb);
    v("cpu_disable_dmidecode", s.cpu_disable_dmidecode);
    v("reservable_cores", s.reservable_cores);
    v("reserved", s.reserved);
    v("max_kill_timeout", s.max_kill_timeout);
    v("client_min_port", s.client_min_port);
    v("client_max_port", s.client_max_port);
    v("min_dynamic_port", s.min_dynamic_port);
    v("max_dynamic_port", s.max_dynamic_port);
    v("gc_interval", s.gc_interval);
    v("gc_parallel_destroys", s.gc_parallel_destroys);
    v("gc_disk_usage_threshold", s.gc_disk_usage_threshold);
    v("gc_inode_usage_threshold", s.gc_inode_usage_threshold);
    v("gc_max_allocs", s.gc_max_allocs);
    v("gc_volumes_on_node_gc", s.gc_volumes_on_node_gc);
    v("no_host_uuid", s.no_host_uuid);
    v("disable_remote_exec", s.disable_remote_exec);
    v("template", s.template_block, KeysTag{"function_denylist function_blacklist disable_file_sandbox max_stale block_query_wait "
      "wait{min max} wait_bounds{min max} consul_retry{attempts backoff max_backoff} vault_retry{attempts backoff max_backoff} "
      "nomad_retry{attempts backoff max_backoff} vault_grace"});
    v("artifact", s.artifact, KeysTag{"http_read_timeout http_max_size gcs_timeout git_timeout hg_timeout s3_timeout "
      "decompression_size_limit decompression_file_count_limit disable_artifact_inspection disable_filesystem_isolation "
      "filesystem_isolation_extra_paths set_environment_variables"});
    v("host_volume", s.host_volumes);
    v("host_network", s.host_networks);
    v("bind_wildcard_default_host_network", s.bind_wildcard_default_host_network);
    v("cni_path", s.cni_path);
    v("cni_config_dir", s.cni_config_dir);
    v("bridge_network_name", s.bridge_network_name);
    v("bridge_network_subnet", s.bridge_network_subnet);
    v("bridge_network_subnet_ipv6", s.bridge_network_subnet_ipv6);
    v("bridge_network_hairpin_mode", s.bridge_network_hairpin_mode);
    v("cgroup_parent", s.cgroup_parent);
    v("nomad_service_discovery", s.nomad_service_discovery);
    v("drain_on_shutdown", s.drain_on_shutdown);
    v("users", s.users);
    v("node_max_allocs", s.node_max_allocs);
    v("fingerprint", s.fingerprint);
    v("default_ineligible", s.default_ineligible);
  }
};

struct PlanRejectionTrackerConfig {
  std::optional<bool> enabled;
  std::int64_t node_threshold = 0;
  ConfigDuration node_window;
  template <class S, class V> static void describe(S& s, V& v) {
    v("enabled", s.enabled);
    v("node_threshold", s.node_threshold);
    v("node_window", s.node_window);
  }
};

struct ServerConfig {
  bool enabled = false;
  std::int64_t bootstrap_expect = 0;
  std::string authoritative_region, data_dir;
  std::int64_t protocol_version = 0, raft_protocol = 0, raft_multiplier = 0;
  std::optional<std::int64_t> num_schedulers;
  std::vector<std::string> enabled_schedulers;
  ConfigDuration node_gc_threshold, job_gc_interval, job_gc_threshold, eval_gc_threshold, batch_eval_gc_threshold,
      deployment_gc_threshold, csi_volume_claim_gc_interval, csi_volume_claim_gc_threshold, csi_plugin_gc_threshold,
      acl_token_gc_threshold, root_key_gc_interval, root_key_gc_threshold, root_key_rotation_threshold, heartbeat_grace,
      min_heartbeat_ttl, failover_heartbeat_ttl, start_timeout, retry_interval;
  double max_heartbeats_per_second = 0, deploy_query_rate_limit = 0;
  ServerJoinConfig server_join;
  std::vector<std::string> start_join, retry_join;
  std::int64_t retry_max = 0;
  bool rejoin_after_leave = false, non_voting_server = false, non_production = false;
  std::string encrypt, redundancy_zone, upgrade_version, license_path, oidc_issuer;
  Kept default_scheduler_config, raft_logstore, raft_boltdb, search, client_introduction;
  PlanRejectionTrackerConfig plan_rejection_tracker;
  std::optional<bool> enable_event_broker;
  std::optional<std::int64_t> event_buffer_size;
  std::int64_t plan_apply_pipeline = 0, raft_snapshot_threshold = 0, raft_trailing_logs = 0;
  ConfigDuration raft_snapshot_interval;
  std::int64_t job_default_priority = 0, job_max_priority = 0, job_tracked_versions = 0;
  std::optional<std::int64_t> job_max_count;
  std::optional<std::string> job_max_source_size;

  template <class S, class V> static void describe(S& s, V& v) {
    v("enabled", s.enabled);
    v("bootstrap_expect", s.bootstrap_expect);
    v("authoritative_region", s.authoritative_region);
    v("data_dir", s.data_dir);
    v("protocol_version", s.protocol_version);
    v("raft_protocol", s.raft_protocol);
    v("raft_multiplier", s.raft_multiplier);
    v("num_schedulers", s.num_schedulers);
    v("enabled_schedulers", s.enabled_schedulers, appended);
    v("node_gc_threshold", s.node_gc_threshold);
    v("job_gc_interval", s.job_gc_interval);
    v("job_gc_threshold", s.job_gc_threshold);
    v("eval_gc_threshold", s.eval_gc_threshold);
    v("batch_eval_gc_threshold", s.batch_eval_gc_threshold);
    v("deployment_gc_threshold", s.deployment_gc_threshold);
    v("csi_volume_claim_gc_interval", s.csi_volume_claim_gc_interval);
    v("csi_volume_claim_gc_threshold", s.csi_volume_claim_gc_threshold);
    v("csi_plugin_gc_threshold", s.csi_plugin_gc_threshold);
    v("acl_token_gc_threshold", s.acl_token_gc_threshold);
    v("root_key_gc_interval", s.root_key_gc_interval);
    v("root_key_gc_threshold", s.root_key_gc_threshold);
    v("root_key_rotation_threshold", s.root_key_rotation_threshold);
    v("heartbeat_grace", s.heartbeat_grace);
    v("min_heartbeat_ttl", s.min_heartbeat_ttl);
    v("failover_heartbeat_ttl", s.failover_heartbeat_ttl);
    v("start_timeout", s.start_timeout);
    v("max_heartbeats_per_second", s.max_heartbeats_per_second);
    v("deploy_query_rate_limit", s.deploy_query_rate_limit);
    v("server_join", s.server_join);
    v("start_join", s.start_join, appended);
    v("retry_join", s.retry_join, appended);
    v("retry_max", s.retry_max);
    v("retry_interval", s.retry_interval);
    v("rejoin_after_leave", s.rejoin_after_leave);
    v("non_voting_server", s.non_voting_server);
    v("non_production", s.non_production);
    v("encrypt", s.encrypt);
    v("redundancy_zone", s.redundancy_zone);
    v("upgrade_version", s.upgrade_version);
    v("license_path", s.license_path);
    v("oidc_issuer", s.oidc_issuer);
    v("default_scheduler_config", s.default_scheduler_config, KeysTag{"scheduler_algorithm memory_oversubscription_enabled "
      "reject_job_registration pause_eval_broker node_limit_for_feasibility_checks preemption_config{system_scheduler_enabled "
      "sysbatch_scheduler_enabled batch_scheduler_enabled service_scheduler_enabled}"});
    v("raft_logstore", s.raft_logstore, KeysTag{"backend disable_log_cache boltdb{no_freelist_sync} wal{segment_size_mb} "
      "verification{enabled interval}"});
    v("raft_boltdb", s.raft_boltdb, KeysTag{"no_freelist_sync"});
    v("search", s.search, KeysTag{"fuzzy_enabled limit_query limit_results min_term_length"});
    v("client_introduction", s.client_introduction, KeysTag{"enforcement default_identity_ttl max_identity_ttl"});
    v("plan_rejection_tracker", s.plan_rejection_tracker);
    v("enable_event_broker", s.enable_event_broker);
    v("event_buffer_size", s.event_buffer_size);
    v("plan_apply_pipeline", s.plan_apply_pipeline);
    v("raft_snapshot_threshold", s.raft_snapshot_threshold);
    v("raft_snapshot_interval", s.raft_snapshot_interval);
    v("raft_trailing_logs", s.raft_trailing_logs);
    v("job_default_priority", s.job_default_priority);
    v("job_max_priority", s.job_max_priority);
    v("job_max_count", s.job_max_count);
    v("job_max_source_size", s.job_max_source_size);
    v("job_tracked_versions", s.job_tracked_versions);
  }
};

struct AclConfig {
  bool enabled = false;
  ConfigDuration token_ttl, policy_ttl, role_ttl, token_min_expiration_ttl, token_max_expiration_ttl;
  std::string replication_token;
  template <class S, class V> static void describe(S& s, V& v) {
    v("enabled", s.enabled);
    v("token_ttl", s.token_ttl);
    v("policy_ttl", s.policy_ttl);
    v("role_ttl", s.role_ttl);
    v("token_min_expiration_ttl", s.token_min_expiration_ttl);
    v("token_max_expiration_ttl", s.token_max_expiration_ttl);
    v("replication_token", s.replication_token);
  }
};

struct TlsConfig {
  bool http = false, rpc = false, verify_server_hostname = false, rpc_upgrade_mode = false, verify_https_client = false;
  std::string ca_file, cert_file, key_file, tls_cipher_suites, tls_min_version;
  bool tls_prefer_server_cipher_suites = false;
  template <class S, class V> static void describe(S& s, V& v) {
    v("http", s.http);
    v("rpc", s.rpc);
    v("verify_server_hostname", s.verify_server_hostname);
    v("rpc_upgrade_mode", s.rpc_upgrade_mode);
    v("verify_https_client", s.verify_https_client);
    v("ca_file", s.ca_file);
    v("cert_file", s.cert_file);
    v("key_file", s.key_file);
    v("tls_cipher_suites", s.tls_cipher_suites);
    v("tls_min_version", s.tls_min_version);
    v("tls_prefer_server_cipher_suites", s.tls_prefer_server_cipher_suites);
  }
};

struct TelemetryConfig {
  ConfigDuration in_memory_collection_interval, in_memory_retention_period, collection_interval;
  bool disable_hostname = false, use_node_name = false, publish_allocation_metrics = false, publish_node_metrics = false,
       include_alloc_metadata_in_metrics = false, disable_dispatched_job_summary_metrics = false,
       disable_quota_utilization_metrics = false, disable_rpc_rate_metrics_labels = false, prometheus_metrics = false;
  std::vector<std::string> allowed_metadata_keys_in_metrics, prefix_filter, datadog_tags;
  std::optional<bool> filter_default, disable_allocation_hook_metrics;
  std::string statsite_address, statsd_address, datadog_address;
  std::string circonus_api_token, circonus_api_app, circonus_api_url, circonus_submission_interval, circonus_submission_url,
      circonus_check_id, circonus_check_force_metric_activation, circonus_check_instance_id, circonus_check_search_tag,
      circonus_check_tags, circonus_check_display_name, circonus_broker_id, circonus_broker_select_tag;
  template <class S, class V> static void describe(S& s, V& v) {
    v("in_memory_collection_interval", s.in_memory_collection_interval);
    v("in_memory_retention_period", s.in_memory_retention_period);
    v("collection_interval", s.collection_interval);
    v("disable_hostname", s.disable_hostname);
    v("use_node_name", s.use_node_name);
    v("publish_allocation_metrics", s.publish_allocation_metrics);
    v("publish_node_metrics", s.publish_node_metrics);
    v("include_alloc_metadata_in_metrics", s.include_alloc_metadata_in_metrics);
    v("disable_dispatched_job_summary_metrics", s.disable_dispatched_job_summary_metrics);
    v("disable_quota_utilization_metrics", s.disable_quota_utilization_metrics);
    v("disable_rpc_rate_metrics_labels", s.disable_rpc_rate_metrics_labels);
    v("prometheus_metrics", s.prometheus_metrics);
    v("allowed_metadata_keys_in_metrics", s.allowed_metadata_keys_in_metrics, appended);
    v("prefix_filter", s.prefix_filter, replaced);
    v("datadog_tags", s.datadog_tags, replaced);
    v("filter_default", s.filter_default);
    v("disable_allocation_hook_metrics", s.disable_allocation_hook_metrics);
    v("statsite_address", s.statsite_address);
    v("statsd_address", s.statsd_address);
    v("datadog_address", s.datadog_address);
    v("circonus_api_token", s.circonus_api_token);
    v("circonus_api_app", s.circonus_api_app);
    v("circonus_api_url", s.circonus_api_url);
    v("circonus_submission_interval", s.circonus_submission_interval);
    v("circonus_submission_url", s.circonus_submission_url);
    v("circonus_check_id", s.circonus_check_id);
    v("circonus_check_force_metric_activation", s.circonus_check_force_metric_activation);
    v("circonus_check_instance_id", s.circonus_check_instance_id);
    v("circonus_check_search_tag", s.circonus_check_search_tag);
    v("circonus_check_tags", s.circonus_check_tags);
    v("circonus_check_display_name", s.circonus_check_display_name);
    v("circonus_broker_id", s.circonus_broker_id);
    v("circonus_broker_select_tag", s.circonus_broker_select_tag);
  }
};

struct LimitsConfig {
  std::optional<ConfigDuration> https_handshake_timeout, rpc_handshake_timeout;
  std::optional<std::int64_t> http_max_conns_per_client, rpc_max_conns_per_client;
  template <class S, class V> static void describe(S& s, V& v) {
    v("https_handshake_timeout", s.https_handshake_timeout);
    v("http_max_conns_per_client", s.http_max_conns_per_client);
    v("rpc_handshake_timeout", s.rpc_handshake_timeout);
    v("rpc_max_conns_per_client", s.rpc_max_conns_per_client);
  }
};

// P-20: of a plugin's process; ours, unknown to the reference.
struct PluginLimitsConfig {
  std::optional<std::int64_t> memory_mb, pids, cpu_weight;
  template <class S, class V> static void describe(S& s, V& v) {
    v("memory_mb", s.memory_mb);
    v("pids", s.pids);
    v("cpu_weight", s.cpu_weight);
  }
};

// plugin "name" { args = [...]  mutual_tls = true  limits { ... }  config { ... } }
struct PluginConfig {
  std::vector<std::string> args;
  std::optional<bool> mutual_tls;  // P-12: ours, unknown to the reference
  PluginLimitsConfig limits;
  Kept config;  // as JSON, for the plugin's own schema
  template <class S, class V> static void describe(S& s, V& v) {
    v("args", s.args, replaced);
    v("mutual_tls", s.mutual_tls);
    v("limits", s.limits);
    v("config", s.config, KeysTag{"*"});
  }
};

struct Config {
  std::string region, datacenter, name, data_dir, plugin_dir, bind_addr;
  bool enable_debug = false;
  std::string log_level;
  bool log_json = false, log_include_location = false;
  std::string log_file;
  ConfigDuration log_rotate_duration;
  std::int64_t log_rotate_bytes = 0, log_rotate_max_files = 0;
  bool enable_syslog = false;
  std::string syslog_facility;
  bool leave_on_interrupt = false, leave_on_terminate = false;
  std::optional<bool> disable_update_check;
  bool disable_anonymous_signature = false;
  std::map<std::string, std::string> http_api_response_headers;
  PortsConfig ports;
  AddressesConfig addresses, advertise;
  ServerConfig server;
  ClientConfig client;
  std::map<std::string, PluginConfig> plugins;
  AclConfig acl;
  TlsConfig tls;
  TelemetryConfig telemetry;
  LimitsConfig limits;
  Kept rpc, autopilot, ui, audit, reporting, sentinel, eventlog;
  std::map<std::string, Kept> consul, vault;                // by name, "default" when none is written
  std::map<std::string, Kept> keyring;                      // by provider and name: "aead.default"
  std::string protocol_version;                             // removed upstream; accepted with a warning

  // Not from files.
  bool dev_mode = false;
  std::vector<std::string> files;     // configuration files that were read, in order
  std::vector<std::string> warnings;  // to be logged once at start
  std::string client_intro_token;

  template <class S, class V> static void describe(S& s, V& v) {
    v("region", s.region);
    v("datacenter", s.datacenter);
    v("name", s.name);
    v("data_dir", s.data_dir);
    v("plugin_dir", s.plugin_dir);
    v("bind_addr", s.bind_addr);
    v("enable_debug", s.enable_debug);
    v("log_level", s.log_level);
    v("log_json", s.log_json);
    v("log_include_location", s.log_include_location);
    v("log_file", s.log_file);
    v("log_rotate_duration", s.log_rotate_duration);
    v("log_rotate_bytes", s.log_rotate_bytes);
    v("log_rotate_max_files", s.log_rotate_max_files);
    v("enable_syslog", s.enable_syslog);
    v("syslog_facility", s.syslog_facility);
    v("leave_on_interrupt", s.leave_on_interrupt);
    v("leave_on_terminate", s.leave_on_terminate);
    v("disable_update_check", s.disable_update_check);
    v("disable_anonymous_signature", s.disable_anonymous_signature);
    v("http_api_response_headers", s.http_api_response_headers);
    v("ports", s.ports);
    v("addresses", s.addresses);
    v("advertise", s.advertise);
    v("server", s.server);
    v("client", s.client);
    v("plugin", s.plugins);
    v("acl", s.acl);
    v("tls", s.tls);
    v("telemetry", s.telemetry);
    v("limits", s.limits);
    v("rpc", s.rpc, KeysTag{"accept_backlog keep_alive_interval connection_write_timeout stream_open_timeout stream_close_timeout dial_timeout"});
    v("autopilot", s.autopilot, KeysTag{"cleanup_dead_servers server_stabilization_time last_contact_threshold max_trailing_logs "
      "min_quorum enable_redundancy_zones disable_upgrade_migration enable_custom_upgrades"});
    v("ui", s.ui, KeysTag{"enabled show_cli_hints content_security_policy{connect_src default_src form_action frame_ancestors img_src "
      "script_src style_src} consul{ui_url} vault{ui_url} label{text background_color text_color}"});
    v("consul", s.consul, KeysTag{"name address grpc_address timeout token auth ssl verify_ssl ca_file grpc_ca_file cert_file key_file "
      "share_ssl namespace tags auto_advertise checks_use_advertise server_auto_join client_auto_join server_service_name "
      "client_service_name server_http_check_name server_serf_check_name server_rpc_check_name client_http_check_name "
      "server_failures_before_critical server_failures_before_warning client_failures_before_critical "
      "client_failures_before_warning allow_unauthenticated use_identity service_identity{name aud ttl env file filepath "
      "change_mode change_signal extra_claims{*}} task_identity{name aud ttl env file filepath change_mode change_signal "
      "extra_claims{*}} service_auth_method task_auth_method"});
    v("vault", s.vault, KeysTag{"name enabled address jwt_auth_backend_path create_from_role namespace ca_file ca_path cert_file "
      "key_file tls_skip_verify tls_server_name default_identity{name aud ttl env file filepath change_mode change_signal "
      "extra_claims{*}} token allow_unauthenticated task_token_ttl"});
    v("keyring", s.keyring, KeysTag{"*"});
    v("audit", s.audit, KeysTag{"enabled sink{*} filter{*}"});
    v("reporting", s.reporting, KeysTag{"license{enabled} disable_product_usage_reporting snapshot_retention_time export_address export_interval"});
    v("sentinel", s.sentinel, KeysTag{"import{*} additional_enabled_modules"});
    v("eventlog", s.eventlog, KeysTag{"enabled name level"});
    v("protocol_version", s.protocol_version);
  }
};

// Command-line flags of `agent` that change the configuration (1.6). Empty values were not given.
struct Flags {
  std::vector<std::string> config_paths;  // -config, in order
  bool dev = false, dev_connect = false, dev_consul = false, dev_vault = false;
  Config overrides;                       // every other flag, by the key it sets; merged last
};

// What the machine says, so that loading is testable.
struct Surroundings {
  std::string host_name;
  std::string private_ip;        // first private address (GetPrivateIP); empty: none
  std::string temporary_dir;     // parent of the directories of dev mode
  std::map<std::string, std::string> environment;
  std::vector<std::pair<std::string, std::string>> interface_addresses;  // interface name, address without prefix
};
}  // namespace drover::agent
