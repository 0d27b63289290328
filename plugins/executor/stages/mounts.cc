// The task's root, built without copying: a mount namespace of its own with the task's directory on top of everything, then the
// mounts of the spec in order. All that is of the host is made before (mount_sources.cc), so the namespace need not have the host's mounts:
// it comes of one that has none, where the driver gave one, and costs the same on a host with thousands of them.
//
// sources and targets are descriptors; a target is resolved once, inside the root, and never followed through a
// magic link, since an earlier run of the task may have put links into its directory.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <cstring>

#include "plugins/executor/child.h"
#include "plugins/executor/stages/mount_tree.h"

namespace drover::executor {
namespace {

// Directories are hidden by an empty read-only one. The root that a namespace without mounts comes with is such a directory; and since it
// has to go anyway, and unmounting it waits for every processor, the first of them gets it itself (pivot.cc).
struct Hiding {
  Handle& old_root;
  Handle& old_root_place;
  bool old_root_is_empty = false;
  Handle empty = {};

  Failure cover(const Mount& m, Handle target) {
    if (old_root_is_empty && !old_root_place) {
      old_root_place = std::move(target);
      return {};
    }
    if (old_root_is_empty || empty) {
      const Handle tree(::open_tree(old_root_is_empty ? old_root.get() : empty.get(), "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH));
      if (!tree) return failed(m.target);
      return attach(tree.get(), target.get(), m.target);
    }
    Mount tmpfs;
    tmpfs.source = "tmpfs";
    tmpfs.options[tmpfs.option_count++] = "mode=755";
    tmpfs.flags = mount_flag::read_only | mount_flag::nosuid | mount_flag::nodev | mount_flag::noexec;
    if (auto failure = make_filesystem(tmpfs, empty)) return failure;
    // Before Linux 6.15 a tree can be cloned only once it is part of the mount namespace.
    return attach(empty.get(), target.get(), m.target);
  }
};

// files are hidden by our own /dev/null. What does not exist needs no mask.
Failure mask(int root, const Mount& m, Hiding& hiding) {
  Handle target(open_beneath(root, m.target + 1, O_PATH | O_NOFOLLOW, 0, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS));
  if (!target) return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? Failure{} : failed(m.target);
  struct stat info {};
  if (::fstat(target.get(), &info) != 0) return failed(m.target);
  if (S_ISDIR(info.st_mode)) return hiding.cover(m, std::move(target));
  const Handle null(open_beneath(root, "dev/null", O_PATH | O_NOFOLLOW, 0, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS));
  struct stat device {};
  if (!null || ::fstat(null.get(), &device) != 0) return failed("/dev/null");
  if (!S_ISCHR(device.st_mode) || device.st_rdev != ((1u << 8) | 3u)) return {ENODEV, "/dev/null"};
  const Handle tree(::open_tree(null.get(), "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH));
  if (!tree) return failed(m.target);
  return attach(tree.get(), target.get(), m.target);
}

Failure make_read_only(int root, const Mount& m) {
  const Handle target(open_beneath(root, m.target + 1, O_PATH | O_NOFOLLOW, 0, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS));
  if (!target) return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? Failure{} : failed(m.target);
  const Handle tree(::open_tree(target.get(), "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE));
  if (!tree) return failed(m.target);
  if (auto failure = set_attributes(tree.get(), m.flags | mount_flag::read_only, m.target)) return failure;
  return attach(tree.get(), target.get(), m.target);
}

Failure make_directory(int root, const Mount& m) {
  Handle target;
  if (auto failure = make_target(root, m.target, true, m.flags, target)) return failure;
  // The descriptor is O_PATH; the directory is named through it once more to set the mode.
  const Handle directory(open_beneath(target.get(), ".", O_RDONLY | O_DIRECTORY, 0, 0));
  if (!directory || ::fchmod(directory.get(), m.mode) != 0) return failed(m.target);
  return {};
}

Failure make_symlink(int root, const Mount& m) {
  if (std::strchr(m.target + 1, '/') != nullptr) return {EINVAL, m.target};
  struct stat info {};
  if (::fstatat(root, m.target + 1, &info, AT_SYMLINK_NOFOLLOW) == 0) return {};
  if (::symlinkat(m.source, root, m.target + 1) != 0 && errno != EEXIST) return failed(m.target);
  return {};
}

// With a user namespace the root's owners are mapped, and we, whose id is not in the map, can make nothing there. So what the mounts
// need is made before, in the same directory without the map.
Failure make_targets(int below, const Spec& spec) {
  for (std::size_t i = 0; i < spec.mount_count; ++i) {
    const Mount& m = spec.mounts[i];
    const bool in_a_mount = std::strncmp(m.target, "/dev/", 5) == 0 || std::strncmp(m.target, "/proc/", 6) == 0 || std::strncmp(m.target, "/sys/", 5) == 0;
    if (in_a_mount || m.kind == MountKind::mask || m.kind == MountKind::read_only) continue;
    if (m.kind == MountKind::symlink) {
      if (auto failure = make_symlink(below, m)) return failure;
      continue;
    }
    struct stat info {};
    const bool directory = m.kind != MountKind::bind || ::stat(m.source, &info) != 0 || S_ISDIR(info.st_mode);
    Handle target;
    if (auto failure = make_target(below, m.target, directory, m.flags, target)) return failure;
  }
  return {};
}

// A file is bound onto a file, everything else onto a directory. No tree: the kernel refused one that may be missing.
Failure attach_source(int root, const Mount& m, const Handle& tree) {
  if (!tree) return {};
  struct stat info {};
  if (::fstat(tree.get(), &info) != 0) return failed(m.source);
  Handle target;
  if (auto failure = make_target(root, m.target, S_ISDIR(info.st_mode), m.flags, target)) return failure;
  return attach(tree.get(), target.get(), m.target);
}

Failure apply(int root, const Mount& m, const Handle& source, Hiding& hiding) {
  switch (m.kind) {
    case MountKind::bind:
    case MountKind::overlay:
    case MountKind::filesystem:
    case MountKind::devices: return attach_source(root, m, source);
    case MountKind::mask: return mask(root, m, hiding);
    case MountKind::read_only: return make_read_only(root, m);
    case MountKind::directory: return make_directory(root, m);
    case MountKind::symlink: return make_symlink(root, m);
  }
  return {EINVAL, "a mount of unknown kind"};
}

// The task's directory as a tree of its own. What is mounted there later is the host's business, and what the task mounts is the task's.
Failure make_root(int below, const Spec& spec, Handle& root) {
  root = Handle(::open_tree(below, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_EMPTY_PATH));
  if (!root) return failed(spec.root);
  mount_attr alone{};
  alone.propagation = MS_PRIVATE;
  if (::mount_setattr(root.get(), "", AT_EMPTY_PATH | AT_RECURSIVE, &alone, sizeof alone) != 0) return failed(spec.root);
  // N-027. Not recursive: what the host mounted below has its own attributes.
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
  if (spec.user_namespace_fd >= 0) {
    if (auto failure = make_targets(below, spec)) return failure;
    attributes.attr_set |= MOUNT_ATTR_IDMAP;
    attributes.userns_fd = static_cast<std::uint64_t>(spec.user_namespace_fd);
  }
  // Owners are mapped in what is mounted below too (secrets/), where its file system can (tmpfs: Linux 6.3).
  const bool mapped = spec.user_namespace_fd >= 0 &&
                      ::mount_setattr(root.get(), "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes, sizeof attributes) == 0;
  if (!mapped && ::mount_setattr(root.get(), "", AT_EMPTY_PATH, &attributes, sizeof attributes) != 0) return failed(spec.root);
  return {};
}

// Tells the executor the namespace, which it holds until the end of the task has been told.
Failure leave_host_mounts(const Child& child) {
  const Handle names(::open("/proc/self/ns", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!names) return failed("/proc/self/ns");
  const int base = child.spec.mount_base_fd;
  if (base >= 0 && ::setns(base, CLONE_NEWNS) != 0) return failed("the mount namespace without mounts");
  if (::unshare(CLONE_NEWNS) != 0) return failed("making a mount namespace");
  // With the host's mounts in it: ours never go out.
  if (base < 0 && ::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) return failed("/");
  const Handle own(::openat(names.get(), "mnt", O_RDONLY | O_CLOEXEC));
  if (own) send_report(child.report_fd, Report{Report::Kind::mounts, Stage::mounts, 0, 0, {}}, own.get());
  return {};
}

}  // namespace

Failure enter_mounts(Child& child) {
  const Spec& spec = child.spec;
  if (!spec.has(flag::mount_namespace)) return {};
  if (spec.root == nullptr) return ::unshare(CLONE_NEWNS) == 0 ? Failure{} : failed("making a mount namespace");
  // resolved once, and through no link: the last parts may be a directory of the task.
  const Handle below(open_beneath(AT_FDCWD, spec.root, O_PATH | O_DIRECTORY, 0, RESOLVE_NO_SYMLINKS));
  if (!below) return failed(spec.root);
  Handle root, sources[max_mounts];
  if (auto failure = make_root(below.get(), spec, root)) return failure;
  const auto may_fail = [&](std::size_t i) { return (spec.mounts[i].flags & mount_flag::if_possible) != 0; };
  for (std::size_t i = 0; i < spec.mount_count; ++i) {
    const auto failure = make_source(spec.mounts[i], below.get(), spec.user_namespace_fd, sources[i]);
    if (failure && !may_fail(i)) return failure;
  }
  if (auto failure = leave_host_mounts(child)) return failure;
  child.old_root = Handle(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!child.old_root) return failed("/");
  if (auto failure = attach(root.get(), child.old_root.get(), spec.root)) return failure;
  Hiding hiding{child.old_root, child.old_root_place, spec.mount_base_fd >= 0 && !spec.has(flag::no_pivot_root)};
  for (std::size_t i = 0; i < spec.mount_count; ++i) {
    const auto failure = apply(root.get(), spec.mounts[i], sources[i], hiding);
    if (failure && !may_fail(i)) return failure;
  }
  child.root = std::move(root);
  return {};
}

}  // namespace drover::executor
