job "data-processing" {
datacenters = ["dc1"]
type = "batch"
# Parameterized job
parameterized {
payload = "required"
meta_required = ["input_file", "output_bucket"]
}
group "processor" {
count = 1
restart {
attempts = 2
delay = "30s"
mode = "fail"
}
task "process" {
driver = "docker"
config {
image = "python:3.11-slim"
command = "python"
args = ["process.py", "${NOMAD_META_input_file}"]
}
# Script artifact
artifact {
source = "s3://my-bucket/scripts/process.py"
destination = "local/"
}
# AWS credentials from Vault
vault {
policies = ["data-processor"]
}
template {
data = <<EOH
{{with secret "aws/creds/data-processor"}}
AWS_ACCESS_KEY_ID="{{.Data.access_key}}"
AWS_SECRET_ACCESS_KEY="{{.Data.secret_key}}"
{{end}}
OUTPUT_BUCKET="${NOMAD_META_output_bucket}"
EOH
destination = "secrets/aws.env"
env = true
}
resources {
cpu = 1000
memory = 2048
}
}
}
}
