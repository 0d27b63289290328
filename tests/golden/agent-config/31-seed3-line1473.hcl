vault {
  enabled = true
  address = "https://vault.service.consul:8200"

  # Vault トークン(サーバーのみ)
  token = "s.XXXXXXXXXXXXXXXXXXXXXX"

  # TLS 設定
  tls_ca_file   = "/opt/nomad/tls/vault-ca.pem"
  tls_cert_file = "/opt/nomad/tls/vault-client.pem"
  tls_key_file  = "/opt/nomad/tls/vault-client-key.pem"

  # トークン作成の設定
  create_from_role = "nomad-cluster"

  # 名前空間(Enterprise)
  namespace = "admin"
}
