// Which device nodes a task may open: a BPF program on its cgroup. Works on any cgroup2 directory, controllers or not.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sdk/base/error.h"
#include "sdk/base/fd.h"

namespace drover {

struct DeviceRule {
  enum class Kind : std::uint8_t { any, character, block };
  enum Access : std::uint8_t { make = 1, read = 2, write = 4, all = 7 };
  static constexpr int any_number = -1;
  Kind kind = Kind::any;
  int major = any_number, minor = any_number;
  std::uint8_t access = all;
  friend bool operator==(const DeviceRule&, const DeviceRule&) = default;
};

// null, zero, full, random, urandom, tty, ptmx, the terminals and tun; any node may be made, since making one opens nothing.
[[nodiscard]] std::vector<DeviceRule> default_device_rules();
// A node of the host with permissions such as "rwm".
[[nodiscard]] Result<DeviceRule> device_rule(const std::string& host_path, std::string_view permissions);
// The instructions; everything no rule allows is refused.
[[nodiscard]] std::string device_program(const std::vector<DeviceRule>& rules);

// Loaded programs of this process: to load one takes the kernel half a millisecond, to attach one that is loaded five microseconds.
class DevicePrograms {
 public:
  // An attached program goes with the cgroup.
  [[nodiscard]] Result<> attach(const std::string& cgroup, const std::vector<DeviceRule>& rules);

 private:
  std::map<std::string, Fd> loaded_;  // by instructions
};

}  // namespace drover
