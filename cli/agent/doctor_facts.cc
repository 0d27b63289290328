// The real machine, as the doctor sees it.
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "cli/agent/doctor_checks.h"
#include "cli/agent/environment.h"
#include "sdk/base/file.h"

namespace drover::cli {
namespace {

// A call with arguments that the kernel refuses after it has recognised the call; ENOSYS and EPERM are what we ask about.
int probe(long number, long a = -1, long b = 0, long c = 0, long d = 0, long e = 0) {
  if (::syscall(number, a, b, c, d, e) >= 0) return 0;
  return errno == ENOSYS || errno == EPERM ? errno : 0;
}

std::map<std::string, int> probe_system_calls() {
  constexpr long last_descriptor = 0x7fffffff;
  return {{"clone3", probe(SYS_clone3, 0, 0)},
          {"pidfd_open", probe(SYS_pidfd_open, -1)},
          {"openat2", probe(SYS_openat2, -1, 0, 0, 0)},
          {"close_range", probe(SYS_close_range, last_descriptor, last_descriptor)},
          {"mount_setattr", probe(SYS_mount_setattr, -1, 0, 0, 0, 0)}};
}

std::uint64_t effective_capabilities() {
  const auto status = read_file("/proc/self/status");
  const auto at = status ? status->find("CapEff:") : std::string::npos;
  return at == std::string::npos ? 0 : std::strtoull(status->c_str() + at + 7, nullptr, 16);
}

// systemd marks what it has delegated by an attribute of the directory.
std::optional<bool> delegated() {
  for (const char* slice : {"/sys/fs/cgroup/system.slice/drover.service", "/sys/fs/cgroup/system.slice/nomad.service"}) {
    if (::access(slice, F_OK) != 0) continue;
    char value = 0;
    for (const char* name : {"trusted.delegate", "user.delegate"}) {
      if (::getxattr(slice, name, &value, 1) == 1) return value == '1';
    }
    return false;
  }
  return std::nullopt;
}

}  // namespace

DoctorFacts read_doctor_facts(const std::string& data_dir) {
  DoctorFacts out;
  out.host = agent::read_host(data_dir);
  out.data_dir = data_dir;
  const auto environment = whole_environment();
  out.libexec = find_libexec(environment);
  const auto path = environment.find("PATH");
  out.path = path != environment.end() ? path->second : "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  out.root = ::geteuid() == 0;
  out.capabilities = effective_capabilities();
  out.system_calls = probe_system_calls();
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) out.open_files = files.rlim_max;
  out.delegated = delegated();
  return out;
}

}  // namespace drover::cli
