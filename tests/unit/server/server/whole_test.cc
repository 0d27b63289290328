// The server as it is composed for production: our raft, the real scheduler; only the disk's place differs.
#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>

#include "sdk/async/scope.h"
#include "sdk/base/file.h"
#include "server/server.h"

using namespace drover;
namespace e = drover::wire::endpoints;
using namespace std::chrono_literals;

namespace {

const std::string node_id = "aaaaaaaa-0000-0000-0000-000000000001";

std::shared_ptr<const model::Node> make_node() {
  auto node = std::make_shared<model::Node>();
  node->id = node_id;
  node->secret_id = "secret";
  node->datacenter = "dc1";
  node->name = "n1";
  node->status = "ready";
  node->attributes["driver.raw_exec"] = "1";
  node->attributes["kernel.name"] = "linux";
  node->drivers["raw_exec"].detected = true;
  node->drivers["raw_exec"].healthy = true;
  auto& resources = node->node_resources.ensure();
  resources.cpu.cpu_shares = 4000;
  resources.cpu.total_cpu_cores = 2;
  resources.memory.memory_mb = 4000;
  resources.disk.disk_mb = 50'000;
  model::NetworkResource network;
  network.mode = "host";
  network.device = "lo";
  network.ip = "127.0.0.1";
  network.cidr = "127.0.0.1/32";
  resources.networks.push_back(std::move(network));
  return node;
}

std::shared_ptr<const model::Job> make_job() {
  auto job = std::make_shared<model::Job>();
  job->id = job->name = "web";
  job->type = "batch";
  job->priority = 50;
  job->node_pool = "default";
  job->datacenters.push_back("dc1");
  model::TaskGroup group;
  group.name = "g";
  group.count = 3;
  group.ephemeral_disk.ensure().size_mb = 10;
  model::Task task;
  task.name = "t";
  task.driver = "raw_exec";
  auto& resources = task.resources.ensure();
  resources.cpu = 100;
  resources.memory_mb = 64;
  group.tasks.push_back(std::move(task));
  job->task_groups.push_back(std::move(group));
  return job;
}

Async<> first_life(Server& server, std::size_t& placed) {
  wire::LocalCaller caller(server.registry());
  model::NodeRegisterRequest node;
  node.node = make_node();
  auto registered = co_await caller.call(e::node_register, std::move(node));
  REQUIRE(registered);
  model::JobRegisterRequest job;
  job.job = make_job();
  auto stored = co_await caller.call(e::job_register, std::move(job));
  REQUIRE(stored);
  model::NodeClientAllocsRequest allocs;
  allocs.node_id = node_id;
  allocs.secret_id = "secret";
  allocs.min_query_index = 1;
  allocs.max_query_time = 10s;
  auto answer = co_await caller.call(e::node_client_allocs, std::move(allocs));
  REQUIRE(answer);
  placed = answer->changed.size();
  co_await server.shutdown();
}

Async<> second_life(Server& server, std::size_t& found, std::string& status) {
  wire::LocalCaller caller(server.registry());
  model::JobAllocationsRequest request;
  request.id = "web";
  auto answer = co_await caller.call(e::job_allocations, std::move(request));
  REQUIRE(answer);
  found = answer->items.size();
  model::ObjectRequest job;
  job.id = "web";
  auto stored = co_await caller.call(e::job_get, std::move(job));
  status = stored->item ? stored->item->status : "";
  co_await server.shutdown();
}

template <class F>
void live(const std::string& data_dir, bool dev, F life) {
  asio::io_context io;
  Scope scope(io.get_executor());
  ServerOptions options;
  options.dev = dev;
  options.data_dir = data_dir;
  options.tuning.num_schedulers = 1;
  auto server = Server::start(io.get_executor(), std::move(options));
  REQUIRE(server);
  scope.spawn(life(**server));
  io.run();
}

}  // namespace

TEST_CASE("server: in memory, a job reaches the node through raft and the real scheduler") {
  std::size_t placed = 0;
  live("", true, [&](Server& server) { return first_life(server, placed); });
  CHECK(placed == 3);
}

TEST_CASE("server: F-36 what was acknowledged is there after a restart") {
  auto directory = TempDir::make();
  REQUIRE(directory);
  std::size_t placed = 0;
  std::size_t found = 0;
  std::string status;
  live(directory->path(), false, [&](Server& server) { return first_life(server, placed); });
  live(directory->path(), false, [&](Server& server) { return second_life(server, found, status); });
  CHECK(placed == 3);
  CHECK(found == 3);
  CHECK(status == "running");
}
