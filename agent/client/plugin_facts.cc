#include "agent/client/plugin_facts.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "agent/task/events.h"
#include "sdk/base/file.h"
#include "sdk/base/text.h"
#include "sdk/device/check.h"
#include "sdk/driver/inspect.h"

namespace drover::agent {
namespace {
model::Attribute to_model(const device::Attribute& from) {
  model::Attribute out;
  out.unit = from.unit;
  if (const bool* flag = std::get_if<bool>(&from.value)) out.bool_ = *flag;
  else if (const auto* integer = std::get_if<std::int64_t>(&from.value)) out.int_ = *integer;
  else if (const double* number = std::get_if<double>(&from.value)) out.float_ = *number;
  else out.string = std::get<std::string>(from.value);
  return out;
}

model::StatValue to_model(const device::StatValue& from) {
  model::StatValue out;
  out.float_numerator_val = from.float_numerator;
  out.float_denominator_val = from.float_denominator;
  out.int_numerator_val = from.int_numerator;
  out.int_denominator_val = from.int_denominator;
  out.string_val = from.text;
  out.bool_val = from.flag;
  out.unit = from.unit;
  out.desc = from.description;
  return out;
}
model::StatObject to_model(const device::StatObject& from) {
  model::StatObject out;
  for (const auto& [name, value] : from.nested) out.nested[name] = to_model(value);
  for (const auto& [name, value] : from.attributes) out.attributes[name] = to_model(value);
  return out;
}

std::uint64_t resident_bytes(int pid) {
  const auto text = pid == 0 ? Result<std::string>(std::string()) : read_file(fmt::format("/proc/{}/statm", pid), 256);
  if (!text) return 0;
  const auto blank = text->find(' ');
  std::uint64_t pages = 0;
  if (blank != std::string::npos) std::from_chars(text->data() + blank + 1, text->data() + text->size(), pages);
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

// Of one of the directories in which /proc lists what a process has; 0 when it is gone.
std::int64_t entries_of(int pid, std::string_view directory) {
  std::error_code gone;
  std::filesystem::directory_iterator at(fmt::format("/proc/{}/{}", pid, directory), gone);
  std::int64_t count = 0;
  for (; !gone && at != std::filesystem::directory_iterator(); at.increment(gone)) ++count;
  return count;
}

std::string name_of(const model::AllocatedDeviceResource& held) { return fmt::format("{}/{}/{}", held.vendor, held.type, held.name); }
}  // namespace

plugin::NodeTopology plugin_topology(const model::Node& node) {
  plugin::NodeTopology out;
  if (!node.node_resources || !node.node_resources->processors.topology) return out;
  const model::NumaTopology& from = *node.node_resources->processors.topology;
  out.numa_nodes.assign(from.node_ids.begin(), from.node_ids.end());
  out.distances.clear();
  for (const auto& row : from.distances) {
    for (const auto distance : row) out.distances.push_back(static_cast<std::uint32_t>(distance));
  }
  for (const model::NumaCore& core : from.cores) {
    out.cores.push_back({.socket = core.socket_id, .node = core.node_id, .core = core.id, .efficiency = core.grade == "efficiency", .disabled = core.disable,
                         .base_mhz = core.base_speed, .max_mhz = core.max_speed, .guess_mhz = core.guess_speed});
  }
  out.override_total_mhz = from.override_total_compute;
  out.withheld_mhz = from.override_withold_compute;
  return out;
}

model::List<model::NodeDeviceResource> device_resources(const std::vector<device::DeviceGroup>& groups) {
  model::List<model::NodeDeviceResource> out;
  for (const device::DeviceGroup& group : groups) {
    model::NodeDeviceResource resource;
    resource.vendor = group.vendor;
    resource.type = group.type;
    resource.name = group.name;
    for (const device::DetectedDevice& one : group.devices) {
      model::NodeDevice instance;
      instance.id = one.id;
      instance.healthy = one.healthy;
      instance.health_description = one.health_description;
      if (!one.pci_bus_id.empty()) instance.locality.ensure().pci_bus_id = one.pci_bus_id;
      resource.instances.push_back(std::move(instance));
    }
    for (const auto& [name, value] : group.attributes) resource.attributes[name] = to_model(value);
    out.push_back(std::move(resource));
  }
  return out;
}

model::List<model::DeviceGroupStats> device_stats(const std::vector<device::DeviceGroupStats>& all,
                                                  const model::List<model::AllocatedDeviceResource>* only) {
  model::List<model::DeviceGroupStats> out;
  for (const device::DeviceGroupStats& group : all) {
    const model::AllocatedDeviceResource* held = nullptr;
    if (only != nullptr) {
      for (const auto& each : *only) {
        if (each.vendor == group.vendor && each.type == group.type && each.name == group.name) held = &each;
      }
      if (held == nullptr) continue;
    }
    model::DeviceGroupStats stats;
    stats.vendor = group.vendor;
    stats.type = group.type;
    stats.name = group.name;
    for (const auto& [id, one] : group.instances) {
      if (held != nullptr && std::find(held->device_ids.begin(), held->device_ids.end(), id) == held->device_ids.end()) continue;
      model::DeviceStats& to = stats.instance_stats[id];
      to.summary.ensure() = to_model(one.summary);
      to.stats.ensure() = to_model(one.stats);
      to.timestamp = model::Time(one.timestamp);
    }
    out.push_back(std::move(stats));
  }
  return out;
}

model::AgentPlugin agent_plugin(const pluginhost::PluginStatus& status, std::int64_t tasks) {
  model::AgentPlugin out;
  out.name = status.name;
  out.type = driver::to_string(status.type);
  out.version = status.version;
  for (const std::string& version : status.api_versions) out.api_versions.push_back(version);
  out.file = status.file;
  out.first_party = status.first_party;
  out.phase = pluginhost::to_string(status.phase);
  out.since = model::Time(status.since);
  out.next_start = model::Time(status.next_start);
  out.pid = status.pid;
  out.mutual_tls = status.secure;
  out.restarts = status.restarts;
  out.tasks = tasks;
  out.memory_bytes = resident_bytes(status.pid);
  if (status.pid != 0) {
    out.threads = entries_of(status.pid, "task");
    out.open_files = entries_of(status.pid, "fd");
  }
  out.step = status.step;
  out.reason = status.reason;
  out.remedy = status.remedy;
  out.last_error = status.last_error;
  out.last_error_step = status.last_step;
  out.last_error_time = model::Time(status.last_error_at);
  out.stderr_tail = status.stderr_tail;
  if (status.type == driver::PluginType::device) {
    out.healthy = status.phase == pluginhost::Phase::running && status.refused.empty();
    out.devices = device_resources(status.devices);
  } else {
    out.healthy = status.fingerprint.health == driver::Health::healthy;
    out.health_description = status.fingerprint.description;
  }
  for (const std::string& why : status.refused) out.refused.push_back(why);
  return out;
}

std::vector<std::string> lost_devices(const model::List<model::AllocatedDeviceResource>& held, const std::vector<device::DeviceGroup>& groups) {
  std::vector<std::string> out;
  for (const auto& each : held) {
    const device::DeviceGroup* group = nullptr;
    for (const device::DeviceGroup& one : groups) {
      if (device::group_name(one) == name_of(each)) group = &one;
    }
    for (const std::string& id : each.device_ids) {
      const device::DetectedDevice* found = nullptr;
      if (group != nullptr) {
        for (const device::DetectedDevice& one : group->devices) {
          if (one.id == id) found = &one;
        }
      }
      if (found == nullptr) out.push_back(fmt::format("{} {} (gone)", name_of(each), id));
      else if (!found->healthy) out.push_back(fmt::format("{} {} ({})", name_of(each), id, found->health_description.empty() ? "unhealthy" : found->health_description));
    }
  }
  return out;
}

void LostDevices::tell(AllocRunner& runner, const std::vector<device::DeviceGroup>& groups, UnixNanos now, bool fail) {
  const auto& resources = runner.alloc().allocated_resources;
  if (runner.terminal()) std::erase_if(told_, [&](const auto& entry) { return entry.first.starts_with(runner.alloc().id); });
  if (!resources || runner.terminal()) return;
  for (const auto& task : runner.tasks()) {
    const auto* held = resources->tasks.get(task->task().name);
    if (held == nullptr || held->devices.empty() || task->state().state != "running") continue;
    auto lost = lost_devices(held->devices, groups);
    auto& told = told_[runner.alloc().id + "/" + task->task().name];
    if (!lost.empty() && (fail || lost != told)) {
      auto event = events::devices_lost(now, join(lost, ", "));
      event.fails_task = fail;
      if (fail) task->kill(std::move(event), false);
      else task->add_event(std::move(event));
    }
    told = std::move(lost);
  }
}

}  // namespace drover::agent
