// What a host accepts of a device plugin (P-26, protocol 6.2, 6.3). Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sdk/device/device.h"

namespace drover::device {

// "acme/gpu/m1".
[[nodiscard]] std::string group_name(const DeviceGroup& group);
// The error says what of the group is wrong.
[[nodiscard]] Result<> check_group(const DeviceGroup& group);
[[nodiscard]] Result<> check_reservation(const Reservation& reservation);
// "MiB", "MB/s", "GHz", "W": case matters.
[[nodiscard]] bool is_known_unit(std::string_view unit);

// The groups that are accepted; a refused one costs the plugin only that group. `refused` gets a sentence for each.
[[nodiscard]] std::vector<DeviceGroup> accept_groups(std::vector<DeviceGroup> groups, std::vector<std::string>& refused);

}  // namespace drover::device
