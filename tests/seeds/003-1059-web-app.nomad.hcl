job "web-app" {
  group "frontend" {
    network {
      mode = "bridge"
      port "http" {
        to = 3000
      }
    }

    service {
      name = "frontend"
      port = "3000"

      connect {
        sidecar_service {
          proxy {
            # バックエンド API への接続
            upstreams {
              destination_name = "backend-api"
              local_bind_port  = 8080
            }

            # Redis への接続
            upstreams {
              destination_name = "redis"
              local_bind_port  = 6379
            }

            # プロキシ設定
            config {
              protocol                  = "http"
              local_connect_timeout_ms  = 5000
              handshake_timeout_ms      = 10000
            }

            # Envoy の公開設定
            expose {
              path {
                path            = "/health"
                protocol        = "http"
                local_path_port = 3000
                listener_port   = "http"
              }
            }
          }
        }

        # サイドカータスクのリソース
        sidecar_task {
          resources {
            cpu    = 100
            memory = 128
          }
        }
      }
    }

    task "frontend" {
      driver = "docker"
      config {
        image = "registry.example.com/frontend:v2.0"
      }

      env {
        BACKEND_URL = "http://${NOMAD_UPSTREAM_ADDR_backend_api}"
        REDIS_URL   = "redis://${NOMAD_UPSTREAM_ADDR_redis}"
      }

      resources {
        cpu    = 500
        memory = 256
      }
    }
  }
}
