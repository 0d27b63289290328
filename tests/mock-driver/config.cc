#include "tests/mock-driver/config.h"

#include <charconv>
#include <map>
#include <nlohmann/json.hpp>

#include "sdk/base/text.h"
#include "sdk/plugin/config.h"

namespace drover::mock {
namespace {

using nlohmann::json;
using std::chrono::nanoseconds;

std::map<std::string, plugin::Spec> command_attributes() {
  using plugin::attr;
  return {{"run_for", attr("run_for", "string")},
          {"exit_code", attr("exit_code", "number")},
          {"exit_signal", attr("exit_signal", "number")},
          {"exit_err_msg", attr("exit_err_msg", "string")},
          {"signal_error", attr("signal_error", "string")},
          {"stdout_string", attr("stdout_string", "string")},
          {"stdout_repeat", attr("stdout_repeat", "number")},
          {"stdout_repeat_duration", attr("stdout_repeat_duration", "string")},
          {"stderr_string", attr("stderr_string", "string")},
          {"stderr_repeat", attr("stderr_repeat", "number")},
          {"stderr_repeat_duration", attr("stderr_repeat_duration", "string")}};
}

Result<> read_duration(const json& from, const char* key, nanoseconds& out) {
  const std::string text = plugin::get_string(from, key);
  if (text.empty()) return {};
  const auto value = parse_duration(text);
  if (!value) return fail(Code::invalid_argument, "{} {} not a valid duration", key, quote(text));
  out = *value;
  return {};
}

Result<Output> read_output(const json& from, const std::string& stream) {
  Output out;
  out.text = plugin::get_string(from, (stream + "_string").c_str());
  out.repeat = plugin::get_int(from, (stream + "_repeat").c_str());
  DROVER_TRY(read_duration(from, (stream + "_repeat_duration").c_str(), out.pause));
  return out;
}

Result<Command> read_command(const json& from) {
  Command out;
  DROVER_TRY(read_duration(from, "run_for", out.run_for));
  out.exit.exit_code = static_cast<std::int32_t>(plugin::get_int(from, "exit_code"));
  out.exit.signal = static_cast<std::int32_t>(plugin::get_int(from, "exit_signal"));
  out.exit.error = plugin::get_string(from, "exit_err_msg");
  out.signal_error = plugin::get_string(from, "signal_error");
  auto output = read_output(from, "stdout");
  if (!output) return fail(output.error());
  out.stdout_output = std::move(*output);
  output = read_output(from, "stderr");
  if (!output) return fail(output.error());
  out.stderr_output = std::move(*output);
  return out;
}

Result<std::map<std::string, std::int32_t>> read_port_map(const std::string& text) {
  std::map<std::string, std::int32_t> out;
  if (text.empty()) return out;
  const auto [label, port] = split_once(text, ':');
  std::int32_t number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (port.empty() || error != std::errc() || end != port.data() + port.size()) {
    return fail(Code::invalid_argument, "malformed port map: {}", quote(text));
  }
  out.emplace(label, number);
  return out;
}

}  // namespace

plugin::Spec config_schema() {
  using namespace plugin;
  return object({{"fs_isolation", default_value(attr("fs_isolation", "string"), "\"none\"")},
                 {"shutdown_periodic_after", default_value(attr("shutdown_periodic_after", "bool"), "false")},
                 {"shutdown_periodic_duration", default_value(attr("shutdown_periodic_duration", "number"), "0")}});
}

plugin::Spec task_config_schema() {
  using namespace plugin;
  auto attributes = command_attributes();
  for (const char* name : {"start_error", "start_block_for", "kill_after", "plugin_exit_after", "driver_ip", "driver_port_map"}) {
    attributes.emplace(name, attr(name, "string"));
  }
  for (const char* name : {"start_error_recoverable", "driver_advertise"}) attributes.emplace(name, attr(name, "bool"));
  attributes.emplace("exec_command", block("exec_command", object(command_attributes())));
  return object(std::move(attributes));
}

Result<Config> decode_config(std::string_view msgpack) {
  const auto from = plugin::decode_config(msgpack);
  if (!from) return fail(from.error(), "configuration of plugin \"mock_driver\"");
  static const std::map<std::string, driver::FsIsolation, std::less<>> isolations = {
      {"", driver::FsIsolation::none}, {"none", driver::FsIsolation::none}, {"chroot", driver::FsIsolation::chroot},
      {"image", driver::FsIsolation::image}, {"unveil", driver::FsIsolation::unveil}};
  const std::string isolation = plugin::get_string(*from, "fs_isolation");
  const auto found = isolations.find(isolation);
  if (found == isolations.end()) {
    return fail(Code::invalid_argument, "fs_isolation must be one of none, chroot, image, unveil; it is {}", quote(isolation));
  }
  Config out;
  out.fs_isolation = found->second;
  out.shutdown_periodically = plugin::get_bool(*from, "shutdown_periodic_after");
  out.period = out.pause = nanoseconds(plugin::get_int(*from, "shutdown_periodic_duration"));
  if (out.shutdown_periodically && out.period <= nanoseconds::zero()) {
    return fail(Code::invalid_argument, "shutdown_periodic_after needs a shutdown_periodic_duration above 0 (nanoseconds)");
  }
  return out;
}

Result<TaskOptions> decode_task(std::string_view msgpack) {
  const auto from = plugin::decode_config(msgpack);
  if (!from) return fail(from.error(), "config block of the task");
  TaskOptions out;
  auto command = read_command(*from);
  if (!command) return fail(command.error());
  out.command = std::move(*command);
  if (from->is_object() && from->contains("exec_command") && from->at("exec_command").is_object()) {
    command = read_command(from->at("exec_command"));
    if (!command) return fail(command.error(), "exec_command");
    out.exec_command = std::move(*command);
  }
  out.start_error = plugin::get_string(*from, "start_error");
  out.start_error_recoverable = plugin::get_bool(*from, "start_error_recoverable");
  DROVER_TRY(read_duration(*from, "start_block_for", out.start_block_for));
  DROVER_TRY(read_duration(*from, "kill_after", out.kill_after));
  DROVER_TRY(read_duration(*from, "plugin_exit_after", out.plugin_exit_after));
  auto ports = read_port_map(plugin::get_string(*from, "driver_port_map"));
  if (!ports) return fail(ports.error());
  const std::string ip = plugin::get_string(*from, "driver_ip");
  if (!ip.empty() || !ports->empty()) {
    out.network = driver::DriverNetwork{.port_map = std::move(*ports), .ip = ip, .auto_advertise = plugin::get_bool(*from, "driver_advertise")};
  }
  return out;
}

}  // namespace drover::mock
