// The new root takes the place of the old one, which is then gone from this namespace, or an empty directory that hides another.
#include <sys/mount.h>

#include "plugins/executor/child.h"
#include "plugins/executor/stages/mount_tree.h"

namespace drover::executor {

Failure enter_pivot(Child& child) {
  if (!child.root) return {};
  if (::fchdir(child.root.get()) != 0) return failed("entering the root");
  if (child.spec.has(flag::no_pivot_root)) {
    // For roots that cannot be pivoted from (initramfs): the weaker form the operator asked for. The new root lies over the old one.
    if (::chroot(".") != 0) return failed("chroot");
  } else {
    // Old and new root at the same place: no directory for the old one is needed in the task's tree.
    if (pivot_root(".", ".") != 0) return failed("pivot_root");
    if (child.old_root_place) {
      if (auto failure = attach(child.old_root.get(), child.old_root_place.get(), "moving the old root")) return failure;
    } else if (::umount2(".", MNT_DETACH) != 0) {
      return failed("detaching the old root");
    }
  }
  child.root.reset();
  child.old_root.reset();
  child.old_root_place.reset();
  return ::chdir("/") == 0 ? Failure{} : failed("/");
}

}  // namespace drover::executor
