#include "plugins/shared/capabilities.h"

#include <linux/capability.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "sdk/base/file.h"
#include "sdk/base/text.h"

namespace drover {
namespace {

constexpr std::array names{
    "chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap", "linux_immutable",
    "net_bind_service", "net_broadcast", "net_admin", "net_raw", "ipc_lock", "ipc_owner", "sys_module", "sys_rawio", "sys_chroot",
    "sys_ptrace", "sys_pacct", "sys_admin", "sys_boot", "sys_nice", "sys_resource", "sys_time", "sys_tty_config", "mknod", "lease",
    "audit_write", "audit_control", "setfcap", "mac_override", "mac_admin", "syslog", "wake_alarm", "block_suspend", "audit_read",
    "perfmon", "bpf", "checkpoint_restore"};

constexpr CapabilityMask bit(int number) { return CapabilityMask{1} << number; }

constexpr CapabilityMask allowed_by_default = bit(CAP_AUDIT_WRITE) | bit(CAP_CHOWN) | bit(CAP_DAC_OVERRIDE) | bit(CAP_FOWNER) |
                                              bit(CAP_FSETID) | bit(CAP_KILL) | bit(CAP_MKNOD) | bit(CAP_NET_BIND_SERVICE) |
                                              bit(CAP_SETFCAP) | bit(CAP_SETGID) | bit(CAP_SETPCAP) | bit(CAP_SETUID) | bit(CAP_SYS_CHROOT);
constexpr CapabilityMask asked_for = bit(CAP_MKNOD) | bit(CAP_SETFCAP) | bit(CAP_SYS_CHROOT);
constexpr CapabilityMask of_root = bit(CAP_AUDIT_READ + 1) - 1;

}  // namespace

CapabilityMask known_capabilities() {
  static const CapabilityMask mask = [] {
    const auto text = read_file("/proc/sys/kernel/cap_last_cap");
    int last = CAP_LAST_CAP;
    if (text) std::from_chars(text->data(), text->data() + text->size(), last);
    return bit(std::min(last, 62) + 1) - 1;
  }();
  return mask;
}

Result<CapabilityMask> parse_capability(std::string_view name) {
  std::string text = to_lower(trim(name));
  if (text.starts_with("cap_")) text.erase(0, 4);
  if (text == "all") return known_capabilities();
  const auto at = std::find(names.begin(), names.end(), text);
  if (at == names.end()) return fail(Code::invalid_argument, "unknown capability \"{}\": use a name such as \"net_admin\", or \"all\"", name);
  const CapabilityMask mask = bit(static_cast<int>(at - names.begin()));
  if ((mask & known_capabilities()) == 0) return fail(Code::invalid_argument, "capability \"{}\" is not known to this kernel", name);
  return mask;
}

Result<CapabilityMask> parse_capabilities(const std::vector<std::string>& list) {
  CapabilityMask out = 0;
  for (const auto& name : list) {
    const auto mask = parse_capability(name);
    if (!mask) return mask;
    out |= *mask;
  }
  return out;
}

std::vector<std::string> capability_names(CapabilityMask mask) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (has_capability(mask, static_cast<int>(i))) out.emplace_back(names[i]);
  }
  return out;
}

bool has_capability(CapabilityMask mask, int number) { return (mask & bit(number)) != 0; }

CapabilityMask default_allowed_capabilities() { return allowed_by_default; }

Result<CapabilityMask> task_capabilities(const CapabilityRequest& request) {
  const auto add = parse_capabilities(request.add);
  if (!add) return fail(add.error(), "cap_add");
  const auto drop = parse_capabilities(request.drop);
  if (!drop) return fail(drop.error(), "cap_drop");
  // Of "all" nothing but what is allowed is meant; of a name, that one.
  std::vector<std::string> refused;
  for (const auto& name : request.add) {
    if ((*parse_capability(name) & ~request.allowed) != 0) refused.push_back(name);
  }
  if (!refused.empty()) return fail(Code::permission_denied, "driver does not allow the following capabilities: {}", join(refused, ", "));
  CapabilityMask base = 0;
  if (request.is_root) base = request.is_allowed_explicitly ? allowed_by_default & ~asked_for & request.allowed : of_root & known_capabilities();
  return (base & ~*drop) | *add;
}

}  // namespace drover
