// The device interface's values to and from their protobuf messages. Included only by this folder's .cc files.
// Reading tolerates any absent sub-message and leaves out what is not finite; writing fills every one.
#pragma once

#include <device.pb.h>

#include "sdk/device/device.h"

namespace drover::device {

namespace pb = hashicorp::nomad::plugins::device;

[[nodiscard]] std::vector<DeviceGroup> read(const pb::FingerprintResponse& in);
void write(const std::vector<DeviceGroup>& in, pb::FingerprintResponse& out);
[[nodiscard]] Reservation read(const pb::ReserveResponse& in);
void write(const Reservation& in, pb::ReserveResponse& out);
[[nodiscard]] std::vector<DeviceGroupStats> read(const pb::StatsResponse& in);
void write(const std::vector<DeviceGroupStats>& in, pb::StatsResponse& out);

}  // namespace drover::device
