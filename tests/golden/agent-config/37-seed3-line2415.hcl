datacenter = "us-east-1"
data_dir   = "/opt/nomad/data"
log_level  = "INFO"
log_json   = true

bind_addr = "0.0.0.0"

addresses {
  http = "0.0.0.0"
  rpc  = "{{ GetPrivateInterfaces | attr \"address\" }}"
  serf = "{{ GetPrivateInterfaces | attr \"address\" }}"
}

advertise {
  http = "{{ GetPrivateInterfaces | attr \"address\" }}"
  rpc  = "{{ GetPrivateInterfaces | attr \"address\" }}"
  serf = "{{ GetPrivateInterfaces | attr \"address\" }}"
}

# Consul 連携
consul {
  address = "127.0.0.1:8500"

  server_service_name = "nomad"
  client_service_name = "nomad-client"

  auto_advertise   = true
  server_auto_join = true
  client_auto_join = true

  # Consul トークン
  token = "consul-token-for-nomad"

  tags = ["production"]
}

# Vault 連携
vault {
  enabled = true
  address = "https://vault.service.consul:8200"
}

# TLS
tls {
  http = true
  rpc  = true

  ca_file   = "/opt/nomad/tls/ca.pem"
  cert_file = "/opt/nomad/tls/nomad.pem"
  key_file  = "/opt/nomad/tls/nomad-key.pem"

  verify_server_hostname = true
  verify_https_client    = false
}

# ACL
acl {
  enabled = true
}

# テレメトリ
telemetry {
  publish_allocation_metrics = true
  publish_node_metrics       = true
  prometheus_metrics         = true
}
