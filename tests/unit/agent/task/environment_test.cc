#include "agent/task/environment.h"

#include <doctest/doctest.h>

using namespace drover;
using namespace drover::agent;

namespace {
model::NetworkResource network(const std::string& ip, const std::string& label, std::int64_t port) {
  model::NetworkResource out;
  out.ip = ip;
  model::Port one;
  one.label = label;
  one.value = port;
  out.dynamic_ports.push_back(one);
  return out;
}

// Task "web" and its sibling "db", each with a network block of its own.
struct Case {
  model::Allocation alloc;
  model::TaskGroup group;
  model::Task task;
  model::Node node;

  Case() {
    task.name = "web";
    auto& resources = alloc.allocated_resources.ensure();
    resources.tasks["web"].networks.push_back(network("10.1.0.1", "http", 20001));
    resources.tasks["web"].networks.push_back(network("fd00::1", "admin-ui", 20002));
    resources.tasks["db"].networks.push_back(network("10.1.0.1", "sql", 20003));
  }
  [[nodiscard]] Environment build(model::Map<std::int64_t> driver_ports = {}) const {
    EnvironmentInput input{.alloc = alloc, .group = group, .task = task, .node = node, .region = "global"};
    input.driver_ports = std::move(driver_ports);
    return build_environment(input);
  }
};
}  // namespace

TEST_CASE("environment: ports of a task's own network, and those of its siblings") {
  const Environment env = Case().build();
  CHECK(env.at("NOMAD_IP_http") == "10.1.0.1");
  CHECK(env.at("NOMAD_IPv4_http") == "10.1.0.1");
  CHECK(env.at("NOMAD_PORT_http") == "20001");
  CHECK(env.at("NOMAD_HOST_PORT_http") == "20001");
  CHECK(env.at("NOMAD_ADDR_http") == "10.1.0.1:20001");
  CHECK(env.at("NOMAD_IPv6_admin-ui") == "fd00::1");
  CHECK(env.at("NOMAD_ADDR_admin_ui") == "[fd00::1]:20002");
  CHECK(env.at("NOMAD_ADDR_db_sql") == "10.1.0.1:20003");
  CHECK(env.at("NOMAD_PORT_db_sql") == "20003");
  CHECK(env.count("NOMAD_PORT_sql") == 0);
  CHECK(env.count("NOMAD_PORT_web_http") == 0);
}

TEST_CASE("environment: a port that the driver maps is the one inside, and the address stays the host's") {
  const Environment env = Case().build({{"http", 8080}, {"sql", 5432}, {"nowhere", 1}});
  CHECK(env.at("NOMAD_PORT_http") == "8080");
  CHECK(env.at("NOMAD_HOST_PORT_http") == "20001");
  CHECK(env.at("NOMAD_ADDR_http") == "10.1.0.1:20001");
  CHECK(env.at("NOMAD_PORT_admin_ui") == "20002");
  // Another task's port, and a label nobody has.
  CHECK(env.at("NOMAD_PORT_db_sql") == "20003");
  CHECK(env.count("NOMAD_PORT_nowhere") == 0);
}

TEST_CASE("environment: a label of the group goes by the group's block, whatever the driver maps") {
  Case given;
  model::AllocatedPortMapping port;
  port.label = "http";
  port.value = 25000;
  port.to = 80;
  port.host_ip = "10.9.9.9";
  given.alloc.allocated_resources->shared.ports.push_back(port);
  const Environment env = given.build({{"http", 8080}});
  CHECK(env.at("NOMAD_PORT_http") == "80");
  CHECK(env.at("NOMAD_ADDR_http") == "10.9.9.9:25000");
}
