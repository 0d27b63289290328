# How `drover plugin conformance` runs a task: ${shell} and ${script} are filled in by the suite.
config {
  command = "${shell}"
  args    = ["-c", "${script}"]
}
user = "nobody"
