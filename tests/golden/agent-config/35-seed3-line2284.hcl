telemetry {
  publish_allocation_metrics = true
  publish_node_metrics       = true

  # Prometheus エンドポイント
  prometheus_metrics = true

  # StatsD
  statsd_address = "statsd.service.consul:8125"

  # Datadog
  datadog_address = "localhost:8125"
  datadog_tags    = ["env:production", "service:nomad"]

  # メトリクス収集間隔
  collection_interval = "10s"

  # メトリクスプレフィックス
  disable_hostname = true
}
