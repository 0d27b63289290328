#include "sdk/testkit/relay.h"

#include <boost/asio/experimental/awaitable_operators.hpp>

namespace drover::testkit {
namespace {
using namespace std::chrono_literals;

Async<> forever() {
  for (;;) co_await sleep_for(24h);
}
}  // namespace

void Relay::add_to(rpc::Server& host) {
  const std::string base = "/hashicorp.nomad.plugins.base.proto.BasePlugin/", driver = "/hashicorp.nomad.plugins.drivers.proto.Driver/";
  const auto unary = [this](CallInfo info, std::string request) { return answer(std::move(info.method), std::move(request)); };
  for (const char* method : {"PluginInfo", "ConfigSchema", "SetConfig"}) host.handle(base + method, unary);
  for (const char* method : {"Init", "Shutdown", "TaskConfigSchema", "Capabilities", "StartTask", "RecoverTask", "WaitTask", "StopTask", "DestroyTask", "InspectTask",
                             "SignalTask", "ExecTask", "CreateNetwork", "DestroyNetwork"}) {
    host.handle(driver + method, unary);
  }
  for (const char* method : {"Fingerprint", "TaskStats", "TaskEvents", "ExecTaskStreaming"}) {
    host.handle_stream(driver + method, [this](CallInfo info, rpc::Stream& call) { return stream(std::move(info.method), call); });
  }
}

Async<Result<std::string>> Relay::answer(std::string path, std::string request) {
  auto intercepted = meddler_.before(path, request);
  if (intercepted.hang) co_await forever();
  if (intercepted.answer) co_return *std::move(intercepted.answer);
  std::string copy = request;
  auto reply = co_await driver_.call(path, std::move(copy), 0s);
  meddler_.after(path, request, reply);
  co_return reply;
}

Async<Result<>> Relay::stream(std::string path, rpc::Stream& host) {
  meddler_.opened_stream(path);
  const auto driver = driver_.open(path);
  using namespace asio::experimental::awaitable_operators;
  auto both = to_host(path, *driver, host) || to_driver(path, host, *driver);
  auto first = co_await std::move(both);
  co_return first.index() == 0 ? std::get<0>(std::move(first)) : Result<>{};
}

Async<> Relay::to_driver(const std::string& path, rpc::Stream& host, rpc::Stream& driver) {
  for (;;) {
    auto message = co_await host.receive();
    if (!message) break;
    if (!meddler_.to_driver(path, *message)) continue;
    const bool sent = co_await driver.send(std::move(*message));
    if (!sent) break;
  }
  driver.close_send();
  co_await forever();
}

Async<Result<>> Relay::to_host(const std::string& path, rpc::Stream& driver, rpc::Stream& host) {
  for (std::size_t count = 0;;) {
    if (auto end = meddler_.ends_stream(path, count)) co_return *std::move(end);
    auto message = co_await driver.receive();
    if (!message) co_return driver.status();
    if (!meddler_.to_host(path, *message)) continue;
    const bool sent = co_await host.send(std::move(*message));
    if (!sent) co_return Result<>{};
    ++count;
  }
}

}  // namespace drover::testkit
