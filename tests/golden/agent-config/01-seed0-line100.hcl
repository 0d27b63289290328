datacenter = "dc1"
data_dir = "/opt/nomad/data"
log_level = "INFO"
node_name = "nomad-server-1"
bind_addr = "0.0.0.0"
server {
enabled = true
bootstrap_expect = 3 # Nombre de servers dans le cluster
# Encrypt gossip communications
encrypt = "cg8StVXbQJ0gPvMd9o7yrg=="
# Server join configuration
server_join {
retry_join = ["nomad-server-1:4648", "nomad-server-2:4648", "nomad-server-3:4648"]
}
}
# ACLs (optionnel mais recommandé)
acl {
enabled = true
}
# TLS Configuration (production)
tls {
http = true
rpc = true
ca_file = "/etc/nomad.d/certs/ca.pem"
cert_file = "/etc/nomad.d/certs/server.pem"
key_file = "/etc/nomad.d/certs/server-key.pem"
verify_server_hostname = true
verify_https_client = true
}
# Integration Consul
consul {
address = "127.0.0.1:8500"
# Auto-advertise services
auto_advertise = true
server_auto_join = true
client_auto_join = true
# Service tags
tags = ["nomad", "server"]
}
# Métriques
telemetry {
collection_interval = "10s"
disable_hostname = true
prometheus_metrics = true
publish_allocation_metrics = true
publish_node_metrics = true
}
# Web UI
ui_config {
enabled = true
# Consul/Vault integration in UI
consul {
ui_url = "http://consul.service.consul:8500/ui"
}
vault {
ui_url = "http://vault.service.consul:8200/ui"
}
}
