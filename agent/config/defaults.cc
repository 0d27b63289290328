// Built-in defaults and those of -dev (client.md 1.2-1.7).
#include "agent/config/load.h"

namespace drover::agent {

using namespace std::chrono_literals;

Config default_config() {
  Config c;
  c.region = "global";
  c.datacenter = "dc1";
  c.bind_addr = "0.0.0.0";
  c.log_level = "INFO";
  c.syslog_facility = "LOCAL0";
  c.ports = {.http = 4646, .rpc = 4647, .serf = 4648};

  auto& client = c.client;
  client.node_pool = "default";
  client.server_join.retry_interval = 30s;
  client.max_kill_timeout = 30s;
  client.client_min_port = 14000;
  client.client_max_port = 14512;
  client.min_dynamic_port = 20000;
  client.max_dynamic_port = 32000;
  client.gc_interval = 1min;
  client.gc_parallel_destroys = 2;
  client.gc_disk_usage_threshold = 80;
  client.gc_inode_usage_threshold = 70;
  client.gc_max_allocs = 50;
  client.no_host_uuid = true;
  client.nomad_service_discovery = true;
  client.bind_wildcard_default_host_network = true;
  client.cni_path = "/opt/cni/bin:/usr/libexec/cni";
  client.cni_config_dir = "/opt/cni/config";
  client.bridge_network_name = "nomad";
  client.bridge_network_subnet = "172.26.64.0/20";
  client.users = {.dynamic_user_min = 80000, .dynamic_user_max = 89999};

  auto& server = c.server;
  server.raft_protocol = 3;
  server.raft_multiplier = 1;
  server.node_gc_threshold = 24h;
  server.job_gc_interval = 5min;
  server.job_gc_threshold = 4h;
  server.eval_gc_threshold = 1h;
  server.batch_eval_gc_threshold = 24h;
  server.deployment_gc_threshold = 1h;
  server.csi_volume_claim_gc_interval = 5min;
  server.csi_volume_claim_gc_threshold = 5min;
  server.csi_plugin_gc_threshold = 1h;
  server.acl_token_gc_threshold = 1h;
  server.root_key_gc_interval = 10min;
  server.root_key_gc_threshold = 1h;
  server.root_key_rotation_threshold = 720h;
  server.heartbeat_grace = 10s;
  server.min_heartbeat_ttl = 10s;
  server.failover_heartbeat_ttl = 5min;
  server.max_heartbeats_per_second = 50;
  server.server_join.retry_interval = 30s;
  server.start_timeout = 30s;
  server.enable_event_broker = true;
  server.event_buffer_size = 100;
  server.plan_apply_pipeline = 1;
  server.deploy_query_rate_limit = 100;
  server.plan_rejection_tracker.enabled = false;
  server.plan_rejection_tracker.node_threshold = 100;
  server.plan_rejection_tracker.node_window = 5min;
  server.job_default_priority = 50;
  server.job_max_priority = 100;
  server.job_max_count = 50000;
  server.job_max_source_size = "1M";
  server.job_tracked_versions = 6;

  c.acl.token_ttl = 30s;
  c.acl.policy_ttl = 30s;
  c.acl.role_ttl = 30s;
  c.acl.token_min_expiration_ttl = 1min;
  c.acl.token_max_expiration_ttl = 24h;
  c.telemetry.in_memory_collection_interval = 10s;
  c.telemetry.in_memory_retention_period = 1min;
  c.telemetry.collection_interval = 1s;
  c.telemetry.filter_default = true;
  c.telemetry.disable_allocation_hook_metrics = false;
  c.limits.https_handshake_timeout = ConfigDuration(5s);
  c.limits.rpc_handshake_timeout = ConfigDuration(5s);
  c.limits.http_max_conns_per_client = 100;
  c.limits.rpc_max_conns_per_client = 100;
  return c;
}

Config dev_config() {
  Config c = default_config();
  c.dev_mode = true;
  c.bind_addr = "127.0.0.1";
  c.log_level = "DEBUG";
  c.enable_debug = true;
  c.disable_anonymous_signature = true;
  c.server.enabled = true;
  c.server.bootstrap_expect = 1;
  c.client.enabled = true;
  c.client.network_interface = "lo";
  c.client.options = {{"driver.raw_exec.enable", "true"}, {"driver.docker.volumes", "true"}, {"test.tighten_network_timeouts", "true"}};
  c.client.gc_interval = 10min;
  c.client.gc_disk_usage_threshold = 99;
  c.client.gc_inode_usage_threshold = 99;
  c.client.gc_max_allocs = 50;
  c.telemetry.prometheus_metrics = true;
  c.telemetry.publish_allocation_metrics = true;
  c.telemetry.publish_node_metrics = true;
  return c;
}

}  // namespace drover::agent
