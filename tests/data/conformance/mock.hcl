# The mock driver runs no programs: its tasks are descriptions.
case "exit_0" {
  run_for = "10ms"
}
case "exit_7" {
  run_for   = "10ms"
  exit_code = 7
}
case "sleep" {
  run_for = "1h"
  exec_command {
    run_for = "10ms"
  }
}
case "stubborn" {
  run_for    = "1h"
  kill_after = "1s"
}
case "output" {
  run_for       = "10ms"
  stdout_string = "hello\n"
}
case "missing" {
  start_error = "no such thing"
}
