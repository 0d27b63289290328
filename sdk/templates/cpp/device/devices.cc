#include "devices.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "sdk/base/clock.h"
#include "sdk/base/text.h"
#include "sdk/plugin/config.h"

using namespace drover;
using namespace drover::device;
using namespace std::chrono_literals;

plugin::Spec config_schema() { return plugin::object({{"directory", plugin::attr("directory", "string")}}); }

Async<Result<>> Devices::set_config(std::string msgpack) {
  const auto config = plugin::decode_config(msgpack);
  if (!config) co_return fail(config.error());
  std::error_code error;
  directory_ = plugin::get_string(*config, "directory");
  if (!directory_.empty()) directory_ = std::filesystem::absolute(directory_, error).string();
  co_return Result<>{};
}

// The whole list at once, and again whenever it changes.
Async<Result<>> Devices::fingerprint(Channel<std::vector<DeviceGroup>>& out) {
  if (directory_.empty()) co_return fail(Code::unavailable, "device is not enabled");
  std::optional<std::vector<DeviceGroup>> told;
  for (;;) {
    std::vector<DeviceGroup> now{look()};
    if (told != now) {
      told = now;
      const bool sent = co_await out.send(std::move(now));
      if (!sent) co_return Result<>{};
    }
    co_await sleep_for(1s);
  }
}

// Nothing releases a reservation: it must be cheap, and the same each time.
Async<Result<Reservation>> Devices::reserve(std::vector<std::string> ids) {
  Reservation out;
  const DeviceGroup group = look();
  for (const std::string& id : ids) {
    if (std::ranges::find(group.devices, id, &DetectedDevice::id) == group.devices.end()) co_return fail(Code::not_found, "unknown device IDs: {}", id);
    out.mounts.push_back({"/devices/" + id, directory_ + "/" + id, true});
  }
  std::string variable = "@name@_DEVICES";
  for (char& c : variable) c = c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  out.envs[variable] = join(ids, ",");
  co_return out;
}

Async<Result<>> Devices::stats(std::chrono::nanoseconds interval, Channel<std::vector<DeviceGroupStats>>& out) {
  for (;;) {
    const DeviceGroup group = look();
    DeviceGroupStats stats{.vendor = group.vendor, .type = group.type, .name = group.name, .instances = {}};
    for (const DetectedDevice& one : group.devices) {
      std::error_code error;
      StatValue size;
      size.int_numerator = static_cast<std::int64_t>(std::filesystem::file_size(directory_ + "/" + one.id, error));
      size.unit = "bytes";
      size.description = "size of the file";
      stats.instances[one.id] = {size, {.nested = {}, .attributes = {{"size", size}}}, system_clock().unix_nanos()};
    }
    std::vector<DeviceGroupStats> all{std::move(stats)};
    const bool sent = co_await out.send(std::move(all));
    if (!sent) co_return Result<>{};
    co_await sleep_for(interval);
  }
}

// Jobs ask for "example/@name@/file", "example/@name@" or "@name@".
DeviceGroup Devices::look() const {
  DeviceGroup out{.vendor = "example", .type = "@name@", .name = "file", .devices = {}, .attributes = {}};
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory_, error)) {
    if (entry.is_regular_file(error)) out.devices.push_back({.id = entry.path().filename().string(), .healthy = true, .health_description = {}, .pci_bus_id = {}});
  }
  std::ranges::sort(out.devices, {}, &DetectedDevice::id);
  out.attributes["language"] = {std::string("en"), ""};
  return out;
}
