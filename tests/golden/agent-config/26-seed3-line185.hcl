datacenter = "us-east-1"
region     = "us-east"

# 他リージョンとのフェデレーション
server {
  enabled          = true
  bootstrap_expect = 3

  # リージョン間通信
  server_join {
    retry_join = ["provider=aws tag_key=nomad-server tag_value=true"]
  }
}
