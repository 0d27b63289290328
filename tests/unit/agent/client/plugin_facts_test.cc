#include "agent/client/plugin_facts.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include "sdk/base/fd.h"

using namespace drover;
using namespace drover::agent;

namespace {
device::DeviceGroup group() {
  device::DeviceGroup out{.vendor = "acme", .type = "gpu", .name = "m1", .devices = {}, .attributes = {{"memory", {std::int64_t{4}, "GiB"}}}};
  out.devices.push_back({.id = "a", .healthy = true, .health_description = {}, .pci_bus_id = "0000:00:01.0"});
  out.devices.push_back({.id = "b", .healthy = false, .health_description = "too hot", .pci_bus_id = {}});
  return out;
}
model::List<model::AllocatedDeviceResource> held(std::initializer_list<const char*> ids) {
  model::AllocatedDeviceResource out;
  out.vendor = "acme";
  out.type = "gpu";
  out.name = "m1";
  for (const char* id : ids) out.device_ids.push_back(id);
  model::List<model::AllocatedDeviceResource> list;
  list.push_back(std::move(out));
  return list;
}
}  // namespace

TEST_CASE("plugin facts: devices become resources of the node, with unit and locality") {
  const auto resources = device_resources({group()});
  REQUIRE(resources.size() == 1);
  const auto& first = *resources.begin();
  CHECK(first.vendor == "acme");
  REQUIRE(first.instances.size() == 2);
  CHECK(first.instances.begin()->healthy);
  REQUIRE(first.instances.begin()->locality);
  CHECK(first.instances.begin()->locality->pci_bus_id == "0000:00:01.0");
  const auto* memory = first.attributes.get("memory");
  REQUIRE(memory != nullptr);
  CHECK(memory->int_ == 4);
  CHECK(memory->unit == "GiB");
}

TEST_CASE("F_32 plugin facts: a task's devices that are gone or ill are named") {
  CHECK(lost_devices(held({"a"}), {group()}).empty());
  CHECK(lost_devices(held({"a", "b", "c"}), {group()}) == std::vector<std::string>{"acme/gpu/m1 b (too hot)", "acme/gpu/m1 c (gone)"});
  CHECK(lost_devices(held({"a"}), {}) == std::vector<std::string>{"acme/gpu/m1 a (gone)"});
}

TEST_CASE("plugin facts: figures of devices are those of the task's own") {
  device::DeviceGroupStats stats{.vendor = "acme", .type = "gpu", .name = "m1", .instances = {}};
  stats.instances["a"].summary.int_numerator = 1;
  stats.instances["b"].summary.text = "N/A";
  CHECK(device_stats({stats}, nullptr).begin()->instance_stats.size() == 2);
  const auto mine = held({"b"});
  const auto of_task = device_stats({stats}, &mine);
  REQUIRE(of_task.size() == 1);
  REQUIRE(of_task.begin()->instance_stats.size() == 1);
  CHECK(of_task.begin()->instance_stats.get("b")->summary->string_val == "N/A");
}

TEST_CASE("P_27 plugin facts: memory, threads and descriptors are those of the plugin's process") {
  pluginhost::PluginStatus status;
  status.name = "hello";
  CHECK(agent_plugin(status, 0).open_files == 0);
  status.pid = ::getpid();
  const auto before = agent_plugin(status, 0);
  const Fd more(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const auto after = agent_plugin(status, 0);
  CHECK(after.open_files == before.open_files + 1);
  CHECK(after.threads >= 1);
  CHECK(after.memory_bytes > 0);
}
