// The dry runs of tests/golden/plan: a job is registered and runs, another form of it is planned, and the whole answer must be the
// recorded one. The server is the real one over a log in memory; the node says of each allocation at once that it runs.
#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>

#include "lib/jobspec/canonical.h"
#include "lib/jobspec/implied.h"
#include "lib/jobspec/validate.h"
#include "lib/model/codec.h"
#include "sdk/async/scope.h"
#include "server/server.h"
#include "tests/unit/support/golden.h"
#include "tests/unit/server/test_log.h"

using namespace drover;
namespace e = drover::wire::endpoints;

namespace {

constexpr const char* node_json = R"({"ID":"aaaaaaaa-0000-0000-0000-000000000001","SecretID":"11111111-2222-3333-4444-555555555555",
 "Datacenter":"dc1","Name":"golden-1","NodePool":"default","NodeClass":"golden","Status":"ready","SchedulingEligibility":"eligible",
 "Attributes":{"kernel.name":"linux","cpu.arch":"amd64","driver.mock_driver":"1","driver.raw_exec":"1","nomad.version":"2.0.6",
  "nomad.service_discovery":"true","plugins.secrets.nomad.version":"1.0.0",
  "os.signals":"SIGABRT,SIGALRM,SIGHUP,SIGINT,SIGKILL,SIGQUIT,SIGTERM,SIGUSR1,SIGUSR2"},
 "Meta":{"rack":"r1","zone":"z1","owner":"team-a"},
 "Drivers":{"mock_driver":{"Detected":true,"Healthy":true},"raw_exec":{"Detected":true,"Healthy":true}},
 "HostVolumes":{"scratch":{"Name":"scratch","Path":"/tmp"}},
 "NodeResources":{"Cpu":{"CpuShares":8000,"TotalCpuCores":2,"ReservableCpuCores":[0,1]},"Memory":{"MemoryMB":16000},"Disk":{"DiskMB":90000},
  "MinDynamicPort":20000,"MaxDynamicPort":32000,
  "Networks":[{"Mode":"host","Device":"lo","CIDR":"127.0.0.1/32","IP":"127.0.0.1","MBits":1000}],
  "NodeNetworks":[{"Mode":"host","Device":"lo","Speed":1000,"Addresses":[{"Family":"ipv4","Alias":"default","Address":"127.0.0.1"}]}],
  "Processors":{"Topology":{"Distances":[[10]],"Cores":[{"SocketID":0,"NodeID":0,"ID":0,"Grade":"performance","BaseSpeed":4000},
   {"SocketID":0,"NodeID":0,"ID":1,"Grade":"performance","BaseSpeed":4000}]}}},"ReservedResources":{}})";

struct Cluster {
  Cluster() : scope(io.get_executor()), clock(1'700'000'000'000'000'000) {
    ServerOptions options;
    options.tuning.num_schedulers = 1;
    options.seed = 7;
    options.clock = &clock;
    options.hooks.canonicalize = [](model::Job& job) {
      jobspec::canonicalize_server(job);
      jobspec::add_implied_constraints(job);
    };
    options.hooks.validate = [](const model::Job& job, bool memory_oversubscription) {
      jobspec::Validation found = jobspec::validate(job, {.memory_oversubscription = memory_oversubscription});
      return rpc::JobVerdict{std::move(found.errors), std::move(found.warnings)};
    };
    options.open_log = [](const ServerOptions&, fsm::Fsm& fsm, Executor executor) -> Result<std::unique_ptr<fsm::Log>> {
      return std::make_unique<TestLog>(fsm, std::move(executor));
    };
    auto started = Server::start(io.get_executor(), std::move(options));
    REQUIRE(started);
    server = std::move(*started);
    caller = std::make_unique<wire::LocalCaller>(server->registry());
  }
  void run(Async<> test) {
    scope.spawn(drive(std::move(test)));
    io.run();
  }
  Async<> drive(Async<> test) {
    co_await std::move(test);
    co_await server->shutdown();
  }

  asio::io_context io;
  Scope scope;
  ManualClock clock;
  std::unique_ptr<Server> server;
  std::unique_ptr<wire::LocalCaller> caller;
};

std::shared_ptr<const model::Job> job_of(const nlohmann::json& given) {
  auto job = jobspec::job_from_api_json(given.dump());
  REQUIRE_MESSAGE(job, (job ? "" : job.error().message()));
  return std::make_shared<const model::Job>(std::move(*job));
}

bool has_evals(const model::Job& job) { return !job.periodic && !job.parameterized_job; }

// Waits for the allocations and reports them as running and healthy.
Async<> let_it_run(Cluster& cluster, const model::Job& job) {
  model::JobAllocationsRequest query;
  query.id = job.id;
  query.min_query_index = 1;
  query.max_query_time = std::chrono::seconds(5);
  std::size_t wanted = 0;
  for (const auto& group : job.task_groups) wanted += static_cast<std::size_t>(group.count);
  model::ListReply<model::AllocListStub> found;
  while (found.items.size() < wanted) {
    auto answer = co_await cluster.caller->call(e::job_allocations, query);
    REQUIRE(answer);
    found = std::move(*answer);
    query.min_query_index = found.index;
  }
  model::NodeUpdateAllocRequest update;
  update.node_id = "aaaaaaaa-0000-0000-0000-000000000001";
  update.secret_id = "11111111-2222-3333-4444-555555555555";
  for (const auto& stub : found.items) {
    model::Allocation alloc;
    alloc.id = stub.id;
    alloc.client_status = "running";
    alloc.deployment_status.ensure().healthy = true;
    update.allocs.push_back(std::make_shared<const model::Allocation>(std::move(alloc)));
  }
  auto updated = co_await cluster.caller->call(e::node_update_alloc, std::move(update));
  REQUIRE(updated);
}

Async<> replay(Cluster& cluster, const nlohmann::json& test, nlohmann::json& got) {
  model::NodeRegisterRequest registration;
  model::Node node;
  REQUIRE(model::from_json(node_json, node));
  registration.node = std::make_shared<const model::Node>(std::move(node));
  auto registered = co_await cluster.caller->call(e::node_register, std::move(registration));
  REQUIRE_MESSAGE(registered, (registered ? "" : registered.error().message()));
  if (!test.at("old").is_null()) {
    const auto job = job_of(test["old"]);
    model::JobRegisterRequest request;
    request.job = job;
    auto stored = co_await cluster.caller->call(e::job_register, std::move(request));
    REQUIRE_MESSAGE(stored, (stored ? "" : stored.error().message()));
    if (has_evals(*job)) co_await let_it_run(cluster, *job);
  }
  model::JobPlanRequest request;
  request.job = job_of(test.at("new"));
  request.diff = true;
  auto answer = co_await cluster.caller->call(e::job_plan, std::move(request));
  if (answer) got = nlohmann::json::parse(model::to_json(*answer));
  else got = answer.error().message();
}

// The names of computed classes depend on every attribute of the recorded node.
void forget_class_names(nlohmann::json& plan) {
  if (!plan.is_object() || !plan["CreatedEvals"].is_array()) return;
  for (auto& eval : plan["CreatedEvals"]) {
    if (!eval.contains("ClassEligibility")) continue;
    auto values = nlohmann::json::array();
    for (const auto& [name, value] : eval["ClassEligibility"].items()) values.push_back(value);
    eval["ClassEligibility"] = std::move(values);
  }
}

}  // namespace

TEST_CASE("plan: every recorded dry run is answered alike") {
  if (!golden::has("plan")) return;
  golden::Tally tally("plan");
  for (const auto& stem : golden::stems(golden::topic("plan"), ".json")) {
    const auto test = golden::read_json(stem.string() + ".json");
    nlohmann::json got;
    {
      Cluster cluster;
      cluster.run(replay(cluster, test, got));
    }
    nlohmann::json want = test.contains("plan") ? test["plan"] : test["error"];
    forget_class_names(got);
    forget_class_names(want);
    if (got.is_object()) {
      for (const char* name : {"Index", "LastContact", "KnownLeader", "NextToken"}) got.erase(name);
    }
    tally.report(stem.filename().string(), golden::differences(got, want));
  }
}
