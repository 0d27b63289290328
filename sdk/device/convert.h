// The device interface's values to and from their protobuf messages. Included only by this folder's .cc files.
// Reading tolerates any absent sub-message and leaves out what is not finite; writing fills every one.
#pragma once

#include <device.pb.h>
#include <device_ext.pb.h>

#include "sdk/device/device.h"

namespace drover::device {

namespace pb = hashicorp::nomad::plugins::device;
namespace ext = drover::plugins::device;

inline constexpr const char* owner_hint_path = "/drover.plugins.device.DevicePluginExt/OwnerHint";
inline constexpr const char* release_path = "/drover.plugins.device.DevicePluginExt/Release";

[[nodiscard]] std::vector<DeviceGroup> read(const pb::FingerprintResponse& in);
void write(const std::vector<DeviceGroup>& in, pb::FingerprintResponse& out);
[[nodiscard]] Reservation read(const pb::ReserveResponse& in);
void write(const Reservation& in, pb::ReserveResponse& out);
[[nodiscard]] std::vector<DeviceGroupStats> read(const pb::StatsResponse& in);
void write(const std::vector<DeviceGroupStats>& in, pb::StatsResponse& out);
[[nodiscard]] Owner read(const ext::Owner& in);
void write(const Owner& in, ext::Owner& out);
[[nodiscard]] DeviceSet read(const ext::DeviceSet& in);
void write(const DeviceSet& in, ext::DeviceSet& out);

}  // namespace drover::device
