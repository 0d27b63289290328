#include "tests/planted-plugin/device.h"

#include <fcntl.h>
#include <unistd.h>

#include <base.pb.h>
#include <device.pb.h>

#include <cstdlib>

#include "sdk/base/clock.h"
#include "sdk/base/fd.h"
#include "sdk/rpc/typed.h"

namespace drover::planted {
namespace {
namespace base = hashicorp::nomad::plugins::base::proto;
namespace device = hashicorp::nomad::plugins::device;
using namespace std::chrono_literals;

Async<Result<base::PluginInfoResponse>> info(base::PluginInfoRequest) {
  base::PluginInfoResponse out;
  out.set_type(base::DEVICE);
  out.set_name("planted-device");
  out.set_plugin_version("0.1.0");
  out.add_plugin_api_versions("v0.1.0");
  co_return out;
}
Async<Result<base::ConfigSchemaResponse>> schema(base::ConfigSchemaRequest) { co_return base::ConfigSchemaResponse(); }
Async<Result<base::SetConfigResponse>> set_config(base::SetConfigRequest request, int item) {
  if (item == 107 && request.msgpack_config().empty()) co_return fail(Code::internal, "SetConfig failed: EOF");
  co_return base::SetConfigResponse();
}

Async<Result<>> fingerprint(rpc::Stream& stream, int item) {
  if (item == 106) [[maybe_unused]] const int lost = ::dup(STDERR_FILENO);
  device::FingerprintResponse list;
  auto& group = *list.add_device_group();
  group.set_vendor("acme");
  group.set_device_type("gpu");
  group.set_device_name("m1");
  for (const char* id : {"d0", "d1"}) {
    auto& one = *group.add_devices();
    one.set_id(item == 101 ? "d0" : id);
    one.set_healthy(true);
  }
  std::string bytes = list.SerializeAsString();
  [[maybe_unused]] const bool sent = co_await stream.send(std::move(bytes));
  for (;;) co_await sleep_for(24h);
}

Async<Result<device::ReserveResponse>> reserve(device::ReserveRequest request, int item) {
  static int calls = 0;
  ++calls;
  device::ReserveResponse out;
  if (item == 102) co_return out;
  auto& reservation = *out.mutable_container_res();
  if (item == 103 && request.device_ids_size() == 0) ::_exit(2);
  for (const std::string& id : request.device_ids()) {
    if (id != "d0" && id != "d1") co_return fail(Code::internal, "unknown device IDs: {}", id);
    (*reservation.mutable_envs())["ACME_" + id] = item == 104 ? std::to_string(calls) : "1";
  }
  co_return out;
}

Async<Result<>> stats(rpc::Stream& stream, int item) {
  for (;;) {
    device::StatsResponse out;
    auto& group = *out.add_groups();
    group.set_vendor("acme");
    group.set_type("gpu");
    group.set_name("m1");
    for (const char* id : {"d0", "d1"}) {
      auto& one = (*group.mutable_instance_stats())[id];
      one.mutable_summary()->mutable_int_numerator_val()->set_value(1);
      if (item != 105) one.mutable_timestamp()->set_seconds(system_clock().unix_nanos() / 1'000'000'000);
    }
    std::string bytes = out.SerializeAsString();
    const bool sent = co_await stream.send(std::move(bytes));
    if (!sent) co_return Result<>{};
    co_await sleep_for(1s);
  }
}
// What a plugin without these calls answers; how often it was asked is in the file.
Async<Result<std::string>> not_offered(std::string call) {
  if (const char* directory = std::getenv("DROVER_STATE_DIR"); directory != nullptr) {
    const auto file = open_file(std::string(directory) + "/" + call, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (file) [[maybe_unused]] const auto written = ::write(file->get(), "x", 1);
  }
  co_return fail(Code::unimplemented, "unknown service drover.plugins.device.DevicePluginExt");
}
}  // namespace

void add_device_service(rpc::Server& server, const int& item) {
  const std::string base_path = "/hashicorp.nomad.plugins.base.proto.BasePlugin/", path = "/hashicorp.nomad.plugins.device.DevicePlugin/";
  rpc::handle_typed<base::PluginInfoRequest, base::PluginInfoResponse>(server, base_path + "PluginInfo", info);
  rpc::handle_typed<base::ConfigSchemaRequest, base::ConfigSchemaResponse>(server, base_path + "ConfigSchema", schema);
  rpc::handle_typed<base::SetConfigRequest, base::SetConfigResponse>(server, base_path + "SetConfig", [&item](base::SetConfigRequest request) { return set_config(std::move(request), item); });
  rpc::handle_typed<device::ReserveRequest, device::ReserveResponse>(server, path + "Reserve", [&item](device::ReserveRequest request) { return reserve(std::move(request), item); });
  for (const char* call : {"OwnerHint", "Release"}) {
    server.handle(std::string("/drover.plugins.device.DevicePluginExt/") + call, [call](CallInfo, std::string) { return not_offered(call); });
  }
  server.handle_stream(path + "Fingerprint", [&item](CallInfo, rpc::Stream& stream) { return fingerprint(stream, item); });
  server.handle_stream(path + "Stats", [&item](CallInfo, rpc::Stream& stream) { return stats(stream, item); });
}

}  // namespace drover::planted
