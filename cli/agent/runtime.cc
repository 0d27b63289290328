#include "cli/agent/runtime.h"

#include <unistd.h>

#include <algorithm>
#include <optional>

#include "agent/api/routes.h"
#include "agent/client/client.h"
#include "agent/client/ops.h"
#include "cli/agent/agent_facts.h"
#include "cli/agent/hooks.h"
#include "lib/http/server.h"
#include "lib/metrics/metrics.h"
#include "lib/store/dir_lock.h"
#include "lib/wire/remote_caller.h"
#include "sdk/async/pool.h"
#include "sdk/base/file.h"
#include "sdk/base/text.h"
#include "sdk/rpc/node_rpc.h"
#include "server/api/api.h"
#include "server/server.h"

namespace drover::cli {

struct Runtime::Impl {
  Impl(Executor loop, RuntimeOptions given) : executor(loop), options(std::move(given)), metrics(system_clock()) {}

  Result<> lock() {
    const agent::Config& config = options.config;
    if (config.data_dir.empty()) return {};
    DROVER_TRY(make_directories(config.data_dir, 0711));
    auto held = DirLock::acquire(config.data_dir);
    if (!held) return fail(held.error());
    data_lock.emplace(std::move(*held));
    return {};
  }

  Result<> start_server() {
    const agent::Config& config = options.config;
    rpc_server = std::make_unique<NodeRpcServer>(executor);
    ServerOptions out;
    out.dev = config.dev_mode;
    out.data_dir = config.server.data_dir.empty() ? config.data_dir + "/server" : config.server.data_dir;
    if (!out.dev) DROVER_TRY(make_directories(out.data_dir, 0700));
    out.name = config.name;
    out.region = config.region;
    out.datacenter = config.datacenter;
    out.advertise_rpc = config.advertise.rpc;
    out.num_schedulers = static_cast<int>(config.server.num_schedulers.value_or(0));
    out.enabled_schedulers = config.server.enabled_schedulers;
    out.event_buffer_size = static_cast<std::size_t>(config.server.event_buffer_size.value_or(100));
    if (config.server.job_tracked_versions > 0) out.job_tracked_versions = config.server.job_tracked_versions;
    if (config.server.job_max_priority > 0) out.job_max_priority = config.server.job_max_priority;
    out.hooks = server_hooks(config);
    out.log = options.log.named("nomad");
    auto started = Server::start(executor, std::move(out));
    if (!started) return fail(started.error(), "starting the server");
    server = std::move(*started);
    wire::serve_registry(server->registry(), *rpc_server);
    for (const std::string& address : split(config.addresses.rpc, ' ')) {
      const std::string host_port = with_default_port(address, config.ports.rpc);
      if (auto listening = rpc_server->listen(host_port); !listening) {
        return fail(listening.error(), "listening for RPC on {}; choose another with ports.rpc or addresses.rpc", host_port);
      }
    }
    local = std::make_unique<wire::LocalCaller>(server->registry());
    return {};
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
    remote = std::make_unique<wire::RemoteCaller>(executor, std::move(servers));
  }

  Result<> start_client() {
    auto started = agent::Client::start({.executor = executor,
                                         .log = options.log,
                                         .clock = system_clock(),
                                         .caller = *remote,
                                         .config = options.config,
                                         .version = options.version,
                                         .http_address = options.config.advertise.http,
                                         .plugin_directories = {options.config.plugin_dir, options.libexec},
                                         .environment = options.environment});
    if (!started) return fail(started.error(), "starting the client");
    client = std::move(*started);
    return {};
  }

  Result<> start_http() {
    const agent::Config& config = options.config;
    wire::Caller& caller = local ? static_cast<wire::Caller&>(*local) : *remote;
    api::ApiOptions api{.caller = caller};
    api.name = config.name;
    api.region = config.region;
    api.datacenter = config.datacenter;
    api.version = options.version;
    api.serf_port = static_cast<std::uint16_t>(config.ports.serf);
    api.agent.self = [this] { return agent_self(options.config, options.version, server.get(), client.get()); };
    api.agent.health = [this](bool want_client, bool want_server) { return agent_health(want_client && client, want_server && server, server.get()); };
    api.parse_job = parse_job_request;
    api.read_job = read_request_job;
    api.events = server ? &server->events() : nullptr;
    api.metrics = &metrics;
    api.prometheus = config.telemetry.prometheus_metrics;
    api::register_server_api(router, std::move(api));
    if (client) {
      client_ops = std::make_unique<agent::LocalClientOps>(*client);
      agent::add_client_routes(router, *client_ops, pool);
    }
    http::Headers headers;
    for (const auto& [name, value] : config.http_api_response_headers) headers.add(name, value);
    router.set_response_headers(std::move(headers));

    http::ServerOptions limits;
    if (config.limits.http_max_conns_per_client) limits.max_connections_per_client = static_cast<std::uint32_t>(*config.limits.http_max_conns_per_client);
    http_server = std::make_unique<http::Server>(executor, router, limits);
    for (const std::string& address : split(config.addresses.http, ' ')) {
      if (auto listening = http_server->listen_tcp(address, static_cast<std::uint16_t>(config.ports.http)); !listening) {
        return fail(listening.error(), "listening for HTTP on {}:{}; choose another with ports.http or addresses.http", address, config.ports.http);
      }
    }
    return {};
  }

  Async<> stop() {
    if (http_server) co_await http_server->close();
    if (client) co_await client->shutdown();
    client.reset();
    remote.reset();
    if (server) co_await server->shutdown();
    if (rpc_server) co_await rpc_server->stop();
    server.reset();
    rpc_server.reset();
  }

  Executor executor;
  RuntimeOptions options;
  metrics::Registry metrics;
  Pool pool{1};  // blocking reads of the file API
  std::optional<DirLock> data_lock;
  http::Router router;
  std::unique_ptr<NodeRpcServer> rpc_server;
  std::unique_ptr<Server> server;
  std::unique_ptr<wire::LocalCaller> local;
  std::unique_ptr<wire::RemoteCaller> remote;
  std::unique_ptr<agent::Client> client;
  std::unique_ptr<agent::LocalClientOps> client_ops;
  std::unique_ptr<http::Server> http_server;
};

Runtime::Runtime(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Runtime::~Runtime() = default;

Async<Result<std::unique_ptr<Runtime>>> Runtime::start(Executor executor, RuntimeOptions options) {
  auto impl = std::make_unique<Impl>(executor, std::move(options));
  Result<> started = impl->lock();
  if (started && impl->options.config.server.enabled) started = impl->start_server();
  if (started) impl->connect();
  // HTTP comes before the client: whoever waits for the port may then wait for the node.
  if (started && impl->options.config.client.enabled) started = impl->start_client();
  if (started) started = impl->start_http();
  if (!started) {
    co_await impl->stop();
    co_return fail(started.error());
  }
  co_return std::unique_ptr<Runtime>(new Runtime(std::move(impl)));
}

Async<> Runtime::shutdown() { co_await impl_->stop(); }

std::string Runtime::node_id() const { return impl_->client ? impl_->client->node()->id : ""; }

}  // namespace drover::cli
