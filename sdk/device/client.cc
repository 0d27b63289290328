#include "sdk/device/client.h"

#include "sdk/device/convert.h"
#include "sdk/rpc/client.h"
#include "sdk/rpc/typed.h"

namespace drover::device {
namespace {
constexpr std::chrono::seconds reserve_limit{10}, owner_limit{10};

std::string path(const char* method) { return std::string("/hashicorp.nomad.plugins.device.DevicePlugin/") + method; }
Error shut_down() { return Error(Code::unavailable, "plugin is shut down"); }

template <class Rep, class T, class Req>
Async<Result<>> follow(std::shared_ptr<rpc::Client> connection, std::string method, Req request, Channel<T>& out) {
  if (!connection) co_return fail(shut_down());
  const auto status = co_await rpc::follow_typed<Rep, T>(std::move(connection), std::move(method), std::move(request), out,
                                                         [](const Rep& reply) { return read(reply); });
  if (!status) co_return fail(status.error().code() == Code::unavailable ? shut_down() : status.error());
  co_return Result<>{};
}

template <class Rep, class Req>
Async<Result<>> tell(std::shared_ptr<rpc::Client> connection, std::string method, Owner owner, DeviceSet devices) {
  if (!connection) co_return fail(shut_down());
  Req request;
  write(owner, *request.mutable_owner());
  write(devices, *request.mutable_devices());
  const auto reply = co_await rpc::call_typed<Rep>(*connection, std::move(method), request, owner_limit);
  if (!reply) co_return fail(reply.error().code() == Code::unavailable ? shut_down() : reply.error());
  co_return Result<>{};
}
}  // namespace

Async<Result<>> DeviceClient::owner_hint(Owner owner, DeviceSet devices) {
  return tell<ext::OwnerHintResponse, ext::OwnerHintRequest>(connection_, owner_hint_path, std::move(owner), std::move(devices));
}

Async<Result<>> DeviceClient::release(Owner owner, DeviceSet devices) {
  return tell<ext::ReleaseResponse, ext::ReleaseRequest>(connection_, release_path, std::move(owner), std::move(devices));
}

Async<Result<>> DeviceClient::fingerprint(Channel<std::vector<DeviceGroup>>& out) {
  return follow<pb::FingerprintResponse>(connection_, path("Fingerprint"), pb::FingerprintRequest(), out);
}

Async<Result<>> DeviceClient::stats(std::chrono::nanoseconds interval, Channel<std::vector<DeviceGroupStats>>& out) {
  pb::StatsRequest request;
  request.mutable_collection_interval()->set_seconds(interval.count() / 1'000'000'000);
  request.mutable_collection_interval()->set_nanos(static_cast<std::int32_t>(interval.count() % 1'000'000'000));
  return follow<pb::StatsResponse>(connection_, path("Stats"), std::move(request), out);
}

Async<Result<Reservation>> DeviceClient::reserve(std::vector<std::string> ids) {
  const auto connection = connection_;
  if (!connection) co_return fail(shut_down());
  pb::ReserveRequest request;
  for (std::string& id : ids) request.add_device_ids(std::move(id));
  const auto reply = co_await rpc::call_typed<pb::ReserveResponse>(*connection, path("Reserve"), request, reserve_limit);
  if (!reply) co_return fail(reply.error().code() == Code::unavailable ? shut_down() : reply.error());
  co_return read(*reply);
}

}  // namespace drover::device
