job "ecommerce-platform" {
  datacenters = ["us-east-1", "us-east-2"]
  namespace   = "production"
  type        = "service"
  priority    = 70

  # アップデート戦略
  update {
    max_parallel     = 2
    canary           = 1
    min_healthy_time = "30s"
    healthy_deadline = "5m"
    auto_revert      = true
    auto_promote     = true
  }

  # フロントエンド
  group "frontend" {
    count = 4

    spread {
      attribute = "${meta.zone}"
    }

    network {
      mode = "bridge"
      port "http" { to = 3000 }
    }

    service {
      name = "ecommerce-frontend"
      port = "3000"

      connect {
        sidecar_service {
          proxy {
            upstreams {
              destination_name = "ecommerce-api"
              local_bind_port  = 8080
            }
          }
        }
      }

      check {
        type     = "http"
        path     = "/health"
        interval = "10s"
        timeout  = "3s"
      }
    }

    task "frontend" {
      driver = "docker"

      config {
        image = "registry.example.com/ecommerce-frontend:v3.2.1"
      }

      env {
        API_URL      = "http://localhost:8080"
        NODE_ENV     = "production"
      }

      resources {
        cpu    = 500
        memory = 256
      }
    }
  }

  # バックエンド API
  group "api" {
    count = 6

    spread {
      attribute = "${meta.zone}"
    }

    network {
      mode = "bridge"
      port "http" { to = 8080 }
      port "grpc" { to = 9090 }
    }

    service {
      name = "ecommerce-api"
      port = "8080"

      connect {
        sidecar_service {
          proxy {
            upstreams {
              destination_name = "postgres"
              local_bind_port  = 5432
            }
            upstreams {
              destination_name = "redis"
              local_bind_port  = 6379
            }
            upstreams {
              destination_name = "elasticsearch"
              local_bind_port  = 9200
            }
          }
        }
      }

      check {
        type     = "http"
        path     = "/api/health"
        interval = "10s"
        timeout  = "3s"
      }
    }

    task "api" {
      driver = "docker"

      config {
        image = "registry.example.com/ecommerce-api:v3.2.1"
      }

      vault {
        policies = ["ecommerce-api"]
      }

      template {
        data = <<-EOF
          {{- with secret "secret/data/ecommerce/api" }}
          JWT_SECRET={{ .Data.data.jwt_secret }}
          STRIPE_KEY={{ .Data.data.stripe_key }}
          {{- end }}

          {{- with secret "database/creds/ecommerce-api" }}
          DB_URL=postgresql://{{ .Data.username }}:{{ .Data.password }}@localhost:5432/ecommerce
          {{- end }}

          REDIS_URL=redis://localhost:6379
          ELASTICSEARCH_URL=http://localhost:9200
        EOF
        destination = "secrets/env.txt"
        env         = true
      }

      resources {
        cpu    = 1000
        memory = 512
      }

      # オートスケーリング
      scaling "cpu" {
        enabled = true
        min     = 4
        max     = 20

        policy {
          check "cpu" {
            source = "prometheus"
            query  = "avg(nomad_client_allocs_cpu_total_percent{task='api'})"
            strategy "target-value" {
              target = 70
            }
          }
        }
      }
    }
  }
}
