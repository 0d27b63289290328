// A complete device plugin: every file of a directory is a "greeter". A task that reserves some gets their names, and the files.
//
//   plugin "drover-hello-device" { config { directory = "/var/lib/greeters" } }
//   resources { device "drover/greeter" { count = 2 } }
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "sdk/base/clock.h"
#include "sdk/base/text.h"
#include "sdk/device/serve.h"
#include "sdk/plugin/config.h"

namespace {
using namespace drover;
using namespace drover::device;
using namespace std::chrono_literals;

class HelloDevice final : public DevicePlugin {
 public:
  explicit HelloDevice(Logger log) : log_(std::move(log)) {}

  Async<Result<>> set_config(std::string msgpack) override {
    const auto config = plugin::decode_config(msgpack);
    if (!config) co_return fail(config.error());
    directory_ = plugin::get_string(*config, "directory");
    co_return Result<>{};
  }

  // A file that is there is a device; one whose name ends in ".ill" is not well.
  Async<Result<>> fingerprint(Channel<std::vector<DeviceGroup>>& out) override {
    if (directory_.empty()) co_return fail(Code::unavailable, "device is not enabled");
    std::optional<std::vector<DeviceGroup>> told;
    for (;;) {
      std::vector<DeviceGroup> now{look()};
      if (told != now) {
        told = now;
        const bool sent = co_await out.send(std::move(now));
        if (!sent) co_return Result<>{};
      }
      co_await sleep_for(200ms);
    }
  }

  Async<Result<Reservation>> reserve(std::vector<std::string> ids) override {
    Reservation out;
    const DeviceGroup group = look();
    for (const std::string& id : ids) {
      if (std::ranges::find(group.devices, id, &DetectedDevice::id) == group.devices.end()) co_return fail(Code::not_found, "unknown device IDs: {}", id);
      out.mounts.push_back({"/greeters/" + id, directory_ + "/" + id, true});
    }
    out.envs["HELLO_GREETERS"] = join(ids, ",");
    co_return out;
  }

  // Only Drover tells this; an author who need not know leaves both out.
  Async<Result<>> owner_hint(Owner owner, DeviceSet devices) override {
    log_.info("greeters are held", "ids", join(devices.ids, ","), "task", owner.task, "alloc_id", owner.alloc_id);
    co_return Result<>{};
  }
  Async<Result<>> release(Owner owner, DeviceSet devices) override {
    log_.info("greeters are free", "ids", join(devices.ids, ","), "task", owner.task, "alloc_id", owner.alloc_id);
    co_return Result<>{};
  }

  Async<Result<>> stats(std::chrono::nanoseconds interval, Channel<std::vector<DeviceGroupStats>>& out) override {
    for (;;) {
      const DeviceGroup group = look();
      DeviceGroupStats stats{.vendor = group.vendor, .type = group.type, .name = group.name, .instances = {}};
      for (const DetectedDevice& one : group.devices) {
        std::error_code error;
        StatValue size;
        size.int_numerator = static_cast<std::int64_t>(std::filesystem::file_size(directory_ + "/" + one.id, error));
        size.unit = "bytes";
        size.description = "size of the greeting";
        stats.instances[one.id] = {size, {.nested = {}, .attributes = {{"size", size}}}, system_clock().unix_nanos()};
      }
      std::vector<DeviceGroupStats> all{std::move(stats)};
      const bool sent = co_await out.send(std::move(all));
      if (!sent) co_return Result<>{};
      co_await sleep_for(interval);
    }
  }

 private:
  [[nodiscard]] DeviceGroup look() const {
    DeviceGroup out{.vendor = "drover", .type = "greeter", .name = "file", .devices = {}, .attributes = {}};
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(directory_, error)) {
      if (!entry.is_regular_file(error)) continue;
      DetectedDevice one{.id = entry.path().filename().string(), .healthy = entry.path().extension() != ".ill", .health_description = {}, .pci_bus_id = {}};
      if (!one.healthy) one.health_description = "its name says so";
      out.devices.push_back(std::move(one));
    }
    std::ranges::sort(out.devices, {}, &DetectedDevice::id);
    out.attributes["memory"] = {std::int64_t{4}, "GiB"};
    out.attributes["language"] = {std::string("en"), ""};
    return out;
  }

  Logger log_;
  std::string directory_;
};
}  // namespace

int main() {
  using namespace drover::plugin;
  return serve_device({.name = "hello-device", .version = "0.1.0", .config_schema = object({{"directory", attr("directory", "string")}})},
                      [](Executor, Logger log) { return std::make_unique<HelloDevice>(std::move(log)); });
}
