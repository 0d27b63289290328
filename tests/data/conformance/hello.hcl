# Greetings are all that this driver knows, and they end with it.
case "exit_0" {
  greeting = "good morning"
}
case "sleep" {
  greeting = "good night"
  seconds  = 600
}
case "output" {
  greeting = "good evening"
}
case "missing" {
  greeting = ""
}
in_process = true
