# One machine that is server and client, for itself only. The package puts this file into /etc/nomad.d when there is no other.
# Others: /usr/share/doc/drover/examples. What a file says is checked by: drover config validate /etc/nomad.d
data_dir  = "/var/lib/drover"
bind_addr = "127.0.0.1"

advertise {
  http = "127.0.0.1"
  rpc  = "127.0.0.1"
  serf = "127.0.0.1"
}

server {
  enabled          = true
  bootstrap_expect = 1
}

client {
  enabled           = true
  network_interface = "lo"
}
