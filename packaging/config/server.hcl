# A server of a cluster: copy it to /etc/nomad.d on each, with the addresses of the others.
data_dir   = "/var/lib/drover"
datacenter = "dc1"

server {
  enabled          = true
  bootstrap_expect = 3

  server_join {
    retry_join = ["192.0.2.11", "192.0.2.12", "192.0.2.13"]
  }
}
