job "web-api" {
  group "api" {
    count = 3

    scaling {
      enabled = true
      min     = 2
      max     = 20

      policy {
        # Prometheus メトリクスに基づくスケーリング
        evaluation_interval = "30s"
        cooldown            = "3m"

        check "cpu_usage" {
          source = "prometheus"
          query  = "avg(nomad_client_allocs_cpu_total_percent{task='api-server'})"

          strategy "target-value" {
            target = 70  # CPU 使用率 70% を目標
          }
        }

        check "request_rate" {
          source = "prometheus"
          query  = "sum(rate(http_requests_total{service='web-api'}[5m]))"

          strategy "target-value" {
            target = 1000  # 1000 req/s を目標
          }
        }

        # Datadog メトリクスに基づくスケーリング
        check "queue_depth" {
          source = "datadog"
          query  = "avg:queue.depth{service:web-api}"

          strategy "threshold" {
            upper_bound = 100
            lower_bound = 10
            delta       = 2
          }
        }
      }
    }

    task "api-server" {
      driver = "docker"
      config {
        image = "registry.example.com/web-api:v2.1.0"
      }

      resources {
        cpu    = 1000
        memory = 512
      }
    }
  }
}
