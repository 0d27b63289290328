#include "plugins/qemu/config.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "sdk/base/text.h"
#include "sdk/plugin/config.h"

namespace drover::qemu {
namespace {

constexpr std::int64_t min_memory_mb = 128, max_memory_mb = 4'000'000;

// Options that name no file, socket, device or program of the host: what a job may pass when the operator says nothing.
constexpr const char* harmless[] = {"-cpu", "-smp", "-vga", "-rtc", "-uuid", "-usb", "-snapshot", "-nodefaults", "-nodefconfig",
                                    "-no-user-config", "-no-acpi", "-no-hpet", "-no-reboot", "-no-shutdown", "-no-fd-bootchk"};

// Options that take no value: what follows them is not theirs.
constexpr const char* without_value[] = {
    "-usb",         "-snapshot",   "-nodefaults", "-nodefconfig",      "-no-user-config", "-no-acpi",        "-no-hpet",         "-no-reboot",
    "-no-shutdown", "-nographic",  "-enable-kvm", "-full-screen",      "-S",              "-s",              "-daemonize",       "-no-fd-bootchk",
    "-preconfig",   "-mem-prealloc", "-no-quit",  "-win2k-hack",       "-old-param",      "-semihosting",    "-singlestep",      "-only-migratable",
    "-enable-sync-profile", "-portrait", "-curses", "-h", "-help", "-version", "-no-kvm", "-no-kvm-irqchip"};

constexpr const char* drive_interfaces[] = {"ide", "scsi", "sd", "mtd", "floppy", "pflash", "virtio", "none"};

bool is_word(std::string_view text, std::string_view also = "") {
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || also.find(c) != also.npos;
  });
}

// QEMU's own way to have a comma within a value.
std::string escaped(std::string_view value) { return replace_all(value, ",", ",,"); }

Result<std::map<std::string, std::int64_t>> decode_ports(const nlohmann::json& json) {
  std::map<std::string, std::int64_t> out;
  const auto at = json.is_object() ? json.find("port_map") : json.end();
  if (!json.is_object() || at == json.end() || at->is_null()) return out;
  const auto blocks = at->is_array() ? *at : nlohmann::json::array({*at});
  for (const auto& block : blocks) {
    for (const auto& [label, port] : block.items()) {
      if (!port.is_number() || port < 1 || port > 65535) {
        return fail(Code::invalid_argument, "port_map: {} = {} is not a port of the guest; use 1 to 65535", label, port.dump());
      }
      out[label] = port.get<std::int64_t>();
    }
  }
  return out;
}

// label -> port of the host: the group's, else those of the task's own network.
std::map<std::string, std::int32_t> host_ports(const driver::Resources& resources) {
  std::map<std::string, std::int32_t> out;
  if (!resources.networks.empty()) {
    for (const auto& port : resources.networks[0].reserved_ports) out[port.label] = port.value;
    for (const auto& port : resources.networks[0].dynamic_ports) out[port.label] = port.value;
  }
  for (const auto& port : resources.ports) out[port.label] = port.value;
  return out;
}

Result<std::vector<std::string>> netdev_options(const TaskOptions& options, const driver::TaskConfig& task) {
  std::vector<std::string> out;
  if (task.dns) {
    // QEMU takes one server; the first is the one resolvers ask.
    if (!task.dns->servers.empty()) out.push_back("dns=" + escaped(task.dns->servers.front()));
    for (const auto& search : task.dns->searches) out.push_back("dnssearch=" + escaped(search));
  }
  const auto ports = task.resources ? host_ports(*task.resources) : std::map<std::string, std::int32_t>();
  for (const auto& [label, guest] : options.port_map) {
    const auto host = ports.find(label);
    if (host == ports.end()) return fail(Code::invalid_argument, "Unknown port label {}", quote(label));
    for (const char* protocol : {"udp", "tcp"}) out.push_back(fmt::format("hostfwd={}::{}-:{}", protocol, host->second, guest));
  }
  return out;
}

}  // namespace

plugin::Spec config_schema() {
  using namespace plugin;
  return object({{"image_paths", attr("image_paths", "list(string)")},
                 {"args_allowlist", attr("args_allowlist", "list(string)")},
                 {"emulators_allowlist", attr("emulators_allowlist", "list(string)")}});
}

plugin::Spec task_config_schema() {
  using namespace plugin;
  return object({{"image_path", attr("image_path", "string", true)},
                 {"emulator", attr("emulator", "string")},
                 {"machine_type", attr("machine_type", "string")},
                 {"drive_interface", attr("drive_interface", "string")},
                 {"accelerator", attr("accelerator", "string")},
                 {"graceful_shutdown", attr("graceful_shutdown", "bool")},
                 {"guest_agent", attr("guest_agent", "bool")},
                 {"args", attr("args", "list(string)")},
                 {"port_map", attr("port_map", "list(map(number))")}});
}

Result<Config> decode_config(std::string_view msgpack) {
  const auto json = plugin::decode_config(msgpack);
  if (!json) return fail(json.error(), "configuration of plugin \"qemu\"");
  Config out;
  out.image_paths = plugin::get_strings(*json, "image_paths");
  out.args_allowlist = plugin::get_strings(*json, "args_allowlist");
  out.emulators_allowlist = plugin::get_strings(*json, "emulators_allowlist");
  for (const auto& path : out.image_paths) {
    if (!path.starts_with('/')) return fail(Code::invalid_argument, "image_paths: \"{}\" is not an absolute path", path);
  }
  return out;
}

Result<> check_arguments(const std::vector<std::string>& allowlist, const std::vector<std::string>& args) {
  const auto wanted = allowlist.empty() ? std::vector<std::string>(std::begin(harmless), std::end(harmless)) : allowlist;
  const std::set<std::string> allowed(wanted.begin(), wanted.end());
  bool takes_value = false;
  for (const auto& arg : args) {
    if (!trim(arg).starts_with("-")) {
      if (!takes_value) return fail(Code::permission_denied, "args: {} belongs to no option; QEMU would take it for a disk image", quote(arg));
      takes_value = false;
    } else if (!allowed.contains(arg)) {
      if (!allowlist.empty()) return fail(Code::permission_denied, "{} is not in args_allowlist", quote(arg));
      return fail(Code::permission_denied, "{} is not in args_allowlist; the client's operator can add it in plugin \"qemu\" {{ config {{ args_allowlist }} }}",
                  quote(arg));
    } else {
      takes_value = std::find(std::begin(without_value), std::end(without_value), arg) == std::end(without_value);
    }
  }
  return {};
}

Result<> check_emulator(const std::vector<std::string>& allowlist, const std::string& emulator) {
  if (!allowlist.empty()) {
    if (std::find(allowlist.begin(), allowlist.end(), emulator) != allowlist.end()) return {};
    return fail(Code::permission_denied, "emulator {} is not in emulators_allowlist", quote(emulator));
  }
  if (emulator.starts_with("qemu-system-") && is_word(emulator)) return {};
  return fail(Code::permission_denied, "emulator {} is not the name of a QEMU system emulator, such as qemu-system-aarch64; others must be in "
              "the client's emulators_allowlist", quote(emulator));
}

Result<TaskOptions> decode_task(std::string_view msgpack, const Config& config) {
  const auto json = plugin::decode_config(msgpack);
  if (!json) return fail(json.error(), "config block of the task");
  TaskOptions out;
  out.args = plugin::get_strings(*json, "args");
  DROVER_TRY(check_arguments(config.args_allowlist, out.args));
  out.image_path = plugin::get_string(*json, "image_path");
  if (out.image_path.empty()) return fail(Code::invalid_argument, "image_path must be set");
  const auto read = [&](const char* name, std::string& member) {
    if (auto value = plugin::get_string(*json, name); !value.empty()) member = std::move(value);
  };
  read("emulator", out.emulator);
  read("machine_type", out.machine_type);
  read("drive_interface", out.drive_interface);
  read("accelerator", out.accelerator);
  DROVER_TRY(check_emulator(config.emulators_allowlist, out.emulator));
  // They are part of one argument with others: a comma would begin an option of its own.
  if (!is_word(out.machine_type)) return fail(Code::invalid_argument, "machine_type {} is not the name of a machine", quote(out.machine_type));
  if (!is_word(out.accelerator, ":")) return fail(Code::invalid_argument, "accelerator {} is not the name of an accelerator", quote(out.accelerator));
  if (std::find(std::begin(drive_interfaces), std::end(drive_interfaces), out.drive_interface) == std::end(drive_interfaces)) {
    return fail(Code::invalid_argument, "Unsupported drive_interface");
  }
  out.graceful_shutdown = plugin::get_bool(*json, "graceful_shutdown");
  out.guest_agent = plugin::get_bool(*json, "guest_agent");
  auto ports = decode_ports(*json);
  if (!ports) return fail(std::move(ports).error());
  out.port_map = std::move(*ports);
  return out;
}

Result<std::vector<std::string>> command_line(const TaskOptions& options, const driver::TaskConfig& task, const std::string& image) {
  const std::int64_t memory = task.resources ? task.resources->memory_mb : 0;
  if (memory < min_memory_mb || memory > max_memory_mb) return fail(Code::invalid_argument, "QEMU memory assignment out of bounds");
  std::vector<std::string> out = {
      "-machine", fmt::format("type={},accel={}", options.machine_type, options.accelerator),
      "-name", escaped(image.substr(image.rfind('/') + 1)),
      "-m", fmt::format("{}M", memory),
      "-drive", fmt::format("file={},if={},id=image0", escaped(image), options.drive_interface),
      "-nographic"};
  if (options.graceful_shutdown) out.insert(out.end(), {"-monitor", fmt::format("unix:{},server=on,wait=off", monitor_socket)});
  if (options.guest_agent) {
    out.insert(out.end(), {"-chardev", fmt::format("socket,path={},server=on,wait=off,id=qga0", agent_socket), "-device", "virtio-serial", "-device",
                           "virtserialport,chardev=qga0,name=org.qemu.guest_agent.0"});
  }
  out.insert(out.end(), options.args.begin(), options.args.end());
  auto network = netdev_options(options, task);
  if (!network) return fail(std::move(network).error());
  if (!network->empty()) out.insert(out.end(), {"-netdev", "user,id=user.0," + join(*network, ","), "-device", "virtio-net,netdev=user.0"});
  if (options.accelerator == "kvm") {
    out.insert(out.end(), {"-enable-kvm", "-cpu", "host"});
    const auto& cores = task.resources->linux_resources.cpuset_cpus;
    if (!cores.empty()) out.insert(out.end(), {"-smp", std::to_string(split(cores, ',').size())});
  }
  return out;
}

std::string parse_version(std::string_view output) {
  constexpr std::string_view before = "version ";
  const auto at = output.find(before);
  if (at == output.npos) return {};
  output.remove_prefix(at + before.size());
  const auto end = output.find_first_not_of("0123456789.+");
  const auto out = output.substr(0, end);
  return out.empty() || out[0] < '0' || out[0] > '9' ? std::string() : std::string(out);
}

}  // namespace drover::qemu
