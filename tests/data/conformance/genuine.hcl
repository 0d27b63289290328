# The driver of tests/interop/go: it runs programs, and they end with it.
config {
  command = "${shell}"
  args    = ["-c", "${script}"]
}
in_process = true
