// no new rights through set-uid programs, and Landlock rules for tasks that share the host's file tree.
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "plugins/executor/child.h"

namespace drover::executor {
namespace {

// The rights of ABI 1, then what later ones added: 2 refer, 3 truncate, 5 ioctl of devices. Headers of Debian 12 know the first.
constexpr std::uint64_t execute_bit = 1, write_file = 2, read_file = 4, read_dir = 8;
constexpr std::uint64_t all_abi_1 = (1u << 13) - 1, refer = 1u << 13, truncate = 1u << 14, ioctl_device = 1u << 15;

std::uint64_t handled(long abi) { return all_abi_1 | (abi >= 2 ? refer : 0) | (abi >= 3 ? truncate : 0) | (abi >= 5 ? ioctl_device : 0); }

std::uint64_t bits_of(std::uint64_t access, long abi, bool directory) {
  std::uint64_t out = 0;
  if ((access & landlock_access::read) != 0) out |= read_file | read_dir;
  if ((access & landlock_access::execute) != 0) out |= execute_bit;
  // Making and removing is writing; opening devices for ioctl too.
  if ((access & landlock_access::write) != 0) out |= handled(abi) & ~(read_file | read_dir | execute_bit);
  // The kernel refuses rights of directories on a file.
  return directory ? out : out & (execute_bit | write_file | read_file | truncate | ioctl_device);
}

Failure restrict_files(const Rights& rights) {
  const long abi = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (abi < 1) return {ENOSYS, "Landlock, which this kernel lacks: boot with lsm=landlock,... or leave landlock unset"};
  landlock_ruleset_attr attributes{};
  attributes.handled_access_fs = handled(abi);
  const Handle ruleset(static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes.handled_access_fs, 0)));
  if (!ruleset) return failed("making a Landlock ruleset");
  for (std::size_t i = 0; i < rights.landlock_count; ++i) {
    const LandlockRule& rule = rights.landlock[i];
    const Handle path(::open(rule.path, O_PATH | O_CLOEXEC));
    struct stat info {};
    if (!path || ::fstat(path.get(), &info) != 0) return failed(rule.path);
    landlock_path_beneath_attr beneath{};
    beneath.allowed_access = bits_of(rule.access, abi, S_ISDIR(info.st_mode));
    beneath.parent_fd = path.get();
    if (::syscall(SYS_landlock_add_rule, ruleset.get(), LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) != 0) return failed(rule.path);
  }
  if (::syscall(SYS_landlock_restrict_self, ruleset.get(), 0) != 0) return failed("applying Landlock");
  return {};
}

}  // namespace

Failure enter_confine(Child& child) {
  const Rights& rights = child.spec.rights;
  if (child.spec.has(flag::no_new_privs) && ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return failed("no_new_privs");
  return rights.landlock_count != 0 ? restrict_files(rights) : Failure{};
}

}  // namespace drover::executor
