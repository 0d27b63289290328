// Configuration of the plugin and of a task, and the command line that follows from them. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "sdk/driver/driver.h"
#include "sdk/plugin/schema.h"

namespace drover::qemu {

inline constexpr const char* default_emulator = "qemu-system-x86_64";
// In the task's directory, where QEMU is started. Short, and relative: the length of a socket's path is limited.
inline constexpr const char* monitor_socket = "qm.sock";
inline constexpr const char* agent_socket = "qa.sock";

[[nodiscard]] plugin::Spec config_schema();
[[nodiscard]] plugin::Spec task_config_schema();

struct Config {
  std::vector<std::string> image_paths;          // directories outside allocations that images may be in
  std::vector<std::string> args_allowlist;       // options a job may pass; empty: those that reach nothing of the host
  std::vector<std::string> emulators_allowlist;  // empty: every qemu-system-* in PATH
};
[[nodiscard]] Result<Config> decode_config(std::string_view msgpack);

struct TaskOptions {
  std::string image_path;
  std::string emulator = default_emulator, machine_type = "pc", drive_interface = "ide", accelerator = "tcg";
  bool graceful_shutdown = false, guest_agent = false;
  std::vector<std::string> args;
  std::map<std::string, std::int64_t> port_map;  // label -> port in the guest
};
// Checks everything that can be checked without the host.
[[nodiscard]] Result<TaskOptions> decode_task(std::string_view msgpack, const Config& config);

// Error `"-drive" is not in args_allowlist`. An argument that is no option must belong to one: alone it would be a disk.
[[nodiscard]] Result<> check_arguments(const std::vector<std::string>& allowlist, const std::vector<std::string>& args);
[[nodiscard]] Result<> check_emulator(const std::vector<std::string>& allowlist, const std::string& emulator);

// QEMU's arguments, after argv[0]. `image` is an absolute path.
[[nodiscard]] Result<std::vector<std::string>> command_line(const TaskOptions& options, const driver::TaskConfig& task, const std::string& image);

// "7.2.18" of what `--version` says; empty when it says something else.
[[nodiscard]] std::string parse_version(std::string_view output);

}  // namespace drover::qemu
