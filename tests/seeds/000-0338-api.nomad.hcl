job "api" {
datacenters = ["dc1"]
type = "service"
group "backend" {
count = 2
network {
port "api" {
to = 3000
}
}
service {
name = "api"
port = "api"
tags = ["backend", "api"]
check {
type = "http"
path = "/health"
interval = "30s"
timeout = "5s"
}
}
task "api-server" {
driver = "docker"
config {
image = "node:18-alpine"
ports = ["api"]
command = "node"
args = ["server.js"]
work_dir = "/app"
mount {
type = "bind"
source = "local/app"
target = "/app"
}
}
# Artifact download
artifact {
source = "https://github.com/company/api/archive/v1.2.3.tar.gz"
destination = "local/app"
options {
checksum = "sha256:abc123..."
}
}
# Database connection
template {
data = <<EOH
{{with service "postgres"}}
{{with index . 0}}
DATABASE_URL="postgres://user:pass@{{.Address}}:{{.Port}}/mydb"
{{end}}
{{end}}
NODE_ENV="production"
PORT="3000"
EOH
destination = "local/app/.env"
change_mode = "restart"
}
resources {
cpu = 500
memory = 512
}
}
}
}
