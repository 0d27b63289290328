// The new root takes the place of the old one, which is then gone from this namespace.
#include <sys/mount.h>

#include "plugins/executor/child.h"

namespace drover::executor {

Failure enter_pivot(Child& child) {
  if (child.root_fd < 0) return {};
  if (::fchdir(child.root_fd) != 0) return failed("entering the root");
  if (child.spec.has(flag::no_pivot_root)) {
    // For roots that cannot be pivoted from (initramfs): the weaker form the operator asked for.
    if (::mount(".", "/", nullptr, MS_MOVE, nullptr) != 0) return failed("moving the root");
    if (::chroot(".") != 0) return failed("chroot");
  } else {
    // Old and new root at the same place: no directory for the old one is needed in the task's tree.
    if (pivot_root(".", ".") != 0) return failed("pivot_root");
    if (::umount2(".", MNT_DETACH) != 0) return failed("detaching the old root");
  }
  ::close(child.root_fd);
  child.root_fd = -1;
  return ::chdir("/") == 0 ? Failure{} : failed("/");
}

}  // namespace drover::executor
