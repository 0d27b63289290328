// What reading a job file costs (W-18): a typical one of a hundred lines, and one of 1 MiB, to the API's JSON with every default.
// Usage: jobspec_bench
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <vector>

#include "lib/jobspec/canonical.h"
#include "lib/jobspec/parse.h"

using namespace drover;

namespace {

constexpr const char* group = R"(  group "g{0}" {{
    count = 2
    network {{
      port "http" {{ to = 8080 }}
    }}
    service {{
      name = "web-{0}"
      port = "http"
      tags = ["a", "b", "urlprefix-/{0}"]
      check {{
        type     = "http"
        path     = "/health"
        interval = "10s"
        timeout  = "2s"
      }}
    }}
    task "t" {{
      driver = "docker"
      config {{
        image = "example/web:${{local.version}}"
        ports = ["http"]
        args  = [for n in range(4) : format("--shard=%d", n)]
      }}
      env {{
        NAME  = upper("web-{0}")
        ADDR  = "${{NOMAD_ADDR_http}}"
      }}
      template {{
        destination = "local/app.conf"
        data        = <<EOT
listen {{{{ env "NOMAD_PORT_http" }}}}
EOT
      }}
      resources {{
        cpu    = 200
        memory = 256
      }}
    }}
  }}
)";

std::string job_of(int groups) {
  std::string out = "locals {\n  version = \"1.2.3\"\n}\njob \"bench\" {\n  datacenters = [\"dc1\"]\n";
  for (int i = 0; i < groups; i++) out += fmt::format(fmt::runtime(group), i);
  return out + "}\n";
}

double milliseconds(const std::string& source) {
  const auto start = std::chrono::steady_clock::now();
  jobspec::ParseInput input;
  input.source = source;
  auto job = jobspec::parse(input);
  if (!job) {
    fmt::print("not parsed: {}\n", job.error().message());
    return 0;
  }
  jobspec::canonicalize_api(*job);
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

void measure(const char* name, const std::string& source, int rounds) {
  std::vector<double> times;
  for (int i = 0; i < rounds; i++) times.push_back(milliseconds(source));
  std::ranges::sort(times);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  fmt::print("{:<16} {:>8} lines {:>8} KiB   median {:>7.2f} ms   peak of the process {} MiB\n", name, std::ranges::count(source, '\n'),
             source.size() / 1024, times[times.size() / 2], usage.ru_maxrss / 1024);
}

}  // namespace

int main() {
  measure("typical", job_of(2), 200);
  std::string large = job_of(1);
  for (int groups = 1; large.size() < (1u << 20); groups += 32) large = job_of(groups);
  measure("1 MiB", large, 5);
  return 0;
}
