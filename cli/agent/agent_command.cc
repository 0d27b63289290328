// The `agent` command: flags to configuration, logging, signals, and the loop (cli contract 3.10).
#include <signal.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <charconv>

#include "agent/config/load.h"
#include "cli/agent/environment.h"
#include "cli/agent/notify.h"
#include "cli/agent/runtime.h"
#include "cli/commands.h"
#include "cli/libexec.h"
#include "cli/version.h"
#include "sdk/async/scope.h"
#include "sdk/base/clock.h"
#include "sdk/base/process.h"
#include "sdk/base/text.h"

namespace drover::cli {
namespace {
class AgentCommand final : public Command {
 public:
  void flags(FlagSet& set) override {
    auto& to = given_.overrides;
    set.list("config", given_.config_paths, "Configuration file or directory; may be given several times.");
    set.boolean("dev", given_.dev, "Run a server and a client in one process that keep nothing.");
    set.boolean("dev-connect", given_.dev_connect, "With -dev: for service mesh.");
    set.boolean("dev-consul", given_.dev_consul, "With -dev: for Consul.");
    set.boolean("dev-vault", given_.dev_vault, "With -dev: for Vault.");
    set.boolean("server", to.server.enabled, "Run the server role.");
    set.boolean("client", to.client.enabled, "Run the client role.");
    set.integer("bootstrap-expect", to.server.bootstrap_expect, "How many servers to wait for.");
    set.text("encrypt", to.server.encrypt, "Accepted and ignored: there is no gossip.");
    set.integer("raft-protocol", to.server.raft_protocol, "Accepted; 3 is the only one.");
    set.boolean("rejoin", to.server.rejoin_after_leave, "Join again after having left.");
    set.list("join", to.server.server_join.start_join, "Server to join at start.");
    set.list("retry-join", to.server.server_join.retry_join, "Server to join, tried until it works.");
    set.integer("retry-max", to.server.server_join.retry_max, "How often to try.");
    set.text("state-dir", to.client.state_dir, "Directory of the client's state.");
    set.text("alloc-dir", to.client.alloc_dir, "Directory of allocations.");
    set.text("node-class", to.client.node_class, "Class of the node.");
    set.text("node-pool", to.client.node_pool, "Pool of the node.");
    set.text("servers", servers_, "Servers to talk to, separated by commas.");
    set.list("meta", meta_, "key=value of the node's metadata.");
    set.text("network-interface", to.client.network_interface, "Interface whose address tasks get.");
    set.integer("network-speed", to.client.network_speed, "Speed of that interface in Mbit/s.");
    set.text("bind", to.bind_addr, "Address to listen on.");
    set.text("region", to.region, "Region of the agent.");
    set.text("data-dir", to.data_dir, "Directory of everything the agent keeps.");
    set.text("plugin-dir", to.plugin_dir, "Directory of third-party plugins.");
    set.text("dc", to.datacenter, "Datacenter of the agent.");
    set.text("log-level", to.log_level, "TRACE, DEBUG, INFO, WARN or ERROR.");
    set.boolean("log-json", to.log_json, "Log JSON lines.");
    set.boolean("log-include-location", to.log_include_location, "Accepted; lines carry the component's name.");
    set.text("node", to.name, "Name of the agent.");
  }

  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (!arguments.empty()) return context.failed(fmt::format("==> Unexpected extra arguments: {}", join(arguments, ", ")));
    if (!servers_.empty()) given_.overrides.client.servers = split(servers_, ',');
    for (const std::string& pair : meta_) {
      const auto [key, value] = split_once(pair, '=');
      if (key.empty()) return context.failed(fmt::format("==> Error parsing Client.Meta value: {}", pair));
      given_.overrides.client.meta[std::string(key)] = value;
    }
    auto surroundings = agent::read_surroundings();
    auto config = agent::load_config(given_, surroundings);
    if (!config) return context.failed(fmt::format("==> {}", config.error().message()));
    for (const std::string& file : config->files) context.ui.out(fmt::format("==> Loaded configuration from {}", file));
    const auto level = parse_log_level(config->log_level);
    if (!level) return context.failed(fmt::format("==> Invalid log level: {}. Valid log levels are: [TRACE DEBUG INFO WARN ERROR OFF]", config->log_level));

    raise_open_files();
    RuntimeOptions options;
    options.config = *config;
    options.environment = whole_environment();
    options.version = compatible_version;
    options.libexec = libexec_directory();
    options.log_tap = std::make_shared<LogTap>(make_fd_sink(STDOUT_FILENO, config->log_json), *level);
    options.log = Logger("", options.log_tap, options.log_tap->level());
    context.ui.out("==> Starting Nomad agent...");
    asio::io_context loop(1);
    Scope scope(loop.get_executor());
    int code = 1;
    scope.spawn(serve(context, loop.get_executor(), std::move(options), code));
    loop.run();
    return code;
  }

 private:
  Async<> serve(Context& context, Executor executor, RuntimeOptions options, int& code) {
    const agent::Config config = options.config;
    const Logger log = options.log;
    const std::shared_ptr<LogTap> tap = options.log_tap;
    const std::map<std::string, std::string> environment = options.environment;
    asio::signal_set signals(executor, SIGINT, SIGTERM, SIGHUP);
    options.give_up = [&signals] { signals.cancel(); };
    auto runtime = co_await Runtime::start(executor, std::move(options));
    if (!runtime) {
      context.ui.error(fmt::format("==> Error starting agent: {}", runtime.error().message()));
      co_return;
    }
    show_banner(context, config, (*runtime)->node_id());
    for (const std::string& warning : config.warnings) log.warn(warning);
    notify_service_manager("READY=1");
    Scope keep_alive(executor);
    if (const auto limit = watchdog_limit(environment, ::getpid())) keep_alive.spawn(feed_watchdog(*limit));
    bool graceful = false;
    for (;;) {
      const auto [error, number] = co_await signals.async_wait(no_throw);
      if (error) break;
      context.ui.out(fmt::format("==> Caught signal: {}", number == SIGHUP ? "hangup" : number == SIGINT ? "interrupt" : "terminated"));
      if (number != SIGHUP) {
        graceful = number == SIGINT ? config.leave_on_interrupt : config.leave_on_terminate;
        // A manager that asked for the stop would take another code for a failure of the unit.
        code = graceful || environment.contains("NOTIFY_SOCKET") ? 0 : 1;
        break;
      }
      reload(context, **runtime, log, *tap);
    }
    notify_service_manager("STOPPING=1");
    if (graceful) {
      const bool left = co_await leave(context, executor, **runtime, config, signals);
      if (!left) code = 1;
    }
    // A second signal ends the process at once.
    ::signal(SIGINT, SIG_DFL);
    ::signal(SIGTERM, SIG_DFL);
    signals.clear();
    co_await (*runtime)->shutdown();
    co_await keep_alive.close();
  }

  // The graceful end (client contract 1.8). A reload has nothing to change any more.
  static Async<> wait_for_another(asio::signal_set& signals) {
    for (;;) {
      const auto [error, number] = co_await signals.async_wait(no_throw);
      co_await throw_if_cancelled();
      if (error || number != SIGHUP) co_return;
    }
  }

  // Empty: a drain without a deadline takes as long as it likes.
  static std::optional<std::chrono::nanoseconds> leave_limit(const agent::Config& config) {
    constexpr std::chrono::nanoseconds of_roles = std::chrono::seconds(5);
    const auto& drain = config.client.drain_on_shutdown;
    if (!config.client.enabled || !drain || config.dev_mode) return of_roles;
    return drain->deadline.value.count() > 0 ? std::optional(of_roles + drain->deadline.value) : std::nullopt;
  }

  static Async<> wait_until(std::optional<std::chrono::nanoseconds> limit) {
    co_await sleep_for(limit.value_or(std::chrono::hours(24 * 365)));
  }

  static Async<bool> leave(Context& context, Executor executor, Runtime& runtime, const agent::Config& config, asio::signal_set& signals) {
    using namespace asio::experimental::awaitable_operators;
    context.ui.out("==> Gracefully shutting down agent...");
    Scope patience(executor);
    patience.spawn(extend_stop());
    auto first = runtime.leave() || wait_for_another(signals) || wait_until(leave_limit(config));
    const auto ended = co_await std::move(first);
    co_await patience.close();
    if (const auto* left = std::get_if<0>(&ended); left != nullptr) {
      if (!*left) context.ui.error(fmt::format("==> Error leaving: {}", left->error().message()));
      co_return left->has_value();
    }
    context.ui.error(ended.index() == 1 ? "==> Ending at once, without having left" : "==> Not left in time: ending without it; tasks that are left go on");
    co_return false;
  }

  // Files and flags again, as at start. One that is wrong changes nothing.
  void reload(Context& context, Runtime& runtime, const Logger& log, LogTap& tap) {
    notify_service_manager(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", system_clock().monotonic().time_since_epoch() / std::chrono::microseconds(1)));
    auto config = agent::load_config(given_, agent::read_surroundings());
    Result<> done = config ? runtime.reload(*config) : fail(config.error());
    if (done) {
      tap.set_level(parse_log_level(config->log_level).value_or(LogLevel::info));
      for (const std::string& warning : config->warnings) log.warn(warning);
      log.info("configuration reloaded", "log_level", config->log_level);
    } else {
      context.ui.error(fmt::format("==> Failed to reload configs: {}", done.error().message()));
    }
    notify_service_manager("READY=1");
  }

  static void show_banner(Context& context, const agent::Config& config, const std::string& node_id) {
    const auto bound = [](const std::string& addresses, std::int64_t port) {
      std::vector<std::string> out;
      for (const std::string& address : split(addresses, ' ')) out.push_back(fmt::format("{}:{}", address, port));
      return join(out, ", ");
    };
    std::vector<std::pair<std::string, std::string>> rows{
        {"Advertise Addrs", fmt::format("HTTP: {}; RPC: {}; Serf: {}", config.advertise.http, config.advertise.rpc, config.advertise.serf)},
        {"Bind Addrs", fmt::format("HTTP: [{}]; RPC: {}; Serf: {}", bound(config.addresses.http, config.ports.http), bound(config.addresses.rpc, config.ports.rpc), bound(config.addresses.serf, config.ports.serf))},
        {"Client", config.client.enabled ? "true" : "false"},
        {"Log Level", config.log_level},
        {"Node Id", node_id},
        {"Region", fmt::format("{} (DC: {})", config.region, config.datacenter)},
        {"Server", config.server.enabled ? "true" : "false"},
        {"Version", drover_version}};
    std::string out = "==> Nomad agent configuration:\n\n";
    for (const auto& [key, value] : rows) {
      if (!value.empty()) out += fmt::format("{:>22}: {}\n", key, value);
    }
    context.ui.out(out);
    context.ui.out("==> Nomad agent started! Log data will stream in below:\n");
  }

  agent::Flags given_;
  std::string servers_;
  std::vector<std::string> meta_;
};
}  // namespace

std::unique_ptr<Command> make_agent() { return std::make_unique<AgentCommand>(); }

}  // namespace drover::cli
