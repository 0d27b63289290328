// The new root takes the place of the old one, which is then gone from this namespace, or empty and out of reach.
#include <sys/mount.h>

#include "plugins/executor/child.h"

namespace drover::executor {

Failure enter_pivot(Child& child) {
  if (!child.root) return {};
  if (::fchdir(child.root.get()) != 0) return failed("entering the root");
  const Spec& spec = child.spec;
  if (spec.mount_base_fd >= 0 || spec.has(flag::no_pivot_root)) {
    // The new root lies over the old one, at the root of the namespace: no path leads from a mount to what it lies over there, as none
    // leads from any host's root to its initramfs. So chroot(2) is as good as pivot_root(2), which looks at every thread of the host, when
    // there is nothing of the host in the namespace; else it is the weaker form for an initramfs that the operator asked for.
    if (::chroot(".") != 0) return failed("chroot");
  } else {
    // Old and new root at the same place: no directory for the old one is needed in the task's tree.
    if (pivot_root(".", ".") != 0) return failed("pivot_root");
    if (::umount2(".", MNT_DETACH) != 0) return failed("detaching the old root");
  }
  child.root.reset();
  return ::chdir("/") == 0 ? Failure{} : failed("/");
}

}  // namespace drover::executor
