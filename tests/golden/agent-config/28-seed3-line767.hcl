server {
  default_scheduler_config {
    # スケジューラアルゴリズム
    scheduler_algorithm = "spread"  # or "binpack"

    # プリエンプション(優先度ベースの追い出し)
    preemption_config {
      batch_scheduler_enabled   = true
      system_scheduler_enabled  = true
      service_scheduler_enabled = true
      sysbatch_scheduler_enabled = true
    }

    # メモリオーバーサブスクリプション
    memory_oversubscription_enabled = true
  }
}
