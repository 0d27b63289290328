#include "sdk/device/serve.h"

#include <base.pb.h>

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include "sdk/device/convert.h"
#include "sdk/plugin/handshake.h"
#include "sdk/plugin/schema_proto.h"
#include "sdk/plugin/serve.h"
#include "sdk/rpc/server.h"
#include "sdk/rpc/typed.h"

namespace drover::device {
namespace {
namespace base = hashicorp::nomad::plugins::base::proto;
using namespace std::chrono_literals;
constexpr std::size_t stream_limit = 16;
constexpr const char* base_path = "/hashicorp.nomad.plugins.base.proto.BasePlugin/";
constexpr const char* device_path = "/hashicorp.nomad.plugins.device.DevicePlugin/";

// Hosts written in Go expect a plugin's errors as UNKNOWN with the bare text (5.1).
Error plain(const Error& error) { return error.code() == Code::unimplemented ? error : Error(Code::internal, error.message()); }

template <class Rep>
Async<Result<Rep>> done(Async<Result<>> work) {
  const auto result = co_await std::move(work);
  if (!result) co_return fail(plain(result.error()));
  co_return Rep();
}

template <class T>
Async<> produce(Async<Result<>> source, Channel<T>& channel, Result<>& result) {
  result = co_await std::move(source);
  channel.close();
}
template <class Rep, class T>
Async<> pump(Channel<T>& channel, rpc::Stream& stream) {
  for (;;) {
    const auto value = co_await channel.receive();
    if (!value) co_return;
    Rep message;
    write(*value, message);
    std::string bytes = message.SerializeAsString();
    const bool sent = co_await stream.send(std::move(bytes));
    if (sent) continue;
    channel.close();
    co_return;
  }
}

class DeviceService final : public plugin::Service {
 public:
  DeviceService(Executor executor, PluginInfo info, std::unique_ptr<DevicePlugin> plugin)
      : executor_(std::move(executor)), info_(std::move(info)), plugin_(std::move(plugin)) {}

  Async<> close() override { co_return; }

  void add_to(rpc::Server& server) override {
    rpc::handle_typed<base::PluginInfoRequest, base::PluginInfoResponse>(server, std::string(base_path) + "PluginInfo", [this](base::PluginInfoRequest) { return plugin_info(); });
    rpc::handle_typed<base::ConfigSchemaRequest, base::ConfigSchemaResponse>(server, std::string(base_path) + "ConfigSchema", [this](base::ConfigSchemaRequest) { return config_schema(); });
    rpc::handle_typed<base::SetConfigRequest, base::SetConfigResponse>(server, std::string(base_path) + "SetConfig", [this](base::SetConfigRequest r) { return set_config(std::move(r)); });
    rpc::handle_typed<pb::ReserveRequest, pb::ReserveResponse>(server, std::string(device_path) + "Reserve", [this](pb::ReserveRequest r) { return reserve(std::move(r)); });
    rpc::handle_typed<ext::OwnerHintRequest, ext::OwnerHintResponse>(server, owner_hint_path, [this](const ext::OwnerHintRequest& r) {
      return done<ext::OwnerHintResponse>(plugin_->owner_hint(read(r.owner()), read(r.devices())));
    });
    rpc::handle_typed<ext::ReleaseRequest, ext::ReleaseResponse>(server, release_path, [this](const ext::ReleaseRequest& r) {
      return done<ext::ReleaseResponse>(plugin_->release(read(r.owner()), read(r.devices())));
    });
    server.handle_stream(std::string(device_path) + "Fingerprint", [this](CallInfo, rpc::Stream& stream) { return fingerprint(stream); });
    server.handle_stream(std::string(device_path) + "Stats", [this](CallInfo, rpc::Stream& stream) { return stats(stream); });
  }

 private:
  Async<Result<base::PluginInfoResponse>> plugin_info() {
    base::PluginInfoResponse out;
    out.set_type(base::DEVICE);
    out.add_plugin_api_versions(plugin::api_version);
    out.set_plugin_version(info_.version);
    out.set_name(info_.name);
    co_return out;
  }
  Async<Result<base::ConfigSchemaResponse>> config_schema() {
    base::ConfigSchemaResponse out;
    if (info_.config_schema) plugin::to_proto(info_.config_schema, *out.mutable_spec());
    co_return out;
  }
  Async<Result<base::SetConfigResponse>> set_config(base::SetConfigRequest request) {
    const auto result = co_await plugin_->set_config(std::move(*request.mutable_msgpack_config()));
    if (!result) co_return fail(plain(result.error()));
    co_return base::SetConfigResponse();
  }
  Async<Result<pb::ReserveResponse>> reserve(pb::ReserveRequest request) {
    std::vector<std::string> ids(request.device_ids().begin(), request.device_ids().end());
    const auto reservation = co_await plugin_->reserve(std::move(ids));
    if (!reservation) co_return fail(plain(reservation.error()));
    pb::ReserveResponse out;
    write(*reservation, out);
    co_return out;
  }
  Async<Result<>> fingerprint(rpc::Stream& stream) {
    Channel<std::vector<DeviceGroup>> channel(executor_, stream_limit);
    Result<> result;
    using namespace asio::experimental::awaitable_operators;
    auto both = produce(plugin_->fingerprint(channel), channel, result) && pump<pb::FingerprintResponse>(channel, stream);
    co_await std::move(both);
    if (!result) co_return fail(plain(result.error()));
    co_return Result<>{};
  }
  Async<Result<>> stats(rpc::Stream& stream) {
    const auto bytes = co_await stream.receive();
    pb::StatsRequest request;
    if (!bytes || !request.ParseFromString(*bytes)) co_return fail(Code::internal, "the request for statistics is malformed");
    std::chrono::nanoseconds interval = std::chrono::seconds(request.collection_interval().seconds()) + std::chrono::nanoseconds(request.collection_interval().nanos());
    if (interval <= 0ns) interval = 1s;
    Channel<std::vector<DeviceGroupStats>> channel(executor_, stream_limit);
    Result<> result;
    using namespace asio::experimental::awaitable_operators;
    auto both = produce(plugin_->stats(std::max<std::chrono::nanoseconds>(interval, 10ms), channel), channel, result) && pump<pb::StatsResponse>(channel, stream);
    co_await std::move(both);
    if (!result) co_return fail(plain(result.error()));
    co_return Result<>{};
  }

  Executor executor_;
  PluginInfo info_;
  std::unique_ptr<DevicePlugin> plugin_;
};
}  // namespace

int serve_device(PluginInfo info, const DeviceFactory& make) {
  const std::string name = info.name;
  return plugin::serve(name, "the device plugin " + name, [&](Executor executor, Logger log) {
    auto made = make(executor, std::move(log));
    return std::make_unique<DeviceService>(executor, info, std::move(made));
  });
}

}  // namespace drover::device
