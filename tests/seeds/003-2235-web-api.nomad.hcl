job "web-api" {
  namespace   = "production"
  datacenters = ["us-east-1"]
  type        = "service"

  # ...
}
