acl {
  enabled = true

  # トークンの TTL
  token_ttl    = "30s"
  policy_ttl   = "60s"

  # ロール/ポリシーの TTL
  role_ttl = "60s"
}
