#include "cli/agent/runtime.h"

#include <unistd.h>

#include <algorithm>
#include <optional>

#include "agent/api/monitor.h"
#include "agent/api/no_client.h"
#include "agent/api/routes.h"
#include "agent/client/client.h"
#include "agent/client/ops.h"
#include "cli/agent/agent_facts.h"
#include "cli/agent/forwarder.h"
#include "cli/agent/hooks.h"
#include "cli/agent/http_listeners.h"
#include "cli/agent/telemetry.h"
#include "lib/http/server.h"
#include "lib/metrics/metrics.h"
#include "lib/relay/relay.h"
#include "lib/store/dir_lock.h"
#include "lib/wire/remote_caller.h"
#include "sdk/async/footprint.h"
#include "sdk/async/pool.h"
#include "sdk/async/scope.h"
#include "sdk/base/file.h"
#include "sdk/base/text.h"
#include "sdk/rpc/node_rpc.h"
#include "server/api/api.h"
#include "server/rpc/node_sessions.h"
#include "server/server.h"

namespace drover::cli {

namespace {
ServerTuning server_tuning(const agent::ServerConfig& config) {
  ServerTuning out;
  out.num_schedulers = static_cast<int>(config.num_schedulers.value_or(0));
  out.enabled_schedulers = config.enabled_schedulers;
  if (config.raft_snapshot_threshold > 0) out.snapshot_threshold = static_cast<std::uint64_t>(config.raft_snapshot_threshold);
  if (config.raft_trailing_logs > 0) out.snapshot_trailing = static_cast<std::uint32_t>(config.raft_trailing_logs);
  return out;
}

gc::GcOptions gc_options(const agent::ServerConfig& config) {
  gc::GcOptions out;
  out.job_interval = config.job_gc_interval.value;
  out.job_threshold = config.job_gc_threshold.value;
  out.eval_threshold = config.eval_gc_threshold.value;
  out.batch_eval_threshold = config.batch_eval_gc_threshold.value;
  out.deployment_threshold = config.deployment_gc_threshold.value;
  out.node_threshold = config.node_gc_threshold.value;
  return out;
}

nodes::HeartbeatOptions heartbeat_options(const agent::ServerConfig& config) {
  nodes::HeartbeatOptions out;
  out.min_ttl = config.min_heartbeat_ttl.value;
  out.max_per_second = config.max_heartbeats_per_second;
  out.grace = config.heartbeat_grace.value;
  out.failover_ttl = config.failover_heartbeat_ttl.value;
  return out;
}

NodeTlsOptions node_tls(const agent::Config& config) {
  const agent::TlsConfig& tls = config.tls;
  return {.enabled = tls.rpc, .ca_file = tls.ca_file, .certificate_file = tls.cert_file, .key_file = tls.key_file, .min_version = tls.tls_min_version,
          .region = config.region, .verify_server_hostname = tls.verify_server_hostname, .upgrade_mode = tls.rpc_upgrade_mode};
}
}  // namespace

struct Runtime::Impl {
  Impl(Executor loop, RuntimeOptions given) : executor(loop), options(std::move(given)), metrics(system_clock(), metrics_options(options.config)), scope(loop) {}

  Result<> lock() {
    const agent::Config& config = options.config;
    if (config.data_dir.empty()) return {};
    DROVER_TRY(make_directories(config.data_dir, 0711));
    auto held = DirLock::acquire(config.data_dir);
    if (!held) return fail(held.error());
    data_lock.emplace(std::move(*held));
    return {};
  }

  Result<> load_tls() {
    auto loaded = NodeTls::load(node_tls(options.config));
    if (!loaded) return fail(loaded.error());
    tls = std::move(*loaded);
    return {};
  }

  Result<> reload_tls(const agent::Config& config) {
    // A listener without TLS is gRPC's own.
    if (config.tls.rpc && server && !listens_securely) {
      return fail(Code::invalid_argument, "tls.rpc cannot be turned on by a reload: restart the agent, with rpc_upgrade_mode while others have no TLS yet");
    }
    return tls->reload(node_tls(config));
  }

  Result<> listen_for_rpc(const std::string& host_port) {
    if (!listens_securely) return rpc_server->listen(host_port);
    return rpc_server->listen_tls(host_port, tls, options.log.named("rpc"));
  }

  Result<> start_server() {
    const agent::Config& config = options.config;
    rpc_server = std::make_unique<NodeRpcServer>(executor);
    rpc_server->set_servers_only({"Raft.", "Server."});
    listens_securely = config.tls.rpc;
    ServerOptions out;
    out.dev = config.dev_mode;
    out.data_dir = config.server.data_dir.empty() ? config.data_dir + "/server" : config.server.data_dir;
    if (!out.dev) DROVER_TRY(make_directories(out.data_dir, 0700));
    out.name = config.name;
    out.region = config.region;
    out.datacenter = config.datacenter;
    out.advertise_rpc = config.advertise.rpc;
    out.build = options.version;
    out.bootstrap_expect = config.dev_mode ? 1 : config.server.bootstrap_expect;
    out.join = servers_to_join(config.server);
    out.join_retry_max = config.server.server_join.retry_max != 0 ? config.server.server_join.retry_max : config.server.retry_max;
    if (config.server.server_join.retry_interval.value.count() > 0) out.join_retry_interval = config.server.server_join.retry_interval.value;
    out.non_voter = config.server.non_voting_server;
    if (config.server.raft_multiplier > 0) out.raft_multiplier = static_cast<std::uint32_t>(config.server.raft_multiplier);
    out.tuning = server_tuning(config.server);
    out.event_buffer_size = static_cast<std::size_t>(config.server.event_buffer_size.value_or(100));
    if (config.server.job_tracked_versions > 0) out.job_tracked_versions = config.server.job_tracked_versions;
    if (config.server.job_max_priority > 0) out.job_max_priority = config.server.job_max_priority;
    out.gc = gc_options(config.server);
    out.heartbeats = heartbeat_options(config.server);
    out.hooks = server_hooks(config);
    out.tls = tls;
    out.log = options.log.named("nomad");
    out.metrics = &metrics;
    out.gauges = {.repeat = metrics_options(config).interval, .dispatched_jobs = !config.telemetry.disable_dispatched_job_summary_metrics};
    auto started = Server::start(executor, std::move(out));
    if (!started) return fail(started.error(), "starting the server");
    server = std::move(*started);
    wire::serve_registry(server->registry(), *rpc_server);
    rpc::serve_node_streams(server->node_sessions(), *rpc_server);
    server->serve_streams(*rpc_server);
    wire::serve_stream<model::HttpRelayRequest>(
        *rpc_server, wire::streams::http_relay,
        [this](model::HttpRelayRequest request, NodeStream& stream) { return answer_agent(std::move(request), stream); });
    for (const std::string& address : split(config.addresses.rpc, ' ')) {
      const std::string host_port = with_default_port(address, config.ports.rpc);
      if (auto listening = listen_for_rpc(host_port); !listening) {
        return fail(listening.error(), "listening for RPC on {}; choose another with ports.rpc or addresses.rpc", host_port);
      }
    }
    local = std::make_unique<wire::LocalCaller>(server->registry());
    server->find_others([this](const Error& error) {
      options.log.error("no other server could be joined, ending", "error", error);
      if (options.give_up) options.give_up();
    });
    return {};
  }

  // Requests of other agents: of those without the server role, and of servers that look for a node. They get what they could ask
  // of this agent by HTTP, and only what needs a server.
  Async<Result<>> answer_agent(model::HttpRelayRequest request, NodeStream& stream) {
    if (request.node.empty() || server->node_sessions().connected(request.node)) co_await relay::answer(std::move(request), stream, relay_router);
    else co_await relay::answer_no_path(stream);
    co_return Result<>{};
  }

  std::function<Async<http::Response>(http::Request)> api_ask_server() {
    return [this](http::Request request) { return forwarder->ask_server(std::move(request)); };
  }

  // `leader`, or what `server members` lists: there is one server.
  bool names_this_server(std::string_view id) const {
    return id == "leader" || id == fmt::format("{}.{}", options.config.name, options.config.region);
  }

  // Requests that a server has for this node. They are answered here and go no further, so that none can go in circles.
  Async<> answer_server(model::HttpRelayRequest request, NodeStream& stream) {
    co_await relay::answer(std::move(request), stream, node_router);
  }

  static std::vector<std::string> servers_to_join(const agent::ServerConfig& config) {
    std::vector<std::string> out;
    for (const auto* addresses : {&config.server_join.start_join, &config.server_join.retry_join, &config.start_join, &config.retry_join}) {
      for (const std::string& address : *addresses) out.push_back(with_default_port(address, 4647));
    }
    return out;
  }

  static std::string with_default_port(const std::string& address, std::int64_t port) {
    return address.find(':') == std::string::npos || address.ends_with(']') ? fmt::format("{}:{}", address, port)
           : std::count(address.begin(), address.end(), ':') > 1 && address[0] != '[' ? fmt::format("[{}]:{}", address, port)
                                                                                      : address;
  }

  void connect() {
    if (server) {
      remote = std::make_unique<wire::RemoteCaller>(executor, *rpc_server);
      return;
    }
    const agent::ClientConfig& client_config = options.config.client;
    std::vector<std::string> servers;
    const auto add = [&](const std::vector<std::string>& addresses) {
      for (const std::string& address : addresses) servers.push_back(with_default_port(address, 4647));
    };
    add(client_config.servers);
    add(client_config.server_join.start_join);
    add(client_config.server_join.retry_join);
    remote = std::make_unique<wire::RemoteCaller>(executor, std::move(servers), tls);
  }

  // The server of this process is asked without a detour over the network.
  wire::Caller& caller() { return local ? static_cast<wire::Caller&>(*local) : *remote; }

  Result<> start_client() {
    auto started = agent::Client::start({.executor = executor,
                                         .log = options.log,
                                         .clock = system_clock(),
                                         .caller = caller(),
                                         .streams = *remote,
                                         .config = options.config,
                                         .version = options.version,
                                         .http_address = options.config.advertise.http,
                                         .plugin_directories = {options.config.plugin_dir, options.libexec},
                                         .environment = options.environment,
                                         .serve = [this](model::HttpRelayRequest request, NodeStream& stream) {
                                           return answer_server(std::move(request), stream);
                                         },
                                         .meter = metrics::Meter(&metrics),
                                         .learn_servers = [this](const std::vector<std::string>& servers) {
                                           // The server of this process is asked whoever leads.
                                           if (!server) remote->learn(servers);
                                         }});
    if (!started) return fail(started.error(), "starting the client");
    client = std::move(*started);
    return {};
  }

  Result<> start_http() {
    const agent::Config& config = options.config;
    api::ApiOptions api{.caller = caller()};
    api.streams = remote.get();
    api.name = config.name;
    api.region = config.region;
    api.datacenter = config.datacenter;
    api.version = options.version;
    api.serf_port = static_cast<std::uint16_t>(config.ports.serf);
    api.agent.self = [this] { return agent_self(options.config, options.version, server.get(), client.get()); };
    api.agent.health = [this](bool want_client, bool want_server) { return agent_health(want_client && client, want_server && server, server.get()); };
    if (server) api.agent.join = [this](std::string address) { return server->join(with_default_port(address, 4647)); };
    api.parse_job = parse_job_request;
    api.read_job = request_job_reader();
    api.events = server ? &server->events() : nullptr;
    if (!server) api.ask_server = api_ask_server();
    api.metrics = &metrics;
    api.refresh_metrics = [this] { publish_gauges(true); };
    api.prometheus = config.telemetry.prometheus_metrics;
    if (server) api::register_event_stream(relay_router, api);
    api::register_server_api(router, std::move(api));
    if (client) client_ops = std::make_unique<agent::LocalClientOps>(*client);
    else client_ops = std::make_unique<agent::NoClient>();
    rpc::NodeSessions* sessions = server ? &server->node_sessions() : nullptr;
    Forwarder::Others others;
    if (server) others = [this] { return server->others(); };
    forwarder = std::make_unique<Forwarder>(executor, *remote, caller(), sessions, client_ops->node_id(), others, tls);
    agent::add_client_routes(router, *client_ops, pool, forwarder.get());
    if (server) agent::add_client_routes(relay_router, *client_ops, pool, forwarder.get());
    if (client) agent::add_client_routes(node_router, *client_ops, pool, nullptr);
    agent::MonitorOptions monitor{.log = options.log_tap, .ops = *client_ops, .elsewhere = forwarder.get()};
    if (server) monitor.is_this_server = [this](std::string_view id) { return names_this_server(id); };
    else monitor.ask_server = api_ask_server();
    agent::add_monitor_route(router, monitor);
    if (server) agent::add_monitor_route(relay_router, monitor);
    if (client) agent::add_monitor_route(node_router, {.log = options.log_tap, .ops = *client_ops});
    http::Headers headers;
    for (const auto& [name, value] : config.http_api_response_headers) headers.add(name, value);
    router.set_response_headers(std::move(headers));

    http::ServerOptions limits;
    if (config.limits.https_handshake_timeout) {
      limits.tls_handshake_timeout = std::chrono::duration_cast<std::chrono::seconds>(config.limits.https_handshake_timeout->value);
    }
    if (config.limits.http_max_conns_per_client) limits.max_connections_per_client = static_cast<std::uint32_t>(*config.limits.http_max_conns_per_client);
    http_server = std::make_unique<http::Server>(executor, router, limits);
    listeners.emplace(*http_server);
    return listeners->open(config);
  }

  void publish_gauges(bool with_heap) {
    set_runtime_gauges(metrics, with_heap);
    if (http_server) metrics.set_gauge("nomad.agent.http.connections", static_cast<double>(http_server->stats().connections));
    if (server) server->publish_gauges();
    if (client) client->publish_gauges();
  }

  Async<> publish_gauges_each(std::chrono::nanoseconds interval) {
    // Counting the heap takes a walk over all that is free in it.
    constexpr int heap_rounds = 10;
    for (int round = 0;; round = (round + 1) % heap_rounds) {
      publish_gauges(round == 0);
      co_await sleep_for(interval);
    }
  }

  Async<> stop() {
    co_await scope.close();
    if (http_server) co_await http_server->close();
    if (client) co_await client->shutdown();
    if (server) co_await server->shutdown();
    if (rpc_server) co_await rpc_server->stop();
    // Requests of other agents were answered until now, by either role.
    client.reset();
    remote.reset();
    server.reset();
    rpc_server.reset();
  }

  Executor executor;
  RuntimeOptions options;
  metrics::Registry metrics;
  Pool pool{1};  // blocking reads of the file API
  std::optional<DirLock> data_lock;
  http::Router router;
  http::Router relay_router;  // what agents without the server role may ask of this one
  http::Router node_router;   // what a server may ask of this node
  std::shared_ptr<NodeTls> tls;
  bool listens_securely = false;  // for RPC, or did when it began
  std::unique_ptr<NodeRpcServer> rpc_server;
  std::unique_ptr<Server> server;
  std::unique_ptr<wire::LocalCaller> local;
  std::unique_ptr<wire::RemoteCaller> remote;
  std::unique_ptr<agent::Client> client;
  std::unique_ptr<agent::ClientOps> client_ops;
  std::unique_ptr<Forwarder> forwarder;
  std::unique_ptr<http::Server> http_server;
  std::optional<HttpListeners> listeners;
  Scope scope;
};

Runtime::Runtime(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Runtime::~Runtime() = default;

Async<Result<std::unique_ptr<Runtime>>> Runtime::start(Executor executor, RuntimeOptions options) {
  auto impl = std::make_unique<Impl>(executor, std::move(options));
  Result<> started = impl->load_tls();
  if (started) started = add_sinks(impl->metrics, impl->options.config);
  if (started) started = impl->lock();
  if (started && impl->options.config.server.enabled) started = impl->start_server();
  if (started) impl->connect();
  // HTTP comes before the client: whoever waits for the port may then wait for the node.
  if (started && impl->options.config.client.enabled) started = impl->start_client();
  if (started) started = impl->start_http();
  if (!started) {
    co_await impl->stop();
    co_return fail(started.error());
  }
  const std::chrono::nanoseconds interval = std::max<std::chrono::nanoseconds>(std::chrono::seconds(1), impl->options.config.telemetry.collection_interval.value);
  impl->scope.spawn(impl->publish_gauges_each(interval));
  impl->scope.spawn(release_startup_pages());
  co_return std::unique_ptr<Runtime>(new Runtime(std::move(impl)));
}

Async<Result<>> Runtime::leave() {
  Result<> out;
  if (impl_->client) {
    auto left = co_await impl_->client->leave();
    out = std::move(left);
  }
  if (impl_->server) co_await impl_->server->leave();
  co_return out;
}

Async<> Runtime::shutdown() { co_await impl_->stop(); }

Result<> Runtime::reload(const agent::Config& config) {
  DROVER_TRY(impl_->reload_tls(config));
  DROVER_TRY(impl_->listeners->reload(config));
  impl_->options.config.tls = config.tls;
  if (impl_->server) impl_->server->tune(server_tuning(config.server));
  if (impl_->client) {
    impl_->client->refresh();
    impl_->client->reload_plugins(config);
  }
  return {};
}

std::string Runtime::node_id() const { return impl_->client ? impl_->client->node()->id : ""; }

}  // namespace drover::cli
