// The interface a device plugin implements. `serve_device()` (sdk/device/serve.h) turns it into a plugin process that any
// Nomad-compatible host can load; `DeviceClient` (sdk/device/client.h) is the host's side of the same calls.
//
// All functions are called on the plugin's loop, one thread. Contract: plugin protocol section 6. A device plugin keeps no state
// of tasks: hosts start it anew whenever they like.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sdk/async/asio.h"
#include "sdk/async/channel.h"
#include "sdk/base/error.h"
#include "sdk/driver/driver.h"

namespace drover::device {

using driver::Attribute;

struct DetectedDevice {
  std::string id;  // unique in its group, the same after a reboot if possible
  bool healthy = true;
  std::string health_description;
  std::string pci_bus_id;
  friend bool operator==(const DetectedDevice&, const DetectedDevice&) = default;
};

// Devices that are alike: what a job asks for as `<type>`, `<vendor>/<type>` or `<vendor>/<type>/<name>`.
struct DeviceGroup {
  std::string vendor, type, name;  // vendor and type without a slash
  std::vector<DetectedDevice> devices;
  std::map<std::string, Attribute> attributes;  // `${device.attr.<key>}` of constraints
  friend bool operator==(const DeviceGroup&, const DeviceGroup&) = default;
};

struct Mount {
  std::string task_path, host_path;
  bool read_only = false;
  friend bool operator==(const Mount&, const Mount&) = default;
};
struct DeviceNode {
  std::string task_path, host_path;
  std::string permissions;  // of "rwm"
  friend bool operator==(const DeviceNode&, const DeviceNode&) = default;
};
// What a task gets that was given some of a group's devices.
struct Reservation {
  std::map<std::string, std::string> envs;
  std::vector<Mount> mounts;
  std::vector<DeviceNode> devices;
  friend bool operator==(const Reservation&, const Reservation&) = default;
};

// For whom devices are.
struct Owner {
  std::string namespace_, job_id, task_group, alloc_id, task;
  friend bool operator==(const Owner&, const Owner&) = default;
};
// Some devices of one group.
struct DeviceSet {
  std::string vendor, type, name;
  std::vector<std::string> ids;
  friend bool operator==(const DeviceSet&, const DeviceSet&) = default;
};

// A number, with a denominator a ratio; or a text, or yes and no.
struct StatValue {
  std::optional<double> float_numerator, float_denominator;
  std::optional<std::int64_t> int_numerator, int_denominator;
  std::optional<std::string> text;
  std::optional<bool> flag;
  std::string unit, description;
  friend bool operator==(const StatValue&, const StatValue&) = default;
};
struct StatObject {
  std::map<std::string, StatObject> nested;
  std::map<std::string, StatValue> attributes;
  friend bool operator==(const StatObject&, const StatObject&) = default;
};
struct DeviceStats {
  StatValue summary;
  StatObject stats;
  std::int64_t timestamp = 0;  // Unix nanoseconds
  friend bool operator==(const DeviceStats&, const DeviceStats&) = default;
};
struct DeviceGroupStats {
  std::string vendor, type, name;
  std::map<std::string, DeviceStats> instances;  // by device id
  friend bool operator==(const DeviceGroupStats&, const DeviceGroupStats&) = default;
};

class DevicePlugin {
 public:
  virtual ~DevicePlugin() = default;
  // The plugin's own configuration, msgpack by its schema. May be called more than once, and without anything after it.
  virtual Async<Result<>> set_config(std::string msgpack) = 0;
  // Sends the complete list at once and again whenever anything changes, until cancelled.
  virtual Async<Result<>> fingerprint(Channel<std::vector<DeviceGroup>>& out) = 0;
  // Quick and without side effects: of hosts only Drover tells when the devices are free again, by release().
  virtual Async<Result<Reservation>> reserve(std::vector<std::string> ids) = 0;
  // Sends a complete set every `interval` until cancelled.
  virtual Async<Result<>> stats(std::chrono::nanoseconds interval, Channel<std::vector<DeviceGroupStats>>& out) = 0;

  // The next two are Drover's own; a genuine Nomad never calls them, and a plugin that leaves them out loses nothing.
  //
  // Whom the devices are for: told before reserve(), and to a new process of the plugin for each task that holds some still. An error
  // keeps nobody from the devices.
  virtual Async<Result<>> owner_hint(Owner owner, DeviceSet devices);
  // The task has ended for good: its devices are free. After a crash on either side it comes once more, also for what this process has
  // never heard of; when another task has the device by then, the owner tells them apart.
  virtual Async<Result<>> release(Owner owner, DeviceSet devices);
};

}  // namespace drover::device
