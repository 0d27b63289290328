#include "server/server.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <thread>

#include "sdk/async/pool.h"
#include "server/cluster/cluster.h"
#include "server/cluster/identity.h"
#include "server/gauges.h"
#include "server/leader/leader.h"
#include "server/rpc/call_metrics.h"
#include "server/rpc/context.h"
#include "server/rpc/node_sessions.h"
#include "server/rpc/snapshot_streams.h"
#include "server/scheduler/fit/allocs_fit.h"
#include "server/scheduler/scheduler.h"

namespace drover {
namespace {

const std::vector<std::string> all_schedulers{"service", "batch", "system", "sysbatch"};

int worker_count(const ServerTuning& tuning) {
  if (tuning.num_schedulers > 0) return tuning.num_schedulers;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

std::vector<std::string> schedulers(const ServerTuning& tuning) {
  return tuning.enabled_schedulers.empty() ? all_schedulers : tuning.enabled_schedulers;
}

std::string fits_on(const model::Node& node, const std::vector<state::AllocPtr>& allocs) {
  scheduler::Fit fit = scheduler::allocs_fit(node, allocs, true);
  if (fit.fits) return {};
  return fit.dimension.empty() ? "resources" : fit.dimension;
}

}  // namespace

struct Server::Impl {
  Impl(Executor executor_, ServerOptions given, std::uint64_t seed)
      : executor(std::move(executor_)),
        options(std::move(given)),
        clock(options.clock != nullptr ? *options.clock : system_clock()),
        rng(seed),
        scope(executor),
        events(executor, options.event_buffer_size),
        node_sessions(executor, fsm.store()),
        meter(options.metrics),
        calls(meter),
        gauges(meter, clock, options.gauges) {}

  Result<> open() {
    if (options.open_log) {
      auto given = options.open_log(options, fsm, executor);
      if (!given) return fail(given.error());
      assemble(std::move(*given));
      return {};
    }
    if (!options.dev && options.data_dir.empty()) {
      return fail(Code::invalid_argument, "the server has no data directory: set data_dir in the agent's configuration");
    }
    cluster::ClusterOptions out;
    if (!options.dev) out.data_dir = options.data_dir;
    out.node_id = options.node_id;
    out.name = options.name;
    out.address = options.advertise_rpc;
    out.region = options.region;
    out.datacenter = options.datacenter;
    out.build = options.build;
    out.expect = options.bootstrap_expect;
    out.join = options.join;
    out.retry_max = options.join_retry_max;
    out.retry_interval = options.join_retry_interval;
    out.non_voter = options.non_voter;
    out.raft_multiplier = options.raft_multiplier;
    out.snapshot_threshold = options.tuning.snapshot_threshold;
    out.snapshot_trailing = options.tuning.snapshot_trailing;
    out.clock = options.clock;
    out.seed = static_cast<std::uint32_t>(rng.next());
    out.log = options.log;
    auto opened = cluster::Cluster::open(executor, std::move(out), fsm);
    if (!opened) return fail(opened.error());
    cluster = opened->get();
    assemble(std::move(*opened));
    return {};
  }

  // The rest needs the log, which reads what was stored into the state machine first.
  void assemble(std::unique_ptr<fsm::Log> opened) {
    log = std::move(opened);
    writer.emplace(*log, fsm, meter);
    fsm.set_meter(meter);
    LeaderOptions leading;
    leading.workers = worker_count(options.tuning);
    leading.schedulers = schedulers(options.tuning);
    leading.seed = rng.next();
    leading.heartbeats = options.heartbeats;
    leading.gc = options.gc;
    leading.job_tracked_versions = options.job_tracked_versions;
    leading.default_config = options.default_scheduler_config;
    leading.meter = meter;
    leading.fits = options.fits ? options.fits : fits_on;
    leading.make_run = options.make_run ? options.make_run : scheduler::make_run;
    const broker::RunFactory make_run = leading.make_run;
    leader.emplace(executor, *writer, fsm, clock, std::move(leading), options.log);
    fsm.set_listener([this](fsm::MessageType type, std::uint64_t index, const state::Changes& changes) {
      leader->on_changes(index, changes);
      events.append(type, index, changes);
      // Another state: whatever the leader has in memory belongs to the one before.
      if (type == fsm::MessageType::restore_end && leader->established()) {
        asio::post(executor, [this] {
          if (!leader->established()) return;
          leader->revoke();
          leader->establish();
        });
      }
    });
    context.reset(new rpc::Context{.executor = executor, .scope = scope, .fsm = fsm, .writer = *writer, .clock = clock, .rng = rng,
                                   .log = options.log.named("rpc"), .hooks = options.hooks});
    context->node_id = options.node_id;
    context->name = options.name;
    context->region = options.region;
    context->datacenter = options.datacenter;
    context->advertise_rpc = options.advertise_rpc;
    context->job_tracked_versions = options.job_tracked_versions;
    context->job_max_source_size = options.job_max_source_size;
    context->job_max_priority = options.job_max_priority;
    context->gc = options.gc;
    context->cluster = cluster;
    context->build = options.build;
    context->keeps_data = !options.dev;
    context->data_dir = options.dev ? "/tmp" : options.data_dir;
    context->files = &files;
    context->heartbeat = [this](const std::string& node_id) { return leader->heartbeat(node_id); };
    context->make_run = [make_run](model::Evaluation evaluation, Rng& rng) { return make_run(std::move(evaluation), rng, nullptr); };
    rpc::register_endpoints(*context, registry);
    if (meter) {
      registry.observe([this](const char* endpoint, wire::CallKind kind, wire::Registry::Start start, bool succeeded) {
        calls.note(endpoint, kind, start, succeeded);
      });
    }
    if (cluster != nullptr) registry.route_by(cluster);
    log->on_leadership([this](bool leads) {
      meter.count(leads ? "raft.state.leader" : "raft.state.follower");
      if (leads == leader->established()) return;
      const auto start = clock.monotonic();
      if (leads) leader->establish();
      else leader->revoke();
      // Queries that are parked here for what only a leader may answer go to the next one.
      if (!leads) fsm.store().watches().notify_all();
      meter.since(leads ? "nomad.leader.establish_leadership" : "nomad.leader.revoke_leadership", start);
    });
  }

  // What the loop has to do meanwhile comes between the steps.
  Async<> publish_rest() {
    while (gauges.publish_more()) co_await asio::post(executor, asio::use_awaitable);
  }

  Executor executor;
  ServerOptions options;
  const Clock& clock;
  Rng rng;
  Scope scope;  // of the handlers
  Pool files{1};
  fsm::Fsm fsm;
  events::EventBuffer events;
  rpc::NodeSessions node_sessions;
  metrics::Meter meter;
  rpc::CallMetrics calls;
  ServerGauges gauges;
  wire::Registry registry;
  std::unique_ptr<fsm::Log> log;
  cluster::Cluster* cluster = nullptr;  // the same; null when another log was given
  std::optional<fsm::Writer> writer;
  std::optional<Leader> leader;
  std::unique_ptr<rpc::Context> context;
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::start(Executor executor, ServerOptions options) {
  if (options.node_id.empty()) {
    auto node_id = cluster::load_node_id(options.dev ? std::string() : options.data_dir);
    if (!node_id) return fail(node_id.error(), "starting the server");
    options.node_id = std::move(*node_id);
  }
  const std::uint64_t seed = options.seed != 0 ? options.seed : Rng::from_system().next();
  auto impl = std::make_unique<Impl>(std::move(executor), std::move(options), seed);
  if (auto opened = impl->open(); !opened) return fail(opened.error(), "starting the server");
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

wire::Registry& Server::registry() { return impl_->registry; }
bool Server::is_leader() const { return impl_->log->is_leader(); }
std::string Server::leader() const { return is_leader() ? impl_->options.advertise_rpc : impl_->log->leader(); }

void Server::serve_streams(NodeRpcServer& server) {
  if (impl_->cluster != nullptr) impl_->cluster->serve(server);
  rpc::serve_snapshots(*impl_->context, server);
}

void Server::find_others(std::function<void(Error)> failed) {
  if (impl_->cluster != nullptr) impl_->cluster->start(std::move(failed));
}

std::vector<std::string> Server::others() const {
  std::vector<std::string> out;
  if (impl_->cluster == nullptr) return out;
  for (const auto& member : impl_->cluster->members()) {
    if (member.node_id != impl_->options.node_id) out.push_back(member.address);
  }
  return out;
}

Async<Result<>> Server::join(std::string address) {
  if (impl_->cluster == nullptr) co_return fail(Code::unimplemented, "this server has no others");
  auto joined = co_await impl_->cluster->join(std::move(address));
  co_return joined;
}

Async<> Server::leave() {
  if (impl_->cluster == nullptr || others().empty()) co_return;
  model::RaftPeerRequest request;
  request.id = impl_->options.node_id;
  wire::LocalCaller caller(impl_->registry);
  const auto left = co_await caller.call(wire::endpoints::server_leave, std::move(request), std::chrono::seconds(5));
  if (!left) impl_->options.log.warn("leaving the cluster failed", "error", left.error());
}
rpc::NodeSessions& Server::node_sessions() { return impl_->node_sessions; }

void Server::tune(ServerTuning tuning) {
  impl_->leader->set_workers(worker_count(tuning), schedulers(tuning));
  impl_->log->set_snapshot_policy(tuning.snapshot_threshold, tuning.snapshot_trailing);
  impl_->options.tuning = std::move(tuning);
}

void Server::publish_gauges() {
  const bool under_way = impl_->gauges.has_more();
  impl_->gauges.publish(impl_->fsm.store().tables(), *impl_->leader, impl_->log->stats());
  if (!under_way && impl_->gauges.has_more()) impl_->scope.spawn(impl_->publish_rest());
}

events::EventBuffer& Server::events() { return impl_->events; }

std::map<std::string, std::map<std::string, std::string>> Server::stats() const {
  std::map<std::string, std::map<std::string, std::string>> out;
  auto& nomad = out["nomad"];
  nomad["server"] = "true";
  nomad["leader"] = is_leader() ? "true" : "false";
  nomad["leader_addr"] = leader();
  nomad["bootstrap"] = "true";
  nomad["known_regions"] = "1";
  out["raft"] = impl_->log->stats();
  out["raft"]["state"] = is_leader() ? "Leader" : "Follower";
  auto& broker = out["broker"];
  const auto evals = impl_->leader->eval_broker().stats();
  broker["ready"] = std::to_string(evals.ready);
  broker["unacked"] = std::to_string(evals.unacked);
  broker["pending"] = std::to_string(evals.pending);
  broker["waiting"] = std::to_string(evals.waiting);
  broker["blocked"] = std::to_string(impl_->leader->blocked_evals().stats().blocked);
  broker["plan_queue_depth"] = std::to_string(impl_->leader->plan_queue_depth());
  broker["heartbeat_timers"] = std::to_string(impl_->leader->heartbeat_timers());
  return out;
}

Async<> Server::shutdown() {
  impl_->context->stopping = true;
  // Parked queries refer to the state: they answer before it goes.
  while (impl_->fsm.store().watches().size() > 0) {
    impl_->fsm.store().watches().notify_all();
    co_await asio::post(impl_->executor, asio::use_awaitable);
  }
  co_await impl_->leader->close();
  co_await impl_->scope.close();
  co_await impl_->log->close();
  impl_->files.join();
}

}  // namespace drover
