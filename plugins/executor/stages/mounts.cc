// The task's root, built without copying: the task directory bound onto itself, then the mounts of the spec in order.
//
// sources and targets are descriptors; a target is resolved once, inside the root, and never followed through a
// magic link, since an earlier run of the task may have put links into its directory.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <charconv>
#include <cstring>

#include "plugins/executor/child.h"
#include "plugins/executor/stages/mount_tree.h"

namespace drover::executor {
namespace {

// Bidirectional mounts must be cloned before this namespace is made a slave of the host's, else nothing flows back.
struct SharedSources {
  static constexpr std::size_t limit = 32;
  std::size_t mount[limit] = {};
  Handle tree[limit];
  std::size_t count = 0;

  Failure open_all(const Spec& spec) {
    for (std::size_t i = 0; i < spec.mount_count; ++i) {
      const Mount& m = spec.mounts[i];
      if (m.kind != MountKind::bind || (m.flags & mount_flag::shared) == 0) continue;
      if (count == limit) return {E2BIG, "bidirectional mounts"};
      tree[count] = Handle(::open_tree(AT_FDCWD, m.source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE));
      if (!tree[count]) return failed(m.source);
      mount[count++] = i;
    }
    return {};
  }
  Handle take(std::size_t index) {
    for (std::size_t i = 0; i < count; ++i) {
      if (mount[i] == index) return std::move(tree[i]);
    }
    return {};
  }
};

// What is bound. N-001: where a task can write beside it (alloc/logs), a link in its place is refused, and what was opened is what is
// mounted.
Failure clone_source(const Mount& m, Handle& tree) {
  constexpr unsigned how = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE;
  if ((m.flags & mount_flag::plain_source) == 0) {
    tree = Handle(::open_tree(AT_FDCWD, m.source, how));
    return tree ? Failure{} : failed(m.source);
  }
  const Handle source(::open(m.source, O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat info {};
  if (!source || ::fstat(source.get(), &info) != 0) return failed(m.source);
  if (S_ISLNK(info.st_mode)) return {ELOOP, m.source};
  tree = Handle(::open_tree(source.get(), "", how | AT_EMPTY_PATH));
  return tree ? Failure{} : failed(m.source);
}

Failure mount_bind(int root, const Mount& m, Handle tree, int user_namespace) {
  if (!tree) {
    if (auto failure = clone_source(m, tree)) return failure;
  }
  if (auto failure = set_attributes(tree.get(), m.flags, m.source, user_namespace)) return failure;
  struct stat info {};
  if (::fstat(tree.get(), &info) != 0) return failed(m.source);
  Handle target;
  if (auto failure = make_target(root, m.target, S_ISDIR(info.st_mode), m.flags, target)) return failure;
  return attach(tree.get(), target.get(), m.target);
}

// "/proc/self/fd/N": a name for what a descriptor holds that no rename can change.
void name_of(int fd, char (&out)[32]) {
  std::memcpy(out, "/proc/self/fd/", 14);
  *std::to_chars(out + 14, out + sizeof out - 1, fd).ptr = '\0';
}

// `below` is the task's directory as the host sees it. The upper directory is resolved there without links, since the task
// may have put one in its place; it must be reached through the same mount as the work directory, or the kernel refuses both.
Failure mount_overlay(int root, int below, const Mount& m) {
  const Handle context(::fsopen("overlay", FSOPEN_CLOEXEC));
  if (!context) return failed("overlay");
  Handle upper;
  if (auto failure = make_target(below, m.upper, true, mount_flag::plain_target, upper)) return failure;
  const Handle work(::open(m.work, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!work) return failed(m.work);
  char upper_name[32], work_name[32];
  name_of(upper.get(), upper_name);
  name_of(work.get(), work_name);
  if (::fsconfig(context.get(), FSCONFIG_SET_STRING, "lowerdir", m.source, 0) != 0) return failed(m.source);
  if (::fsconfig(context.get(), FSCONFIG_SET_STRING, "upperdir", upper_name, 0) != 0) return failed(m.upper);
  if (::fsconfig(context.get(), FSCONFIG_SET_STRING, "workdir", work_name, 0) != 0) return failed(m.work);
  if (::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) return failed(m.target);
  const Handle tree(::fsmount(context.get(), FSMOUNT_CLOEXEC, static_cast<unsigned>(attribute_bits(m.flags))));
  if (!tree) return failed(m.target);
  Handle target;
  if (auto failure = make_target(root, m.target, true, m.flags, target)) return failure;
  return attach(tree.get(), target.get(), m.target);
}

Failure mount_filesystem(int root, const Mount& m) {
  Handle tree;
  if (auto failure = make_filesystem(m, tree)) return failure;
  Handle target;
  if (auto failure = make_target(root, m.target, true, m.flags, target)) return failure;
  return attach(tree.get(), target.get(), m.target);
}

// a private /dev that holds what every program expects and nothing else, complete before it is moved in.
Failure mount_devices(int root, const Mount& m) {
  struct Node { const char* name; unsigned minor; unsigned major; };
  static constexpr Node nodes[] = {{"null", 3, 1}, {"zero", 5, 1}, {"full", 7, 1}, {"random", 8, 1}, {"urandom", 9, 1}, {"tty", 0, 5}};
  struct Link { const char* name; const char* text; };
  static constexpr Link links[] = {{"ptmx", "pts/ptmx"}, {"fd", "/proc/self/fd"}, {"stdin", "/proc/self/fd/0"},
                                   {"stdout", "/proc/self/fd/1"}, {"stderr", "/proc/self/fd/2"}};
  Mount tmpfs = m;
  tmpfs.source = "tmpfs";
  Handle tree;
  if (auto failure = make_filesystem(tmpfs, tree)) return failure;
  const mode_t mask = ::umask(0);
  for (const auto& node : nodes) {
    const dev_t device = (static_cast<dev_t>(node.major) << 8) | node.minor;
    if (::mknodat(tree.get(), node.name, S_IFCHR | 0666, device) != 0) return failed(node.name);
  }
  for (const auto& link : links) {
    if (::symlinkat(link.text, tree.get(), link.name) != 0) return failed(link.name);
  }
  for (const char* name : {"pts", "shm", "mqueue"}) {
    if (::mkdirat(tree.get(), name, 0755) != 0) return failed(name);
  }
  ::umask(mask);
  Handle target;
  if (auto failure = make_target(root, m.target, true, m.flags, target)) return failure;
  return attach(tree.get(), target.get(), m.target);
}

// files are hidden by our own /dev/null, directories by an empty read-only tmpfs. What does not exist needs no mask.
Failure mask(int root, const Mount& m, Handle& empty) {
  const Handle target(open_beneath(root, m.target + 1, O_PATH | O_NOFOLLOW, 0, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS));
  if (!target) return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? Failure{} : failed(m.target);
  struct stat info {};
  if (::fstat(target.get(), &info) != 0) return failed(m.target);
  if (!S_ISDIR(info.st_mode)) {
    const Handle null(open_beneath(root, "dev/null", O_PATH | O_NOFOLLOW, 0, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS));
    struct stat device {};
    if (!null || ::fstat(null.get(), &device) != 0) return failed("/dev/null");
    if (!S_ISCHR(device.st_mode) || device.st_rdev != ((1u << 8) | 3u)) return {ENODEV, "/dev/null"};
    const Handle tree(::open_tree(null.get(), "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH));
    if (!tree) return failed(m.target);
    return attach(tree.get(), target.get(), m.target);
  }
  if (!empty) {
    Mount tmpfs;
    tmpfs.source = "tmpfs";
    tmpfs.options[tmpfs.option_count++] = "mode=755";
    tmpfs.flags = mount_flag::read_only | mount_flag::nosuid | mount_flag::nodev | mount_flag::noexec;
    if (auto failure = make_filesystem(tmpfs, empty)) return failure;
    // Before Linux 6.15 a tree can be cloned only once it is part of the mount namespace.
    return attach(empty.get(), target.get(), m.target);
  }
  const Handle tree(::open_tree(empty.get(), "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH));
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

Failure apply(int root, int below, const Mount& m, Handle shared, Handle& empty, int user_namespace) {
  switch (m.kind) {
    case MountKind::bind: return mount_bind(root, m, std::move(shared), user_namespace);
    case MountKind::overlay: return mount_overlay(root, below, m);
    case MountKind::filesystem: return mount_filesystem(root, m);
    case MountKind::devices: return mount_devices(root, m);
    case MountKind::mask: return mask(root, m, empty);
    case MountKind::read_only: return make_read_only(root, m);
    case MountKind::directory: return make_directory(root, m);
    case MountKind::symlink: return make_symlink(root, m);
  }
  return {EINVAL, "a mount of unknown kind"};
}

}  // namespace

Failure enter_mounts(Child& child) {
  const Spec& spec = child.spec;
  if (spec.root == nullptr) return {};
  SharedSources shared;
  if (auto failure = shared.open_all(spec)) return failure;
  // The host's later mounts may still come in, ours never go out.
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) return failed("/");
  // resolved once, and through no link: the last parts may be a directory of the task.
  const Handle below(open_beneath(AT_FDCWD, spec.root, O_PATH | O_DIRECTORY, 0, RESOLVE_NO_SYMLINKS));
  if (!below) return failed(spec.root);
  Handle root(::open_tree(below.get(), "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_EMPTY_PATH));
  if (!root) return failed(spec.root);
  // N-027. Not recursive: what the host mounted below has its own attributes.
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
  if (spec.user_namespace_fd >= 0) {
    if (auto failure = make_targets(below.get(), spec)) return failure;
    attributes.attr_set |= MOUNT_ATTR_IDMAP;
    attributes.userns_fd = static_cast<std::uint64_t>(spec.user_namespace_fd);
  }
  // Owners are mapped in what is mounted below too (secrets/), where its file system can (tmpfs: Linux 6.3).
  const bool mapped = spec.user_namespace_fd >= 0 &&
                      ::mount_setattr(root.get(), "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes, sizeof attributes) == 0;
  if (!mapped && ::mount_setattr(root.get(), "", AT_EMPTY_PATH, &attributes, sizeof attributes) != 0) return failed(spec.root);
  if (auto failure = attach(root.get(), below.get(), spec.root)) return failure;
  Handle empty;
  for (std::size_t i = 0; i < spec.mount_count; ++i) {
    const auto failure = apply(root.get(), below.get(), spec.mounts[i], shared.take(i), empty, spec.user_namespace_fd);
    if (failure && (spec.mounts[i].flags & mount_flag::if_possible) == 0) return failure;
  }
  child.root_fd = root.release();
  return {};
}

}  // namespace drover::executor
