datacenter = "dc1"
data_dir = "/opt/nomad/data"
log_level = "INFO"
node_name = "nomad-client-1"
bind_addr = "0.0.0.0"
client {
enabled = true
# Server addresses to join
servers = ["nomad-server-1:4647", "nomad-server-2:4647", "nomad-server-3:4647"]
# Node configuration
node_class = "compute"
# Metadata for job constraints
meta {
"type" = "compute"
"zone" = "us-west-1a"
"instance_type" = "m5.large"
}
# Resource configuration
reserved {
cpu = 500 # MHz reserved for system
memory = 512 # MB reserved for system
disk = 1024 # MB reserved for system
}
# Network configuration
network_interface = "eth0"
# Host volumes
host_volume "docker-sock" {
path = "/var/run/docker.sock"
read_only = true
}
host_volume "logs" {
path = "/var/log"
read_only = false
}
}
# Plugin configuration
plugin "docker" {
config {
allow_privileged = false
allow_caps = ["audit_write", "chown", "dac_override"]
# Resource limits
gc {
image = true
image_delay = "10m"
container = true
}
# Volume mounts
volumes {
enabled = true
}
}
}
plugin "raw_exec" {
config {
enabled = false # Disabled by default for security
}
}
# Consul integration
consul {
address = "127.0.0.1:8500"
auto_advertise = true
client_auto_join = true
tags = ["nomad", "client"]
}
# Vault integration
vault {
enabled = true
address = "http://vault.service.consul:8200"
# Task identity
task_token_ttl = "1h"
create_from_role = "nomad-cluster"
}
