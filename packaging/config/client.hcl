# A machine that runs tasks: copy it to /etc/nomad.d, with the addresses of the servers. `drover doctor` says what it lacks.
data_dir   = "/var/lib/drover"
datacenter = "dc1"

client {
  enabled = true
  servers = ["192.0.2.11:4647", "192.0.2.12:4647", "192.0.2.13:4647"]
}

# Commands without any isolation, for those you trust:
# plugin "raw_exec" {
#   config {
#     enabled = true
#   }
# }
