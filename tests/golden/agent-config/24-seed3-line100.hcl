server {
  enabled          = true
  bootstrap_expect = 3

  # Raft のパフォーマンスチューニング
  raft_protocol = 3

  # サーバー間の暗号化
  encrypt = "cg8StVXbQJ0gPvMd9o7yrg=="

  # データディレクトリ
  data_dir = "/opt/nomad/data"

  # サーバージョイン
  server_join {
    retry_join = [
      "nomad-server-1.example.com",
      "nomad-server-2.example.com",
      "nomad-server-3.example.com"
    ]
  }
}
