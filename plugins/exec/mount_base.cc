#include "plugins/exec/mount_base.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <thread>

namespace drover::exec {
namespace {

// An empty directory that stays empty, whoever makes it writable: tasks see it in place of what is hidden from them, all of them the same.
Result<Fd> empty_root() {
  const Fd context(::fsopen("tmpfs", FSOPEN_CLOEXEC));
  const auto set = [&](const char* key, const char* value) { return ::fsconfig(context.get(), FSCONFIG_SET_STRING, key, value, 0) == 0; };
  if (!context || !set("mode", "755") || !set("nr_inodes", "1") || !set("size", "4096") ||
      ::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) {
    return fail_errno("making a tmpfs");
  }
  Fd tree(::fsmount(context.get(), FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC));
  if (!tree) return fail_errno("making a tmpfs");
  return tree;
}

Result<Fd> leave_host_mounts() {
  if (::unshare(CLONE_NEWNS) != 0) return fail_errno("making a mount namespace");
  // First of all: what is unmounted here must stay mounted on the host.
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return fail_errno("making mounts private");
  Fd own(::open("/proc/thread-self/ns/mnt", O_RDONLY | O_CLOEXEC));
  if (!own) return fail_errno("opening a mount namespace");
  const auto root = empty_root();
  if (!root) return fail(root.error());
  if (::move_mount(root->get(), "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) != 0 || ::fchdir(root->get()) != 0) return fail_errno("mounting an empty root");
  if (::syscall(SYS_pivot_root, ".", ".") != 0) return fail_errno("pivot_root");
  if (::umount2(".", MNT_DETACH) != 0) return fail_errno("detaching the host's mounts");
  return own;
}

}  // namespace

Result<Fd> make_mount_base() {
  Result<Fd> out = fail(Code::internal, "no thread");
  std::thread([&out] { out = leave_host_mounts(); }).join();
  return out;
}

}  // namespace drover::exec
