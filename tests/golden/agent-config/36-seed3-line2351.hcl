log_level  = "INFO"
log_file   = "/var/log/nomad/nomad.log"
log_rotate_bytes    = 104857600  # 100MB
log_rotate_duration = "24h"
log_rotate_max_files = 10
log_json   = true

# syslog 出力
enable_syslog   = true
