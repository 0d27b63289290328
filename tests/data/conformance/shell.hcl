# A driver that runs programs: every item can be checked.
config {
  command = "${shell}"
  args    = ["-c", "${script}"]
}
user = "nobody"
