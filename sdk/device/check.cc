#include "sdk/device/check.h"

#include <algorithm>
#include <set>

#include "sdk/base/text.h"

namespace drover::device {
namespace {
constexpr std::size_t most_groups = 256;
constexpr std::size_t most_devices = 4096;   // of a group
constexpr std::size_t most_attributes = 1024;
constexpr std::size_t longest_name = 256;
constexpr std::size_t longest_text = 4096;

bool is_plain(std::string_view text) {
  return std::ranges::all_of(text, [](unsigned char c) { return c >= 0x20 && c != 0x7f; });
}

Result<> check_name(std::string_view what, std::string_view name, bool may_have_slash) {
  if (name.empty()) return fail(Code::invalid_argument, "it has no {}", what);
  if (name.size() > longest_name || !is_plain(name)) return fail(Code::invalid_argument, "its {} is longer than {} bytes or not plain text", what, longest_name);
  if (!may_have_slash && name.find('/') != std::string_view::npos) return fail(Code::invalid_argument, "its {} {} has a slash", what, quote(name));
  return {};
}

// Below /dev and nowhere else, whatever the path says.
bool is_device_path(const std::string& path) { return path.starts_with("/dev/") && path.find("/../") == std::string::npos && !path.ends_with("/.."); }

bool is_environment_name(std::string_view name) {
  const auto word = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && word(name[0]) && std::ranges::all_of(name, [&](char c) { return word(c) || (c >= '0' && c <= '9'); });
}
}  // namespace

std::string group_name(const DeviceGroup& group) { return fmt::format("{}/{}/{}", group.vendor, group.type, group.name); }

bool is_known_unit(std::string_view unit) {
  static constexpr std::string_view sizes[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "kB", "KB", "MB", "GB", "TB", "PB", "EB"};
  static constexpr std::string_view others[] = {"MHz", "GHz", "mW", "W", "kW", "MW", "GW"};
  const std::string_view size = unit.ends_with("/s") ? unit.substr(0, unit.size() - 2) : unit;
  return std::ranges::find(sizes, size) != std::end(sizes) || std::ranges::find(others, unit) != std::end(others);
}

Result<> check_group(const DeviceGroup& group) {
  DROVER_TRY(check_name("vendor", group.vendor, false));
  DROVER_TRY(check_name("type", group.type, false));
  DROVER_TRY(check_name("name", group.name, true));
  if (group.devices.size() > most_devices) return fail(Code::invalid_argument, "it has more than {} devices", most_devices);
  std::set<std::string_view> ids;
  for (const DetectedDevice& one : group.devices) {
    if (one.id.empty()) return fail(Code::invalid_argument, "a device has no id");
    if (one.id.size() > longest_name || !is_plain(one.id)) return fail(Code::invalid_argument, "a device's id is longer than {} bytes or not plain text", longest_name);
    if (!ids.insert(one.id).second) return fail(Code::invalid_argument, "the device id {} comes twice", quote(one.id));
  }
  if (group.attributes.size() > most_attributes) return fail(Code::invalid_argument, "it has more than {} attributes", most_attributes);
  for (const auto& [name, value] : group.attributes) {
    if (name.empty() || name.size() > longest_name || !is_plain(name)) return fail(Code::invalid_argument, "an attribute has no usable name");
    const bool number = std::holds_alternative<std::int64_t>(value.value) || std::holds_alternative<double>(value.value);
    if (const auto* text = std::get_if<std::string>(&value.value); text != nullptr && text->size() > longest_text) {
      return fail(Code::invalid_argument, "attribute {} is longer than {} bytes", quote(name), longest_text);
    }
    if (value.unit.empty()) continue;
    if (!number) return fail(Code::invalid_argument, "attribute {} has a unit and is no number", quote(name));
    if (!is_known_unit(value.unit)) return fail(Code::invalid_argument, "attribute {} has the unknown unit {}", quote(name), quote(value.unit));
  }
  return {};
}

Result<> check_reservation(const Reservation& reservation) {
  for (const auto& [name, value] : reservation.envs) {
    if (!is_environment_name(name)) return fail(Code::invalid_argument, "the environment variable {} has no usable name", quote(name));
    if (value.find('\0') != std::string::npos) return fail(Code::invalid_argument, "the value of {} holds a zero byte", name);
  }
  for (const Mount& mount : reservation.mounts) {
    if (!mount.host_path.starts_with('/') || !mount.task_path.starts_with('/')) return fail(Code::invalid_argument, "the mount of {} on {} is not between absolute paths", quote(mount.host_path), quote(mount.task_path));
  }
  for (const DeviceNode& node : reservation.devices) {
    if (!is_device_path(node.host_path) || !is_device_path(node.task_path)) return fail(Code::invalid_argument, "the device {} does not lie below /dev", quote(node.host_path));
    if (node.permissions.find_first_not_of("rwm") != std::string::npos) return fail(Code::invalid_argument, "the permissions {} of {} are not of \"rwm\"", quote(node.permissions), node.host_path);
  }
  return {};
}

std::vector<DeviceGroup> accept_groups(std::vector<DeviceGroup> groups, std::vector<std::string>& refused) {
  std::vector<DeviceGroup> out;
  std::set<std::string> names;
  for (DeviceGroup& group : groups) {
    auto checked = check_group(group);
    if (checked && out.size() >= most_groups) checked = fail(Code::invalid_argument, "the plugin has more than {} groups", most_groups);
    if (checked && !names.insert(group_name(group)).second) checked = fail(Code::invalid_argument, "it comes twice");
    if (checked) out.push_back(std::move(group));
    else refused.push_back(fmt::format("device group {} is left out: {}", quote(group_name(group).substr(0, longest_name)), checked.error().message()));
  }
  return out;
}

}  // namespace drover::device
