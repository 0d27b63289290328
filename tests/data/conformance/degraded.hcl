allow_degraded = true
