// drover-chaos-plugin <behaviour.json>: a driver that misbehaves as the file says (behaviour.h). It proves hosts, not itself.
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include <health.pb.h>

#include "sdk/async/scope.h"
#include "sdk/base/file.h"
#include "sdk/driver/service.h"
#include "sdk/plugin/handshake.h"
#include "sdk/plugin/secure_channel.h"
#include "sdk/rpc/typed.h"
#include "sdk/testkit/chaos-plugin/behaviour.h"
#include "sdk/testkit/plain_driver.h"
#include "sdk/testkit/relay.h"

namespace drover::testkit {
namespace {
using namespace std::chrono_literals;
using grpc::health::v1::HealthCheckRequest, grpc::health::v1::HealthCheckResponse;

[[noreturn]] void die() { ::_exit(2); }

Async<> die_soon(std::chrono::milliseconds delay) {
  co_await sleep_for(delay);
  die();
}

class Chaos final : public Meddler {
 public:
  Chaos(const Behaviour& behaviour, Scope& scope) : behaviour_(behaviour), scope_(scope) {}

  Intercepted before(std::string_view path, std::string& request) override {
    const std::string method = method_of(path);
    behaviour_.record(method, "call", request);
    fault_ = behaviour_.take(method);
    if (!fault_) return {};
    const std::string& kind = fault_->kind;
    if (kind == "die") die();
    // The driver has begun and the answer is lost.
    if (kind == "die_during") scope_.spawn(die_soon(5ms));
    if (kind == "die_after") scope_.spawn(die_soon(50ms));
    if (kind == "hang" || kind == "die_during") return {.answer = {}, .hang = kind == "hang"};
    if (kind == "error") {
      const Code code = fault_->code == "unavailable" ? Code::unavailable : fault_->code == "resource_exhausted" ? Code::resource_exhausted : Code::internal;
      return {.answer = Result<std::string>(fail(code, "{}", fault_->text)), .hang = false};
    }
    if (kind == "recoverable") return {.answer = Result<std::string>(fail(Error(Code::internal, fault_->text).with_recoverable())), .hang = false};
    if (kind == "answer") return {.answer = Result<std::string>(fault_->bytes), .hang = false};
    if (kind == "garbage") return {.answer = Result<std::string>(std::string("\xff\xff\xff garbage")), .hang = false};
    return {};
  }
  void after(std::string_view, const std::string&, Result<std::string>&) override {}
  void opened_stream(std::string_view path) override {
    behaviour_.record(method_of(path), "open", "");
    stream_fault_ = behaviour_.take(method_of(path));
    if (stream_fault_ && stream_fault_->kind == "die") die();
  }
  bool to_driver(std::string_view path, std::string& message) override {
    behaviour_.record(method_of(path), "host sends", message);
    return true;
  }
  bool to_host(std::string_view path, std::string& message) override {
    const auto fault = behaviour_.take(method_of(path) + ".message");
    if (!fault) return true;
    if (fault->kind == "answer") message = fault->bytes;
    if (fault->kind == "garbage") message = "\xff\xff\xff";
    if (fault->kind == "die") die();
    return fault->kind != "drop";
  }
  std::optional<Result<>> ends_stream(std::string_view, std::size_t) override {
    if (!stream_fault_) return std::nullopt;
    if (stream_fault_->kind == "end") return Result<>{};
    if (stream_fault_->kind == "end_error") return Result<>(fail(Code::internal, "{}", stream_fault_->text));
    return std::nullopt;
  }

 private:
  static std::string method_of(std::string_view path) { return std::string(path.substr(path.rfind('/') + 1)); }
  const Behaviour& behaviour_;
  Scope& scope_;
  std::optional<Fault> fault_, stream_fault_;
};

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

void write_logs(const std::string& kind) {
  if (kind == "types") {
    std::fputs("{\"@message\":{\"a\":1},\"@level\":7,\"@timestamp\":[]}\n{\"@message\":null,\"@level\":null}\n[1,2]\n{\n", stderr);
  } else if (kind == "long") {
    std::fputs((std::string(10 << 20, 'l') + "\n").c_str(), stderr);
  } else if (kind == "nul") {
    static_cast<void>(!write_all(STDERR_FILENO, std::string_view("a\0b\x1b[31m\xff\xfe\n\n\0\n", 15)));
  }
}

Async<> flood() {
  const std::string line = "{\"@level\":\"info\",\"@message\":\"a line of many\",\"@timestamp\":\"2026-01-02T03:04:05.000006Z\"}\n";
  std::string block;
  for (int i = 0; i < 10'000; ++i) block += line;
  for (;;) {  // 100,000 a second
    static_cast<void>(!write_all(STDERR_FILENO, block));
    co_await sleep_for(100ms);
  }
}

// The handshake line, or what comes instead; ends the process when that is part of it.
std::string first_output(const std::string& kind, const std::string& path, const std::string& certificate) {
  const std::string line = plugin::format_handshake({"unix", path, certificate});
  if (kind == "garbage") return "Hello, I am a plugin\n";
  if (kind == "five") return "1|2|unix|" + path + "|grpc\n";
  if (kind == "seven") return line.substr(0, line.size() - 1) + "|true\n";
  if (kind == "long") return std::string(100'000, '1') + line;
  if (kind == "version") return "1|1|unix|" + path + "|grpc|\n";
  if (kind == "netrpc") return "1|2|unix|" + path + "\n";
  if (kind == "elsewhere") return "1|2|unix|/tmp/plugin-of-nobody|grpc|\n";
  if (kind == "silent") ::_exit(0);
  if (kind == "none") {
    std::fputs("chaos: cannot start\n", stderr);
    ::_exit(1);
  }
  return line;
}

Async<Result<HealthCheckResponse>> healthy(HealthCheckRequest request) {
  if (!request.service().empty() && request.service() != "plugin") co_return fail(Code::not_found, "unknown service");
  HealthCheckResponse out;
  out.set_status(HealthCheckResponse::SERVING);
  co_return out;
}

Async<Result<>> stay_open(CallInfo, rpc::Stream&) {
  for (;;) co_await sleep_for(24h);
}

Async<Result<std::string>> shut_down(Event* stop) {
  stop->set();
  co_return std::string();
}

// Sends what the script of the stream says, as it grows. A new stream goes on where the last one stopped.
Async<Result<>> play(const Behaviour& behaviour, std::string name, std::size_t& done, rpc::Stream& stream) {
  for (;;) {
    for (const std::string& line : behaviour.script(name, done)) {
      ++done;
      if (line == "end") co_return Result<>{};
      if (line.starts_with("error ")) co_return fail(Code::internal, "{}", line.substr(6));
      std::string bytes = from_hex(line);
      const bool sent = co_await stream.send(std::move(bytes));
      if (!sent) co_return Result<>{};
    }
    co_await sleep_for(20ms);
  }
}

Async<> run_until(Event& stop, rpc::Server& host, rpc::Server& inner, std::shared_ptr<rpc::Client> client, asio::io_context& loop) {
  co_await stop.wait();
  co_await host.stop();
  client.reset();
  co_await inner.stop();
  loop.stop();
}

int serve(const Behaviour& behaviour) {
  if (environment(plugin::cookie_key) != plugin::cookie_value) {
    std::fputs("This program is a test plugin; an agent starts it.\n", stderr);
    return 1;
  }
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
  write_logs(behaviour.text("logs"));
  ::usleep(static_cast<useconds_t>(behaviour.number("delay_ms")) * 1000);

  asio::io_context loop(1);
  const Executor executor = loop.get_executor();
  Event stop(executor);
  Scope scope(executor);
  const std::string name = behaviour.text("name", "chaos");
  const auto service = driver::make_service(executor, {.name = name, .version = behaviour.text("version", "1.0.0"), .config_schema = {}, .task_config_schema = PlainDriver::task_config_schema()},
                                            std::make_unique<PlainDriver>(executor, name));
  rpc::Server inner(executor), host(executor);
  service->add_to(inner);
  auto client = inner.in_process();
  Chaos chaos(behaviour, scope);
  Relay relay(*client, chaos);
  relay.add_to(host);
  std::size_t fingerprints = 0, events = 0;
  if (behaviour.number("scripted") != 0) {
    host.handle_stream("/hashicorp.nomad.plugins.drivers.proto.Driver/Fingerprint", [&](CallInfo, rpc::Stream& stream) { return play(behaviour, "fingerprint", fingerprints, stream); });
    host.handle_stream("/hashicorp.nomad.plugins.drivers.proto.Driver/TaskEvents", [&](CallInfo, rpc::Stream& stream) { return play(behaviour, "events", events, stream); });
  }
  if (!behaviour.without("health")) rpc::handle_typed<HealthCheckRequest, HealthCheckResponse>(host, "/grpc.health.v1.Health/Check", healthy);
  if (!behaviour.without("controller")) host.handle("/plugin.GRPCController/Shutdown", [&stop](CallInfo, std::string) { return shut_down(&stop); });
  if (!behaviour.without("stdio")) host.handle_stream("/plugin.GRPCStdio/StreamStdio", stay_open);
  if (!behaviour.without("broker")) host.handle_stream("/plugin.GRPCBroker/StartStream", stay_open);
  const std::string path = environment("PLUGIN_UNIX_SOCKET_DIR") + "/plugin" + std::to_string(::getpid());
  std::optional<plugin::TlsListener> tls;
  // A line of five fields is from a time before TLS.
  const std::string asked = behaviour.text("handshake") == "five" ? std::string() : environment("PLUGIN_CLIENT_CERT");
  const bool lies = behaviour.text("tls") == "lies" && !asked.empty();
  auto certificate = plugin::listen_for_host(path, lies ? "" : asked, host, executor, Logger(), tls);
  if (lies) certificate = plugin::to_field(asked);
  if (!certificate) return 1;
  const std::string output = first_output(behaviour.text("handshake"), path, *certificate);
  if (!write_all(STDOUT_FILENO, output)) return 1;
  if (behaviour.text("logs") == "flood") scope.spawn(flood());
  if (const int after = behaviour.number("die_after_ms"); after > 0) scope.spawn(die_soon(std::chrono::milliseconds(after)));
  scope.spawn(run_until(stop, host, inner, std::move(client), loop));
  loop.run();
  ::unlink(path.c_str());
  return 0;
}
}  // namespace
}  // namespace drover::testkit

int main(int argc, char** argv) {
  const drover::testkit::Behaviour behaviour(argc > 1 ? argv[1] : "");
  return drover::testkit::serve(behaviour);
}
