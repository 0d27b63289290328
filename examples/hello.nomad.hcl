# A service that says hello, tells when its first instruction ran, and stays.
variable "driver" {
  type    = string
  default = "exec"
}

job "hello" {
  group "hello" {
    task "greet" {
      driver = var.driver

      config {
        command = "/bin/sh"
        args    = ["-c", "date +%s.%N; echo \"hello from task $NOMAD_TASK_NAME of job $NOMAD_JOB_NAME, process $$\"; exec sleep 86400"]
      }

      resources {
        cpu    = 50
        memory = 32
      }
    }
  }
}
