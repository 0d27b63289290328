#include "plugins/shared/landlock.h"

#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace drover {
namespace {
namespace access = executor::landlock_access;
}

std::vector<LandlockPath> default_landlock_paths(const std::string& alloc_dir, const std::string& task_dir) {
  std::vector<LandlockPath> out;
  const auto add = [&](const std::string& path, std::uint64_t bits) {
    if (::access(path.c_str(), F_OK) == 0) out.push_back({path, bits});
  };
  for (const char* path : {"/bin", "/sbin", "/usr", "/lib", "/lib32", "/lib64", "/libx32"}) add(path, access::read | access::execute);
  add("/etc", access::read);
  // Of /proc its own entry, by way of self; what is there of others is theirs.
  for (const char* path : {"/proc/self", "/proc/meminfo", "/proc/cpuinfo", "/proc/stat", "/proc/uptime", "/proc/loadavg", "/proc/filesystems", "/proc/sys"}) add(path, access::read);
  add("/run/systemd/resolve", access::read);
  for (const char* path : {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/pts"}) add(path, access::read | access::write);
  add(alloc_dir + "/alloc", access::read | access::write);
  add(task_dir, access::read | access::write | access::execute);
  return out;
}

Result<LandlockPath> parse_landlock_path(const std::string& text) {
  const auto colon = text.find(':');
  LandlockPath out;
  bool known = colon != std::string::npos && colon > 0;
  for (std::size_t i = 0; known && i < colon; ++i) {
    switch (text[i]) {
      case 'r': out.access |= access::read; break;
      case 'w': out.access |= access::write; break;
      case 'x': out.access |= access::execute; break;
      default: known = false;
    }
  }
  if (known) out.path = text.substr(colon + 1);
  if (!known || !out.path.starts_with('/')) {
    return fail(Code::invalid_argument, "landlock_paths: \"{}\" is not letters of r, w and x, a colon and an absolute path, such as \"rw:/var/spool/app\"", text);
  }
  return out;
}

int landlock_abi() {
  const long abi = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  return abi > 0 ? static_cast<int>(abi) : 0;
}

}  // namespace drover
