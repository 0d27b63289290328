job "monitoring-stack" {
group "prometheus" {
network {
port "prometheus" {
static = 9090
}
}
service {
name = "prometheus"
port = "prometheus"
tags = [
"monitoring",
"traefik.enable=true",
"traefik.http.routers.prometheus.rule=Host(`prometheus.company.com`)"
]
}
task "prometheus" {
driver = "docker"
config {
image = "prom/prometheus:latest"
ports = ["prometheus"]
args = [
"--config.file=/etc/prometheus/prometheus.yml",
"--storage.tsdb.path=/prometheus",
"--storage.tsdb.retention.time=30d",
"--web.console.libraries=/etc/prometheus/console_libraries",
"--web.console.templates=/etc/prometheus/consoles",
"--web.enable-lifecycle"
]
mount {
type = "bind"
source = "local/prometheus.yml"
target = "/etc/prometheus/prometheus.yml"
}
}
# Configuration Prometheus avec auto-discovery Nomad
template {
data = <<EOH
global:
scrape_interval: 15s
evaluation_interval: 15s
rule_files:
- "nomad_rules.yml"
scrape_configs:
# Nomad servers
- job_name: 'nomad-servers'
consul_sd_configs:
- server: 'localhost:8500'
services: ['nomad']
tags: ['server']
relabel_configs:
- source_labels: [__meta_consul_service_port]
target_label: __address__
replacement: '${1}:4646'
metrics_path: /v1/metrics
params:
format: ['prometheus']
# Nomad clients
- job_name: 'nomad-clients'
consul_sd_configs:
- server: 'localhost:8500'
services: ['nomad-client']
relabel_configs:
- source_labels: [__meta_consul_service_port]
target_label: __address__
replacement: '${1}:4646'
metrics_path: /v1/metrics
params:
format: ['prometheus']
# Applications services
- job_name: 'services'
consul_sd_configs:
- server: 'localhost:8500'
relabel_configs:
- source_labels: [__meta_consul_service_metadata_metrics]
action: keep
regex: 'true'
- source_labels: [__meta_consul_service_metadata_metrics_path]
target_label: __metrics_path__
regex: '(.+)'
replacement: '${1}'
EOH
destination = "local/prometheus.yml"
change_mode = "restart"
}
resources {
cpu = 500
memory = 1024
}
}
}
group "grafana" {
network {
port "grafana" {
static = 3000
}
}
service {
name = "grafana"
port = "grafana"
tags = [
"monitoring",
"dashboard",
"traefik.enable=true",
"traefik.http.routers.grafana.rule=Host(`grafana.company.com`)"
]
}
task "grafana" {
driver = "docker"
config {
image = "grafana/grafana:latest"
ports = ["grafana"]
mount {
type = "bind"
source = "local/grafana.ini"
target = "/etc/grafana/grafana.ini"
}
}
# Configuration Grafana
template {
data = <<EOH
[server]
http_port = 3000
[database]
type = sqlite3
path = /var/lib/grafana/grafana.db
[security]
admin_user = admin
admin_password = ${GRAFANA_ADMIN_PASSWORD}
[auth.anonymous]
enabled = true
org_role = Viewer
[dashboards.json]
enabled = true
path = /var/lib/grafana/dashboards
EOH
destination = "local/grafana.ini"
}
env {
GF_INSTALL_PLUGINS = "grafana-clock-panel,grafana-simple-json-datasource"
}
vault {
policies = ["grafana"]
}
template {
data = <<EOH
{{with secret "secret/grafana"}}
GRAFANA_ADMIN_PASSWORD="{{.Data.admin_password}}"
{{end}}
EOH
destination = "secrets/grafana.env"
env = true
}
resources {
cpu = 200
memory = 512
}
}
}
}
