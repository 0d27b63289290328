// The real machine as a Host: the system calls behind the fingerprints.
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <filesystem>

#include "agent/fingerprint/fingerprint.h"
#include "sdk/base/file.h"
#include "sdk/base/text.h"

namespace drover::agent {
namespace {

int prefix_of(const sockaddr* mask, bool v6) {
  if (mask == nullptr) return v6 ? 128 : 32;
  if (!v6) return std::popcount(reinterpret_cast<const sockaddr_in*>(mask)->sin_addr.s_addr);
  int out = 0;
  for (const auto byte : reinterpret_cast<const sockaddr_in6*>(mask)->sin6_addr.s6_addr) out += std::popcount(static_cast<unsigned>(byte));
  return out;
}

std::vector<Interface> read_interfaces() {
  std::vector<Interface> out;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return out;
  for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next) {
    auto entry = std::find_if(out.begin(), out.end(), [&](const Interface& i) { return i.name == at->ifa_name; });
    if (entry == out.end()) entry = out.insert(out.end(), Interface{.name = at->ifa_name});
    entry->up = (at->ifa_flags & IFF_UP) != 0;
    entry->loopback = (at->ifa_flags & IFF_LOOPBACK) != 0;
    if (at->ifa_addr == nullptr) continue;
    const int family = at->ifa_addr->sa_family;
    if (family == AF_PACKET) {
      const auto* link = reinterpret_cast<const sockaddr_ll*>(at->ifa_addr);
      if (entry->loopback || link->sll_halen != 6) continue;
      entry->mac = fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", link->sll_addr[0], link->sll_addr[1], link->sll_addr[2],
                               link->sll_addr[3], link->sll_addr[4], link->sll_addr[5]);
    } else if (family == AF_INET || family == AF_INET6) {
      std::array<char, INET6_ADDRSTRLEN> text{};
      const bool v6 = family == AF_INET6;
      const void* raw = v6 ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in6*>(at->ifa_addr)->sin6_addr)
                           : static_cast<const void*>(&reinterpret_cast<const sockaddr_in*>(at->ifa_addr)->sin_addr);
      inet_ntop(family, raw, text.data(), text.size());
      entry->addresses.push_back({text.data(), prefix_of(at->ifa_netmask, v6), v6});
    }
  }
  freeifaddrs(list);
  return out;
}

// The device of the mount a path lies on: the longest mount point that is a prefix.
std::string device_of(const std::string& path) {
  const auto mounts = read_file("/proc/self/mounts", 4U << 20);
  std::string device;
  std::size_t longest = 0;
  for (const auto& line : split(mounts.value_or(std::string()), '\n')) {
    const auto fields = split(line, ' ');
    if (fields.size() < 2) continue;
    const std::string& point = fields[1];
    const bool covers = point == "/" || path == point || path.starts_with(point + "/");
    if (covers && point.size() >= longest) {
      longest = point.size();
      device = fields[0];
    }
  }
  return device;
}

}  // namespace

std::string Host::read(const std::string& path) const {
  const auto text = read_file(root + path, 1U << 20);
  return text ? std::string(trim(*text)) : std::string();
}
bool Host::exists(const std::string& path) const {
  struct stat info {};
  return stat((root + path).c_str(), &info) == 0;
}

Host read_host(const std::string& alloc_dir) {
  Host out;
  utsname names{};
  if (uname(&names) == 0) {
    out.hostname = names.nodename;
    out.kernel_name = names.sysname;
    out.kernel_release = names.release;
    out.machine = names.machine;
  }
  out.interfaces = read_interfaces();
  out.online_cpus = sysconf(_SC_NPROCESSORS_ONLN);
  constexpr long version_flag = 1;  // LANDLOCK_CREATE_RULESET_VERSION
  out.landlock_abi = static_cast<int>(std::max<long>(0, syscall(SYS_landlock_create_ruleset, nullptr, 0, version_flag)));
  std::filesystem::path path(alloc_dir.empty() ? "/" : alloc_dir);
  std::error_code problem;
  while (!std::filesystem::exists(path, problem) && path.has_relative_path()) path = path.parent_path();
  struct statvfs space {};
  if (statvfs(path.c_str(), &space) == 0) {
    out.disk_total_bytes = space.f_blocks * space.f_frsize;
    out.disk_free_bytes = space.f_bavail * space.f_frsize;
  }
  out.disk_device = device_of(path.string());
  return out;
}

}  // namespace drover::agent
