// R-030, N-028: what of root's rights a task keeps, set explicitly in each of the five sets, in the one order that works:
// bounding set while we may still change it, then groups and user (user.cc), then what survived of the rest.
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <sched.h>

#include "plugins/executor/child.h"

namespace drover::executor {
namespace {

constexpr int max_capability = 63;

std::uint32_t low(std::uint64_t mask) { return static_cast<std::uint32_t>(mask); }
std::uint32_t high(std::uint64_t mask) { return static_cast<std::uint32_t>(mask >> 32); }

bool survives_exec(const Child& child) { return child.spec.has(flag::set_user) && child.spec.rights.user.uid != 0; }

}  // namespace

Failure enter_bounding(Child& child) {
  const bool is_root = ::geteuid() == 0;
  // While a higher hard limit than ours may still be set.
  const Rights& rights = child.spec.rights;
  for (std::size_t i = 0; i < rights.limit_count; ++i) {
    const rlimit64 value{rights.limits[i].soft, rights.limits[i].hard};
    if (::syscall(SYS_prlimit64, 0, rights.limits[i].resource, &value, nullptr) != 0) return failed("resource limit");
  }
  // from here on ids are those of the task's user namespace. Its root gives full rights there and none outside.
  if (child.spec.user_namespace_fd >= 0 && ::setns(child.spec.user_namespace_fd, CLONE_NEWUSER) != 0) return failed("user namespace");
  if (!child.spec.has(flag::set_capabilities) || !is_root) return {};
  for (int number = 0; number <= max_capability; ++number) {
    const bool wanted = (rights.capabilities >> number & 1) != 0;
    const int present = ::prctl(PR_CAPBSET_READ, number, 0, 0, 0);
    if (present < 0) break;  // the kernel knows no more
    if (present == 1 && !wanted && ::prctl(PR_CAPBSET_DROP, number, 0, 0, 0) != 0) return failed("bounding set");
  }
  // Keeps the permitted set over the change of user; exec clears it. None of the others is passed on.
  return ::prctl(PR_SET_SECUREBITS, survives_exec(child) ? SECBIT_KEEP_CAPS : 0, 0, 0, 0) == 0 ? Failure{} : failed("securebits");
}

Failure enter_capabilities(Child& child) {
  if (!child.spec.has(flag::set_capabilities)) return {};
  const std::uint64_t mask = child.spec.rights.capabilities;
  const bool ambient = survives_exec(child);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct held[2] = {};
  if (::syscall(SYS_capget, &header, held) != 0) return failed("reading capabilities");
  // What the kernel (or a container around us) did not give cannot be passed on.
  const std::uint64_t have = held[0].permitted | static_cast<std::uint64_t>(held[1].permitted) << 32;
  const std::uint64_t keep = mask & have;
  const std::uint64_t inheritable = ambient ? keep : 0;
  const __user_cap_data_struct wanted[2] = {{low(keep), low(keep), low(inheritable)}, {high(keep), high(keep), high(inheritable)}};
  if (::syscall(SYS_capset, &header, wanted) != 0) return failed("permitted set");
  if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) return failed("ambient set");
  for (int number = 0; ambient && number <= max_capability; ++number) {
    if ((keep >> number & 1) == 0) continue;
    if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0) != 0) return failed("ambient set");
  }
  return {};
}

}  // namespace drover::executor
