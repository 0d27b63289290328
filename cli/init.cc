// job init, node pool init, var init and volume init: a file to start from, in the working directory.
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include "cli/api_client.h"
#include "cli/commands.h"
#include "sdk/base/file.h"
#include "sdk/base/text.h"

namespace drover::cli {
namespace {
constexpr std::string_view job_short = R"(job "example" {
  group "cache" {
    network {
      port "db" {
        to = 6379
      }
    }

    task "redis" {
      driver = "docker"

      config {
        image = "redis:7"
        ports = ["db"]
      }

      resources {
        cpu    = 500
        memory = 256
      }
    }
  }
}
)";

constexpr std::string_view job_long = R"(# A job is what runs: groups of tasks that are placed together on one node.
job "example" {
  # service: kept running. batch: runs to its end. system: one on every node that fits.
  type = "service"

  # Names or globs of the datacenters to place in.
  datacenters = ["*"]

  # How instances are replaced when the job changes.
  update {
    max_parallel     = 1
    min_healthy_time = "10s"
    healthy_deadline = "3m"
  }

  group "cache" {
    # How many instances run.
    count = 1

    network {
      # A free port of the node, forwarded to the port in the task.
      port "db" {
        to = 6379
      }
    }

    # What happens when a task ends on its own: this often within the interval, then as mode says.
    restart {
      attempts = 2
      interval = "30m"
      delay    = "15s"
      mode     = "fail"
    }

    # Space the tasks of an instance share.
    ephemeral_disk {
      size = 300 # MB
    }

    service {
      name     = "redis-cache"
      provider = "nomad"
      port     = "db"
    }

    task "redis" {
      # What runs the task; "drover node status -verbose <node>" shows which drivers a node has.
      driver = "docker"

      config {
        image = "redis:7"
        ports = ["db"]
      }

      # What the task is given of the node.
      resources {
        cpu    = 500 # MHz
        memory = 256 # MB
      }
    }
  }
}
)";

constexpr std::string_view job_connect = R"(# Two services that talk through sidecar proxies of the service mesh.
job "countdash" {
  group "api" {
    network {
      mode = "bridge"
    }

    service {
      name = "count-api"
      port = "9001"

      connect {
        sidecar_service {}
      }
    }

    task "web" {
      driver = "docker"

      config {
        image = "hashicorpdev/counter-api:v3"
      }
    }
  }

  group "dashboard" {
    network {
      mode = "bridge"

      port "http" {
        static = 9002
        to     = 9002
      }
    }

    service {
      name = "count-dashboard"
      port = "http"

      connect {
        sidecar_service {
          proxy {
            upstreams {
              destination_name = "count-api"
              local_bind_port  = 8080
            }
          }
        }
      }
    }

    task "dashboard" {
      driver = "docker"

      env {
        COUNTING_SERVICE_URL = "http://${NOMAD_UPSTREAM_ADDR_count_api}"
      }

      config {
        image = "hashicorpdev/counter-dashboard:v3"
      }
    }
  }
}
)";

constexpr std::string_view pool_hcl = R"(# A node belongs to the pool its configuration names; jobs choose a pool with node_pool.
node_pool "example" {
  description = "Example node pool"

  # Free text for people and scripts.
  meta {
    environment = "test"
    owner       = "me"
  }
}
)";

constexpr std::string_view pool_json = R"({
  "Name": "example",
  "Description": "Example node pool",
  "Meta": {
    "environment": "test",
    "owner": "me"
  }
}
)";

constexpr std::string_view variable_hcl = R"(# Where the variable is kept. A task may read nomad/jobs/<job>/<group>/<task> of its own without a policy.
path = "path/to/variable"

# namespace = "default"

# The values, all of them text.
items {
  key1 = "value 1"
  key2 = "value 2"
}
)";

constexpr std::string_view variable_json = R"({
  "Namespace": "default",
  "Path": "path/to/variable",
  "Items": {
    "key1": "value 1",
    "key2": "value 2"
  }
}
)";

constexpr std::string_view volume_csi_hcl = R"(id        = "ebs_prod_db1"
namespace = "default"
name      = "database"
type      = "csi"
plugin_id = "plugin_id"

# The size asked for; the storage provider may give more.
capacity_min = "10GiB"
capacity_max = "20G"

# How the volume may be claimed.
capability {
  access_mode     = "single-node-writer"
  attachment_mode = "file-system"
}

# How a volume of the file-system mode is mounted.
mount_options {
  fs_type     = "ext4"
  mount_flags = ["noatime"]
}
)";

constexpr std::string_view volume_host_hcl = R"(name      = "example"
namespace = "default"
type      = "host"

# The plugin on the node that makes the volume.
plugin_id = "mkdir"

# Where to make it; without these the scheduler chooses.
# node_pool = "default"
# constraint {
#   attribute = "${attr.kernel.name}"
#   value     = "linux"
# }

capacity_min = "10GiB"
capacity_max = "20G"

# How the volume may be claimed.
capability {
  access_mode     = "single-node-single-writer"
  attachment_mode = "file-system"
}
)";

constexpr std::string_view volume_csi_json = R"({
  "id": "ebs_prod_db1",
  "namespace": "default",
  "name": "database",
  "type": "csi",
  "plugin_id": "plugin_id",
  "capacity_min": "10GiB",
  "capacity_max": "20G",
  "capability": [
    {
      "access_mode": "single-node-writer",
      "attachment_mode": "file-system"
    }
  ]
}
)";

constexpr std::string_view volume_host_json = R"({
  "name": "example",
  "namespace": "default",
  "type": "host",
  "plugin_id": "mkdir",
  "capacity_min": "10GiB",
  "capacity_max": "20G",
  "capability": [
    {
      "access_mode": "single-node-single-writer",
      "attachment_mode": "file-system"
    }
  ]
}
)";

bool exists(const std::string& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) == 0;
}

int write_example(Context& context, const std::string& path, std::string_view text, std::string_view what) {
  if (auto written = write_file(path, text); !written) return context.failed(fmt::format("Failed to write {}: {}", quote(path), written.error().message()));
  context.ui.out(fmt::format("Example {} written to {}", what, path));
  return 0;
}

class JobInit final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.boolean("short", short_, "Without comments.");
    set.boolean("connect", connect_, "With services of a service mesh.");
    set.text("template", template_, "Take the text from the variable nomad/job-templates/<name>.");
    set.boolean("list-templates", list_, "List the templates there are.");
  }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() > 1) return context.usage_error("This command takes either no arguments or one: <filename>");
    if (list_) return list_templates(context);
    const std::string path = arguments.empty() ? "example.nomad.hcl" : arguments[0];
    if (exists(path)) return context.failed(fmt::format("Job '{}' already exists", path));
    if (template_.empty()) return write_example(context, path, connect_ ? job_connect : short_ ? job_short : job_long, "job file");
    auto answer = context.api().get("/v1/var/nomad/job-templates/" + escape(template_));
    if (!answer) return context.failed(fmt::format("Error querying variable: {}", answer.error().message()));
    const auto variable = nlohmann::json::parse(answer->body, nullptr, false);
    const std::string text = variable.is_object() ? variable.value("/Items/template"_json_pointer, std::string()) : "";
    if (text.empty()) return context.failed(fmt::format("Template {} has no item \"template\"", quote(template_)));
    return write_example(context, path, text, "job file");
  }

 private:
  static int list_templates(Context& context) {
    auto answer = context.api().get("/v1/vars", {{"prefix", "nomad/job-templates"}});
    if (!answer) return context.failed(fmt::format("Error retrieving job templates from the server: {}", answer.error().message()));
    const auto variables = nlohmann::json::parse(answer->body, nullptr, false);
    if (!variables.is_array() || variables.empty()) return context.failed("No variables in nomad/job-templates");
    context.ui.out("Use nomad job init -template=<template> with any of the following:");
    for (const auto& variable : variables) {
      const std::string path = variable.value("Path", "");
      context.ui.out("  " + path.substr(path.rfind('/') + 1));
    }
    return 0;
  }

  bool short_ = false, connect_ = false, list_ = false;
  std::string template_;
};

// node pool init and var init: HCL or JSON by `-out`.
class SpecInit final : public Command {
 public:
  struct Spec {
    std::string_view hcl, json, what, hcl_name, json_name;
  };
  explicit SpecInit(Spec spec) : spec_(spec) {}
  void flags(FlagSet& set) override {
    set.text("out", out_, "hcl or json.");
    set.boolean("quiet", quiet_, "Say nothing when the file is written.");
  }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() > 1) return context.usage_error("This command takes no arguments or one: <filename>");
    if (out_ != "hcl" && out_ != "json") return context.failed(fmt::format("Unsupported output type {}: use \"hcl\" or \"json\"", quote(out_)));
    const std::string path = !arguments.empty() ? arguments[0] : std::string(out_ == "hcl" ? spec_.hcl_name : spec_.json_name);
    if (exists(path)) return context.failed(fmt::format("File {} already exists", quote(path)));
    const std::string_view text = out_ == "hcl" ? spec_.hcl : spec_.json;
    if (!quiet_) return write_example(context, path, text, spec_.what);
    auto written = write_file(path, text);
    return written ? 0 : context.failed(fmt::format("Failed to write {}: {}", quote(path), written.error().message()));
  }

 private:
  Spec spec_;
  std::string out_ = "hcl";
  bool quiet_ = false;
};

class VolumeInit final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.boolean("json", json_, "Write JSON instead of HCL.");
    set.text("type", type_, "csi or host.");
  }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() > 1) return context.usage_error("This command takes no arguments or one: <filename>");
    if (type_ != "csi" && type_ != "host") return context.failed(fmt::format("Unsupported volume type {}: use \"csi\" or \"host\"", quote(type_)));
    const std::string path = !arguments.empty() ? arguments[0] : json_ ? "volume.json" : "volume.hcl";
    if (exists(path)) return context.failed(fmt::format("File {} already exists", quote(path)));
    const bool host = type_ == "host";
    return write_example(context, path, json_ ? (host ? volume_host_json : volume_csi_json) : host ? volume_host_hcl : volume_csi_hcl, "volume specification");
  }

 private:
  bool json_ = false;
  std::string type_ = "csi";
};
}  // namespace

std::unique_ptr<Command> make_job_init() { return std::make_unique<JobInit>(); }
std::unique_ptr<Command> make_node_pool_init() {
  return std::make_unique<SpecInit>(SpecInit::Spec{pool_hcl, pool_json, "node pool specification", "pool.nomad.hcl", "pool.nomad.json"});
}
std::unique_ptr<Command> make_var_init() {
  return std::make_unique<SpecInit>(SpecInit::Spec{variable_hcl, variable_json, "variable specification", "spec.nv.hcl", "spec.nv.json"});
}
std::unique_ptr<Command> make_volume_init() { return std::make_unique<VolumeInit>(); }

}  // namespace drover::cli
