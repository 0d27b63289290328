// drover-planted-plugin [item]: the raw_exec driver with one fault, the one that this item of the conformance suite looks for. For
// items about devices, and for the item "device", it is a device plugin.
//
// What happens before the first call and around the process is done here by hand, below the SDK; faults in calls are in plant.cc.
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include <health.pb.h>

#include "plugins/exec/driver.h"
#include "plugins/raw_exec/driver.h"
#include "sdk/async/process.h"
#include "sdk/base/file.h"
#include "sdk/driver/service.h"
#include "sdk/plugin/handshake.h"
#include "sdk/rpc/typed.h"
#include "tests/planted-plugin/device.h"
#include "tests/planted-plugin/plant.h"

namespace drover::planted {
namespace {
using namespace std::chrono_literals;
using grpc::health::v1::HealthCheckRequest, grpc::health::v1::HealthCheckResponse;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

// Exit status for a program that was started without what a host gives; -1: go on.
int decline(int item) {
  const std::string cookie = environment(plugin::cookie_key);
  if (cookie == plugin::cookie_value) return -1;
  if (item != 3) std::fprintf(stderr, "This plugin is started by an agent.\n");
  return (item == 1 && cookie.empty()) || (item == 2 && !cookie.empty()) ? 0 : 1;
}

// Faults that show before the plugin listens.
void misbehave_early(int item, int argc) {
  const std::string directory = environment("PLUGIN_UNIX_SOCKET_DIR");
  if (item == 4) ::sleep(6);
  if (item == 5) static_cast<void>(!write_all(STDOUT_FILENO, "Welcome\n"));
  if (item == 10 && environment("PLUGIN_PROTOCOL_VERSIONS") == "99") ::pause();
  if (item == 13 && directory.size() > 100) ::pause();
  if (item == 17 && environment("HOME").empty()) ::_exit(1);
  if (item == 20 && argc > 2) ::_exit(1);
  if (item == 18) {
    const Fd lock = open_file(environment("DROVER_STATE_DIR") + "/planted.lock", O_CREAT | O_RDWR, 0600).value_or(Fd());
    if (::flock(::dup(lock.get()), LOCK_EX | LOCK_NB) != 0) ::_exit(1);
  }
  if (item == 25) {
    static_cast<void>(spawn_process({.executable = "/bin/sleep", .arguments = {"600"}, .environment = {"CONFORMANCE_RUN=" + environment("CONFORMANCE_RUN")}, .new_session = true}));
  }
  if (item == 26) std::fprintf(stderr, "{\"@level\":5,\"@message\":\"ready\"}\n");
  if (item == 27) std::fprintf(stderr, "{\"@level\":\"info\",\"@message\":\"ready\",\"@timestamp\":\"yesterday\"}\n");
  if (item == 28) std::fprintf(stderr, "%s\n", std::string(70000, 'x').c_str());
}

std::string socket_path(int item) {
  std::string directory = environment("PLUGIN_UNIX_SOCKET_DIR");
  if (directory.empty()) directory = environment("TMPDIR");
  if (item == 11) directory = "/tmp";
  return directory + "/plugin" + std::to_string(::getpid());
}

std::string handshake_line(int item, const std::string& path) {
  const std::string versions = environment("PLUGIN_PROTOCOL_VERSIONS");
  std::string line = plugin::format_handshake({"unix", item == 7 ? path + "x" : path});
  if (item == 6) line[0] = '2';
  if (item == 8) line.replace(line.size() - 2, 2, "\n");
  if (item == 9 && versions == "1,2,3") line[2] = '3';
  if (item == 14 && !environment("PLUGIN_MULTIPLEX_GRPC").empty()) line = "1|2|unix|" + path + "\n";
  return line;
}

Async<> forever() {
  for (;;) co_await sleep_for(24h);
}
Async<Result<>> stay_open(CallInfo, rpc::Stream&) {
  for (;;) co_await sleep_for(24h);
}
Async<Result<>> end_at_once(CallInfo, rpc::Stream&) { co_return Result<>{}; }
Async<Result<>> crash(CallInfo, rpc::Stream&) {
  ::_exit(2);
  co_return Result<>{};
}
Async<Result<std::string>> welcome(CallInfo, std::string) { co_return std::string(); }

Async<Result<HealthCheckResponse>> healthy(HealthCheckRequest request, bool always) {
  if (!always && !request.service().empty() && request.service() != "plugin") co_return fail(Code::not_found, "unknown service");
  HealthCheckResponse out;
  out.set_status(HealthCheckResponse::SERVING);
  co_return out;
}

Async<Result<std::string>> shut_down(Event* stop) {
  stop->set();
  co_return std::string();
}

void add_own_services(rpc::Server& server, int item, Event& stop) {
  rpc::handle_typed<HealthCheckRequest, HealthCheckResponse>(server, "/grpc.health.v1.Health/Check", [item](HealthCheckRequest request) { return healthy(std::move(request), item == 34); });
  if (item != 23) server.handle("/plugin.GRPCController/Shutdown", [&stop](CallInfo, std::string) { return shut_down(&stop); });
  server.handle_stream("/plugin.GRPCStdio/StreamStdio", item == 29 ? end_at_once : stay_open);
  server.handle_stream("/plugin.GRPCBroker/StartStream", item == 35 ? crash : stay_open);
  if (item == 59) server.handle("/no.such.Service/Call", welcome);
}

// Faults of a process that nobody asks for anything.
Async<> misbehave_idle(int item, const Plant& plant, const std::string& path) {
  if (item == 16) ::_exit(0);  // "stdin is at its end"
  if (item == 32) {
    const auto loop = co_await asio::this_coro::executor;
    while (!plant.was_called()) co_await asio::post(loop, asio::use_awaitable);  // before the call is answered
    ::unlink(path.c_str());
  }
  if (item == 33) {
    co_await sleep_for(2s);
    ::_exit(0);
  }
  co_await forever();
}

Async<> stop_at_signal(asio::signal_set& signals, Event& stop) {
  const auto [error, number] = co_await signals.async_wait(no_throw);
  if (!error) stop.set();
}

Async<> run(Event& stop, rpc::Server& host, rpc::Server& inner, std::shared_ptr<rpc::Client> client, plugin::Service& service, const Plant& plant, asio::io_context& loop) {
  co_await stop.wait();
  if (plant.item() == 80) {
    for (const std::string& id : plant.running()) {
      std::string request = "\n" + std::string(1, static_cast<char>(id.size())) + id + "\x10\x01";
      [[maybe_unused]] const auto destroyed = co_await client->call("/hashicorp.nomad.plugins.drivers.proto.Driver/DestroyTask", std::move(request), 2s);
    }
  }
  co_await service.close();
  co_await host.stop();
  client.reset();
  co_await inner.stop();
  loop.stop();
}

std::unique_ptr<plugin::Service> make_service(int item, const Executor& executor, const Logger& log) {
  if (item == 93) {
    driver::PluginInfo info{"exec", "0.1.0", exec::config_schema(), exec::task_config_schema()};
    return driver::make_service(executor, info, std::make_unique<exec::ExecDriver>(executor, log, executor_host_from_environment(), system_clock()));
  }
  driver::PluginInfo info{"raw_exec", "0.1.0", raw_exec::config_schema(), raw_exec::task_config_schema()};
  return driver::make_service(executor, info, std::make_unique<raw_exec::RawExecDriver>(executor, log, executor_host_from_environment(), system_clock()));
}

int serve(int item, bool device, int argc) {
  if (const int status = decline(item); status >= 0) return status;
  if (item != 21) std::signal(SIGINT, SIG_IGN);
  if (item != 31) std::signal(SIGPIPE, SIG_IGN);
  if (item == 22) std::signal(SIGTERM, SIG_IGN);
  misbehave_early(item, argc);
  const std::string clean_file = environment("DROVER_STATE_DIR") + "/stopped-in-order";
  Plant plant(item, ::unlink(clean_file.c_str()) == 0);

  asio::io_context loop(1);
  const Executor executor = loop.get_executor();
  const Logger log("planted", make_fd_sink(STDERR_FILENO, true), LogLevel::debug);
  Event stop(executor);
  const auto service = make_service(item, executor, log);
  rpc::Server inner(executor), host(executor);
  service->add_to(inner);
  auto client = inner.in_process();
  testkit::Relay relay(*client, plant);
  if (device) add_device_service(host, item);
  else relay.add_to(host);
  add_own_services(host, item, stop);
  const std::string path = socket_path(item);
  if (const auto listening = host.listen("unix:" + path); !listening) {
    log.error("cannot listen", "error", listening.error());
    return 1;
  }
  if (const std::string group = environment("PLUGIN_UNIX_SOCKET_GROUP"); !group.empty() && item != 12) {
    static_cast<void>(::chown(path.c_str(), static_cast<uid_t>(-1), static_cast<gid_t>(std::atoi(group.c_str()))));
    ::chmod(path.c_str(), 0660);
  }
  if (!write_all(STDOUT_FILENO, handshake_line(item, path))) return 1;
  asio::signal_set signals(loop);
  if (item != 22) signals.add(SIGTERM);
  Scope scope(executor);
  scope.spawn(stop_at_signal(signals, stop));
  scope.spawn(misbehave_idle(item, plant, path));
  scope.spawn(run(stop, host, inner, std::move(client), *service, plant, loop));
  loop.run();
  // The server has removed its socket by itself.
  if (item == 24) static_cast<void>(write_file(path, ""));
  static_cast<void>(write_file(clean_file, ""));
  return item == 19 && !plant.was_called() ? 3 : 0;
}
}  // namespace
}  // namespace drover::planted

int main(int argc, char** argv) {
  const int item = argc > 1 ? std::atoi(argv[1]) : 0;
  const bool device = (item >= 101 && item <= 107) || (argc > 1 && argv[1][0] == 'd');
  return drover::planted::serve(item, device, argc);
}
