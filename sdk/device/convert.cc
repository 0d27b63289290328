#include "sdk/device/convert.h"

#include <cmath>

namespace drover::device {
namespace {
constexpr std::int64_t nanos_per_second = 1'000'000'000;
constexpr int deepest_stats = 16;  // P-26: of nested objects that a plugin sends

Attribute read(const hashicorp::nomad::plugins::shared::structs::Attribute& in) {
  Attribute out;
  out.unit = in.unit();
  if (in.has_bool_val()) out.value = in.bool_val();
  else if (in.has_int_val()) out.value = in.int_val();
  else if (in.has_float_val()) out.value = std::isfinite(in.float_val()) ? in.float_val() : 0.0;
  else out.value = in.string_val();
  return out;
}
void write(const Attribute& in, hashicorp::nomad::plugins::shared::structs::Attribute& out) {
  out.set_unit(in.unit);
  if (const bool* flag = std::get_if<bool>(&in.value)) out.set_bool_val(*flag);
  else if (const auto* integer = std::get_if<std::int64_t>(&in.value)) out.set_int_val(*integer);
  else if (const double* number = std::get_if<double>(&in.value)) out.set_float_val(*number);
  else out.set_string_val(std::get<std::string>(in.value));
}

std::optional<double> finite(double value) { return std::isfinite(value) ? std::optional<double>(value) : std::nullopt; }

StatValue read(const pb::StatValue& in) {
  StatValue out;
  if (in.has_float_numerator_val()) out.float_numerator = finite(in.float_numerator_val().value());
  if (in.has_float_denominator_val()) out.float_denominator = finite(in.float_denominator_val().value());
  if (in.has_int_numerator_val()) out.int_numerator = in.int_numerator_val().value();
  if (in.has_int_denominator_val()) out.int_denominator = in.int_denominator_val().value();
  if (in.has_string_val()) out.text = in.string_val().value();
  if (in.has_bool_val()) out.flag = in.bool_val().value();
  out.unit = in.unit();
  out.description = in.desc();
  return out;
}
void write(const StatValue& in, pb::StatValue& out) {
  if (in.float_numerator) out.mutable_float_numerator_val()->set_value(*in.float_numerator);
  if (in.float_denominator) out.mutable_float_denominator_val()->set_value(*in.float_denominator);
  if (in.int_numerator) out.mutable_int_numerator_val()->set_value(*in.int_numerator);
  if (in.int_denominator) out.mutable_int_denominator_val()->set_value(*in.int_denominator);
  if (in.text) out.mutable_string_val()->set_value(*in.text);
  if (in.flag) out.mutable_bool_val()->set_value(*in.flag);
  out.set_unit(in.unit);
  out.set_desc(in.description);
}

StatObject read(const pb::StatObject& in, int depth) {
  StatObject out;
  if (depth > deepest_stats) return out;
  for (const auto& [name, value] : in.nested()) out.nested[name] = read(value, depth + 1);
  for (const auto& [name, value] : in.attributes()) out.attributes[name] = read(value);
  return out;
}
void write(const StatObject& in, pb::StatObject& out) {
  for (const auto& [name, value] : in.nested) write(value, (*out.mutable_nested())[name]);
  for (const auto& [name, value] : in.attributes) write(value, (*out.mutable_attributes())[name]);
}
}  // namespace

std::vector<DeviceGroup> read(const pb::FingerprintResponse& in) {
  std::vector<DeviceGroup> out;
  for (const auto& group : in.device_group()) {
    DeviceGroup& to = out.emplace_back();
    to.vendor = group.vendor();
    to.type = group.device_type();
    to.name = group.device_name();
    for (const auto& one : group.devices()) {
      to.devices.push_back({one.id(), one.healthy(), one.health_description(), one.hw_locality().pci_bus_id()});
    }
    for (const auto& [name, value] : group.attributes()) to.attributes[name] = read(value);
  }
  return out;
}
void write(const std::vector<DeviceGroup>& in, pb::FingerprintResponse& out) {
  for (const DeviceGroup& group : in) {
    auto& to = *out.add_device_group();
    to.set_vendor(group.vendor);
    to.set_device_type(group.type);
    to.set_device_name(group.name);
    for (const DetectedDevice& one : group.devices) {
      auto& device = *to.add_devices();
      device.set_id(one.id);
      device.set_healthy(one.healthy);
      device.set_health_description(one.health_description);
      if (!one.pci_bus_id.empty()) device.mutable_hw_locality()->set_pci_bus_id(one.pci_bus_id);
    }
    for (const auto& [name, value] : group.attributes) write(value, (*to.mutable_attributes())[name]);
  }
}

Reservation read(const pb::ReserveResponse& in) {
  Reservation out;
  const auto& from = in.container_res();
  out.envs = {from.envs().begin(), from.envs().end()};
  for (const auto& mount : from.mounts()) out.mounts.push_back({mount.task_path(), mount.host_path(), mount.read_only()});
  for (const auto& node : from.devices()) out.devices.push_back({node.task_path(), node.host_path(), node.permissions()});
  return out;
}
void write(const Reservation& in, pb::ReserveResponse& out) {
  auto& to = *out.mutable_container_res();
  for (const auto& [key, value] : in.envs) (*to.mutable_envs())[key] = value;
  for (const Mount& mount : in.mounts) {
    auto& one = *to.add_mounts();
    one.set_task_path(mount.task_path);
    one.set_host_path(mount.host_path);
    one.set_read_only(mount.read_only);
  }
  for (const DeviceNode& node : in.devices) {
    auto& one = *to.add_devices();
    one.set_task_path(node.task_path);
    one.set_host_path(node.host_path);
    one.set_permissions(node.permissions);
  }
}

std::vector<DeviceGroupStats> read(const pb::StatsResponse& in) {
  std::vector<DeviceGroupStats> out;
  for (const auto& group : in.groups()) {
    DeviceGroupStats& to = out.emplace_back();
    to.vendor = group.vendor();
    to.type = group.type();
    to.name = group.name();
    for (const auto& [id, stats] : group.instance_stats()) {
      const std::int64_t seconds = stats.timestamp().seconds();
      // Without a time it is no sample.
      if (seconds <= 0 || seconds > INT64_MAX / nanos_per_second - 1) continue;
      to.instances[id] = {read(stats.summary()), read(stats.stats(), 0), seconds * nanos_per_second + stats.timestamp().nanos()};
    }
  }
  return out;
}
void write(const std::vector<DeviceGroupStats>& in, pb::StatsResponse& out) {
  for (const DeviceGroupStats& group : in) {
    auto& to = *out.add_groups();
    to.set_vendor(group.vendor);
    to.set_type(group.type);
    to.set_name(group.name);
    for (const auto& [id, stats] : group.instances) {
      auto& one = (*to.mutable_instance_stats())[id];
      write(stats.summary, *one.mutable_summary());
      write(stats.stats, *one.mutable_stats());
      one.mutable_timestamp()->set_seconds(stats.timestamp / nanos_per_second);
      one.mutable_timestamp()->set_nanos(static_cast<std::int32_t>(stats.timestamp % nanos_per_second));
    }
  }
}

Owner read(const ext::Owner& in) {
  return {.namespace_ = in.namespace_(), .job_id = in.job_id(), .task_group = in.task_group(), .alloc_id = in.alloc_id(), .task = in.task_name()};
}
void write(const Owner& in, ext::Owner& out) {
  out.set_namespace_(in.namespace_);
  out.set_job_id(in.job_id);
  out.set_task_group(in.task_group);
  out.set_alloc_id(in.alloc_id);
  out.set_task_name(in.task);
}

DeviceSet read(const ext::DeviceSet& in) {
  return {.vendor = in.vendor(), .type = in.device_type(), .name = in.device_name(), .ids = {in.device_ids().begin(), in.device_ids().end()}};
}
void write(const DeviceSet& in, ext::DeviceSet& out) {
  out.set_vendor(in.vendor);
  out.set_device_type(in.type);
  out.set_device_name(in.name);
  for (const std::string& id : in.ids) out.add_device_ids(id);
}

}  // namespace drover::device
