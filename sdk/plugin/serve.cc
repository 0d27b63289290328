#include "sdk/plugin/serve.h"

#include <grp.h>
#include <malloc.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string_view>

#include <goplugin.pb.h>
#include <health.pb.h>

#include "sdk/async/event.h"
#include "sdk/async/footprint.h"
#include "sdk/async/scope.h"
#include "sdk/base/clock.h"
#include "sdk/base/file.h"
#include "sdk/base/process.h"
#include "sdk/plugin/handshake.h"
#include "sdk/plugin/secure_channel.h"
#include "sdk/rpc/server.h"
#include "sdk/rpc/typed.h"

namespace drover::plugin {
namespace {

using namespace std::chrono_literals;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

Async<Result<grpc::health::v1::HealthCheckResponse>> check_health(grpc::health::v1::HealthCheckRequest request) {
  if (!request.service().empty() && request.service() != "plugin") co_return fail(Code::not_found, "unknown service");
  grpc::health::v1::HealthCheckResponse out;
  out.set_status(grpc::health::v1::HealthCheckResponse::SERVING);
  co_return out;
}

// Stays open without a word until the caller goes: what a host expects of Stdio and Broker when there is nothing to say.
Async<Result<>> stay_open(CallInfo, rpc::Stream&) {
  for (;;) co_await sleep_for(24h);
}

Async<Result<>> watch_health(CallInfo, rpc::Stream& stream) {
  [[maybe_unused]] const auto request = co_await stream.receive();
  grpc::health::v1::HealthCheckResponse out;
  out.set_status(grpc::health::v1::HealthCheckResponse::SERVING);
  std::string bytes = out.SerializeAsString();
  [[maybe_unused]] const bool sent = co_await stream.send(std::move(bytes));
  for (;;) co_await sleep_for(24h);
}

Async<Result<std::string>> shut_down(Event* stop) {
  stop->set();
  co_return std::string();
}

void add_own_services(rpc::Server& server, Event& stop) {
  rpc::handle_typed<grpc::health::v1::HealthCheckRequest, grpc::health::v1::HealthCheckResponse>(server, "/grpc.health.v1.Health/Check", check_health);
  server.handle_stream("/grpc.health.v1.Health/Watch", watch_health);
  server.handle("/plugin.GRPCController/Shutdown", [&stop](CallInfo, std::string) { return shut_down(&stop); });
  server.handle_stream("/plugin.GRPCStdio/StreamStdio", stay_open);
  server.handle_stream("/plugin.GRPCBroker/StartStream", stay_open);
}

Async<> stop_at_signal(asio::signal_set& signals, Event& stop) {
  const auto [error, number] = co_await signals.async_wait(no_throw);
  if (!error) stop.set();
}

Async<> run_until_stopped(Service& service, rpc::Server& server, asio::signal_set& signals, Event& stop, asio::io_context& loop) {
  co_await stop.wait();
  co_await service.close();
  // The answer to Shutdown is on its way; the host takes a broken connection for success.
  co_await server.stop();
  signals.cancel();
  loop.stop();
}

std::string socket_path() {
  std::string directory = environment("PLUGIN_UNIX_SOCKET_DIR");
  if (directory.empty()) directory = environment("TMPDIR");
  if (directory.empty()) directory = "/tmp";
  Rng rng = Rng::from_system();
  return fmt::format("{}/plugin{}", directory, 1'000'000'000 + rng.below(1'000'000'000));
}

// The host may want a group of users to reach the socket: a name or a number (protocol 1.2).
bool share_with_group(const std::string& path, const std::string& group) {
  gid_t id = static_cast<gid_t>(std::strtoul(group.c_str(), nullptr, 10));
  if (group.find_first_not_of("0123456789") != std::string::npos) {
    const struct group* entry = ::getgrnam(group.c_str());
    if (entry == nullptr) return false;
    id = entry->gr_gid;
  }
  return ::chown(path.c_str(), static_cast<uid_t>(-1), id) == 0 && ::chmod(path.c_str(), 0660) == 0;
}

int refuse(const std::string& what) {
  std::fprintf(stderr,
               "This program is %s.\n"
               "It is started by an agent and does nothing when run by hand.\n"
               "Put it into the agent's plugin_dir and name it in a plugin block of the agent's configuration.\n",
               what.c_str());
  return 1;
}
}  // namespace

int serve(const std::string& name, const std::string& what, const ServiceFactory& make) {
  if (environment(cookie_key) != cookie_value) return refuse(what);
  // Ctrl-C on an interactive agent reaches its plugins too; a host that died must not take us with it.
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
  raise_open_files();
  // One heap: gRPC's threads would each get one of their own and never give it back.
  ::mallopt(M_ARENA_MAX, 1);
  ::mallopt(M_TRIM_THRESHOLD, 64 << 10);
  // The handshake line must be the first thing on stdout, so nobody else gets at it.
  const Fd real_stdout(::dup(STDOUT_FILENO));
  ::dup2(STDERR_FILENO, STDOUT_FILENO);

  asio::io_context loop(1);
  const Executor executor = loop.get_executor();
  const Logger log(name, make_fd_sink(STDERR_FILENO, true), LogLevel::debug);
  Event stop(executor);
  auto service = make(executor, log);
  rpc::Server server(executor);
  add_own_services(server, stop);
  service->add_to(server);

  const std::string path = socket_path();
  std::optional<TlsListener> tls;
  const auto certificate = listen_for_host(path, environment("PLUGIN_CLIENT_CERT"), server, executor, log, tls);
  if (!certificate) {
    log.error("cannot listen", "socket", path, "error", certificate.error());
    return 1;
  }
  if (const std::string group = environment("PLUGIN_UNIX_SOCKET_GROUP"); !group.empty() && !share_with_group(path, group)) {
    log.error("cannot give the socket to the group", "socket", path, "group", group);
    return 1;
  }
  if (const auto written = write_all(real_stdout.get(), format_handshake({"unix", path, *certificate})); !written) return 1;

  asio::signal_set signals(executor, SIGTERM);
  Scope scope(executor);
  scope.spawn(stop_at_signal(signals, stop));
  scope.spawn(release_startup_pages());
  scope.spawn(run_until_stopped(*service, server, signals, stop, loop));
  loop.run();
  ::unlink(path.c_str());
  return 0;
}

}  // namespace drover::plugin
