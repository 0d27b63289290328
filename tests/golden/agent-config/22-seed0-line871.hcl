datacenter = "dc1"
data_dir = "/opt/nomad/data"
# TLS Configuration
tls {
http = true
rpc = true
ca_file = "/etc/nomad.d/certs/ca.pem"
cert_file = "/etc/nomad.d/certs/nomad.pem"
key_file = "/etc/nomad.d/certs/nomad-key.pem"
# Mutual TLS
verify_server_hostname = true
verify_https_client = true
# Strong ciphers only
tls_min_version = "tls12"
tls_cipher_suites = [
"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305",
"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
]
}
# ACLs Configuration
acl {
enabled = true
token_ttl = "30s"
policy_ttl = "60s"
# Bootstrap token (à changer après setup)
# nomad acl bootstrap
}
# Audit logging
audit {
enabled = true
sink "file" {
type = "file"
format = "json"
path = "/var/log/nomad/audit.log"
delivery_guarantee = "enforced"
rotate_bytes = 100000000 # 100MB
rotate_max_files = 10
}
}
