client {
  enabled = true

  # サーバーへの接続
  servers = [
    "nomad-server-1.example.com:4647",
    "nomad-server-2.example.com:4647",
    "nomad-server-3.example.com:4647"
  ]

  # ノードクラス(スケジューリング制約に使用)
  node_class = "compute-optimized"

  # メタデータ(スケジューリング制約に使用)
  meta {
    rack       = "rack-1"
    zone       = "us-east-1a"
    team       = "platform"
  }

  # ホストボリューム
  host_volume "data" {
    path      = "/opt/data"
    read_only = false
  }

  # リソース予約(OS 用)
  reserved {
    cpu    = 500
    memory = 512
    disk   = 1024
  }
}
