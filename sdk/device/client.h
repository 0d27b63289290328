// The host's side of a device plugin: each function is one RPC of protocol section 6; the base service is asked through
// driver::DriverClient, which both kinds share. Loop only.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "sdk/device/device.h"

namespace drover::rpc { class Client; }

namespace drover::device {

class DeviceClient {
 public:
  // Null disconnects: every call then fails with "plugin is shut down".
  void connect(std::shared_ptr<rpc::Client> connection) { connection_ = std::move(connection); }

  // Puts what arrives into `out` until the stream ends; the error says why. Cancel the coroutine to stop it.
  [[nodiscard]] Async<Result<>> fingerprint(Channel<std::vector<DeviceGroup>>& out);
  [[nodiscard]] Async<Result<>> stats(std::chrono::nanoseconds interval, Channel<std::vector<DeviceGroupStats>>& out);
  [[nodiscard]] Async<Result<Reservation>> reserve(std::vector<std::string> ids);
  // Drover's own service. Code::unimplemented: the plugin does not offer it.
  [[nodiscard]] Async<Result<>> owner_hint(Owner owner, DeviceSet devices);
  [[nodiscard]] Async<Result<>> release(Owner owner, DeviceSet devices);

 private:
  std::shared_ptr<rpc::Client> connection_;
};

}  // namespace drover::device
