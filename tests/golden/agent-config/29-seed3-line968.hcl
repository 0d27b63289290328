plugin_dir = "/opt/nomad/plugins"

# Podman ドライバーの設定例
plugin "nomad-driver-podman" {
  config {
    socket_path = "unix:///run/podman/podman.sock"
    volumes {
      enabled = true
    }
  }
}
