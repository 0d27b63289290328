// A cluster of simulated nodes against a real server: registration, heartbeats, queries for allocations and reports of their states, all
// over the RPC that agents use; the tasks alone are missing. Jobs are registered over the same RPC. Measured is the time from the first
// registration of a job until the servers have stored every allocation as running.
// Usage: cluster-load host:port nodes jobs count [pid of the server [seconds of heartbeats]]
// With a pid: processor time and memory of the server. With seconds: what the heartbeats and parked queries cost afterwards.
#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <unistd.h>

#include "bench/many_tasks.h"
#include "lib/wire/remote_caller.h"
#include "sdk/async/event.h"
#include "sdk/async/scope.h"
#include "sdk/base/clock.h"
#include "sdk/base/uuid.h"

namespace {

using namespace drover;
namespace e = wire::endpoints;
using Seconds = std::chrono::duration<double>;

constexpr std::size_t nodes_per_connection = 100;
constexpr int registrations_at_once = 16;

double seconds_since(std::chrono::steady_clock::time_point start) { return Seconds(std::chrono::steady_clock::now() - start).count(); }

// User and system time of a process in seconds, and its resident memory in MiB.
struct Use {
  double seconds = 0;
  double memory = 0;
};
Use use_of(int pid) {
  Use out;
  if (pid == 0) return out;
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string text((std::istreambuf_iterator<char>(file)), {});
  text.erase(0, text.rfind(')') + 2);
  std::istringstream fields(text);
  std::vector<std::string> all;
  for (std::string field; fields >> field;) all.push_back(field);
  if (all.size() < 22) return out;
  out.seconds = (std::stod(all[11]) + std::stod(all[12])) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  out.memory = std::stod(all[21]) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1 << 20);
  return out;
}

class Load {
 public:
  Load(std::string server, int nodes, int jobs, std::int64_t count, int pid, int idle)
      : server_(std::move(server)), jobs_(jobs), count_(count), pid_(pid), idle_(idle), scope_(loop_.get_executor()), changed_(loop_.get_executor()) {
    for (int i = 0; i < nodes; ++i) {
      if (static_cast<std::size_t>(i) % nodes_per_connection == 0) {
        callers_.push_back(std::make_unique<wire::RemoteCaller>(loop_.get_executor(), std::vector{server_}));
      }
      nodes_.push_back({.number = i, .id = make_uuid(rng_), .secret = make_uuid(rng_), .caller = callers_.back().get()});
    }
  }

  int run() {
    scope_.spawn(drive());
    loop_.run();
    return failed_ ? 1 : 0;
  }

 private:
  struct SimulatedNode {
    int number = 0;
    std::string id, secret;
    wire::Caller* caller = nullptr;
    std::chrono::nanoseconds ttl{};
  };

  void stop(const Error& error) {
    fmt::print(stderr, "{}\n", error.message());
    failed_ = true;
    loop_.stop();
  }

  Async<> drive() {
    auto start = std::chrono::steady_clock::now();
    Use before = use_of(pid_);
    std::size_t next = 0;
    for (int i = 0; i < registrations_at_once; ++i) scope_.spawn(register_nodes(next));
    while (registered_ < nodes_.size()) co_await changed_.wait();
    fmt::print("{} nodes registered in {:.1f} s, {:.1f} s of the server\n", nodes_.size(), seconds_since(start), use_of(pid_).seconds - before.seconds);

    start = std::chrono::steady_clock::now();
    before = use_of(pid_);
    const auto wanted = static_cast<std::uint64_t>(jobs_) * static_cast<std::uint64_t>(count_);
    int job = 0;
    for (int i = 0; i < registrations_at_once; ++i) scope_.spawn(register_jobs(job));
    while (submitted_ < jobs_) co_await changed_.wait();
    const double submitted = seconds_since(start);
    while (running_ < wanted) co_await changed_.wait();
    const double took = seconds_since(start);
    const Use after = use_of(pid_);
    fmt::print("{} allocations running after {:.2f} s ({:.2f} s until all jobs were registered): {:.0f}/s\n", wanted, took, submitted,
               static_cast<double>(wanted) / took);
    fmt::print("server: {:.2f} s of processor time, {:.1f} us an allocation; {:.0f} MiB resident, {:.0f} bytes of growth an allocation; this program: {:.2f} s\n",
               after.seconds - before.seconds, (after.seconds - before.seconds) * 1e6 / static_cast<double>(wanted), after.memory,
               (after.memory - before.memory) * (1 << 20) / static_cast<double>(wanted), use_of(::getpid()).seconds);
    if (idle_ > 0) {
      const Use quiet = use_of(pid_);
      const auto beats = heartbeats_;
      co_await sleep_for(std::chrono::seconds(idle_));
      fmt::print("{} heartbeats in {} s: {:.2f} % of a core\n", heartbeats_ - beats, idle_, (use_of(pid_).seconds - quiet.seconds) / idle_ * 100);
    }
    loop_.stop();
  }

  Async<> register_nodes(std::size_t& next) {
    while (next < nodes_.size()) {
      SimulatedNode& self = nodes_[next++];
      auto node = std::make_shared<model::Node>();
      node->id = self.id;
      node->secret_id = self.secret;
      node->name = fmt::format("node-{}", self.number);
      node->datacenter = "dc1";
      node->status = "ready";
      node->attributes["kernel.name"] = "linux";
      node->attributes["driver.mock_driver"] = "1";
      node->drivers["mock_driver"] = {.detected = true, .healthy = true};
      auto& resources = node->node_resources.ensure();
      resources.cpu.cpu_shares = 4000;  // room for 200 allocations
      resources.cpu.total_cpu_cores = 4;
      resources.memory.memory_mb = 8000;
      resources.disk.disk_mb = 100'000;
      resources.networks.push_back({.mode = "host", .device = "eth0", .cidr = "192.168.0.100/32", .ip = "192.168.0.100", .m_bits = 1000});
      model::NodeRegisterRequest request;
      request.node = std::move(node);
      auto reply = co_await self.caller->call(e::node_register, std::move(request));
      if (!reply) co_return stop(reply.error());
      self.ttl = reply->heartbeat_ttl;
      ++registered_;
      changed_.notify_all();
      scope_.spawn(heartbeat(self));
      scope_.spawn(follow(self));
    }
  }

  Async<> register_jobs(int& next) {
    while (next < jobs_) {
      model::JobRegisterRequest request;
      // A service would have a deployment, which waits for reports of health.
      request.job = std::make_shared<const model::Job>(many_tasks(next++, "batch", count_));
      auto reply = co_await callers_.front()->call(e::job_register, std::move(request));
      if (!reply) co_return stop(reply.error());
      ++submitted_;
      changed_.notify_all();
    }
  }

  Async<> heartbeat(SimulatedNode& self) {
    for (;;) {
      co_await sleep_for(self.ttl / 2 + std::chrono::nanoseconds(rng_.below(static_cast<std::uint64_t>(self.ttl.count() / 4 + 1))));
      model::NodeUpdateStatusRequest request;
      request.node_id = self.id;
      request.secret_id = self.secret;
      request.status = "ready";
      auto reply = co_await self.caller->call(e::node_update_status, std::move(request));
      if (!reply) co_return stop(reply.error());
      ++heartbeats_;
      self.ttl = reply->heartbeat_ttl;
    }
  }

  // Asks for allocations and reports each as running: at once what one answer brings, as a client's sender does.
  Async<> follow(SimulatedNode& self) {
    std::uint64_t index = 0;
    std::map<std::string, std::uint64_t, std::less<>> known;
    for (;;) {
      model::NodeClientAllocsRequest request;
      request.node_id = self.id;
      request.secret_id = self.secret;
      request.min_query_index = index;
      request.max_query_time = std::chrono::minutes(5);
      request.allow_stale = index != 0;
      auto reply = co_await self.caller->call(e::node_client_allocs, std::move(request));
      if (!reply) co_return stop(reply.error());
      model::AllocGetRequest missing;
      std::vector<std::string> fresh;
      for (const auto& alloc : reply->changed) {
        if (known.emplace(alloc->id, alloc->alloc_modify_index).second) fresh.push_back(alloc->id);
      }
      for (const auto& [id, modified] : reply->alloc_modify_indexes) {
        if (!known.contains(id)) missing.alloc_ids.push_back(id);
      }
      if (!missing.alloc_ids.empty()) {
        auto pulled = co_await self.caller->call(e::alloc_get_many, std::move(missing));
        if (!pulled) co_return stop(pulled.error());
        for (const auto& alloc : pulled->items) {
          if (known.emplace(alloc->id, alloc->alloc_modify_index).second) fresh.push_back(alloc->id);
        }
      }
      index = reply->index;
      if (fresh.empty()) continue;
      model::NodeUpdateAllocRequest update;
      update.node_id = self.id;
      update.secret_id = self.secret;
      model::Map<model::TaskState> states;
      states["task"] = running_task(system_clock().unix_nanos());
      for (auto& id : fresh) {
        auto alloc = std::make_shared<model::Allocation>();
        alloc->id = std::move(id);
        alloc->node_id = self.id;
        alloc->client_status = "running";
        alloc->client_description = "Tasks are running";
        alloc->task_states = states;
        update.allocs.push_back(std::move(alloc));
      }
      const std::size_t told = fresh.size();
      auto stored = co_await self.caller->call(e::node_update_alloc, std::move(update));
      if (!stored) co_return stop(stored.error());
      running_ += told;
      changed_.notify_all();
    }
  }

  std::string server_;
  int jobs_;
  std::int64_t count_;
  int pid_, idle_;
  Rng rng_ = Rng::from_system();
  asio::io_context loop_{1};
  Scope scope_;
  Condition changed_;
  std::vector<std::unique_ptr<wire::RemoteCaller>> callers_;
  std::vector<SimulatedNode> nodes_;
  std::size_t registered_ = 0;
  int submitted_ = 0;
  std::uint64_t running_ = 0;
  std::uint64_t heartbeats_ = 0;
  bool failed_ = false;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    fmt::print(stderr, "usage: cluster-load host:port nodes jobs count [pid of the server [seconds of heartbeats]]\n");
    return 1;
  }
  const auto number = [&](int at) { return argc > at ? std::atoi(argv[at]) : 0; };
  return Load(argv[1], number(2), number(3), number(4), number(5), number(6)).run();
}
