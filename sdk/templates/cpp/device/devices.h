// The device plugin @name@: every file of a directory is a device. A task that reserves some gets their names, and the files. All
// calls come on one thread, the loop: no locks.
#pragma once

#include <string>
#include <vector>

#include "sdk/device/device.h"
#include "sdk/plugin/schema.h"

drover::plugin::Spec config_schema();

class Devices final : public drover::device::DevicePlugin {
 public:
  drover::Async<drover::Result<>> set_config(std::string msgpack) override;
  drover::Async<drover::Result<>> fingerprint(drover::Channel<std::vector<drover::device::DeviceGroup>>& out) override;
  drover::Async<drover::Result<drover::device::Reservation>> reserve(std::vector<std::string> ids) override;
  drover::Async<drover::Result<>> stats(std::chrono::nanoseconds interval, drover::Channel<std::vector<drover::device::DeviceGroupStats>>& out) override;

 private:
  [[nodiscard]] drover::device::DeviceGroup look() const;
  std::string directory_;
};
