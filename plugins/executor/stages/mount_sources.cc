// What of the host a task sees, as detached trees that go by their descriptors: made while the host's mounts are in sight, attached
// when they no longer are (mounts.cc).
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <charconv>
#include <cstring>

#include "plugins/executor/stages/mount_tree.h"

namespace drover::executor {
namespace {

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

Failure make_bind(const Mount& m, int user_namespace, Handle& tree) {
  if (auto failure = clone_source(m, tree)) return failure;
  // Without the last word on propagation it would be a peer of the host's mount, if that has any.
  return set_attributes(tree.get(), m.flags, m.source, user_namespace);
}

// "/proc/self/fd/N": a name for what a descriptor holds that no rename can change.
void name_of(int fd, char (&out)[32]) {
  std::memcpy(out, "/proc/self/fd/", 14);
  *std::to_chars(out + 14, out + sizeof out - 1, fd).ptr = '\0';
}

// `below` is the task's directory as the host sees it. The upper directory is resolved there without links, since the task
// may have put one in its place; it must be reached through the same mount as the work directory, or the kernel refuses both.
Failure make_overlay(int below, const Mount& m, Handle& tree) {
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
  tree = Handle(::fsmount(context.get(), FSMOUNT_CLOEXEC, static_cast<unsigned>(attribute_bits(m.flags))));
  return tree ? Failure{} : failed(m.target);
}

// a private /dev that holds what every program expects and nothing else, complete before it is moved in.
Failure make_devices(const Mount& m, Handle& tree) {
  struct Node { const char* name; unsigned minor; unsigned major; };
  static constexpr Node nodes[] = {{"null", 3, 1}, {"zero", 5, 1}, {"full", 7, 1}, {"random", 8, 1}, {"urandom", 9, 1}, {"tty", 0, 5}};
  struct Link { const char* name; const char* text; };
  static constexpr Link links[] = {{"ptmx", "pts/ptmx"}, {"fd", "/proc/self/fd"}, {"stdin", "/proc/self/fd/0"},
                                   {"stdout", "/proc/self/fd/1"}, {"stderr", "/proc/self/fd/2"}};
  Mount tmpfs = m;
  tmpfs.source = "tmpfs";
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
  return {};
}

}  // namespace

Failure make_source(const Mount& m, int below, int user_namespace, Handle& tree) {
  switch (m.kind) {
    case MountKind::bind: return make_bind(m, user_namespace, tree);
    case MountKind::overlay: return make_overlay(below, m, tree);
    case MountKind::filesystem: return make_filesystem(m, tree);
    case MountKind::devices: return make_devices(m, tree);
    case MountKind::mask:
    case MountKind::read_only:
    case MountKind::directory:
    case MountKind::symlink: return {};
  }
  return {EINVAL, "a mount of unknown kind"};
}

}  // namespace drover::executor
