#include "plugins/executor/stages/mount_tree.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <climits>
#include <cstring>

namespace drover::executor {

std::uint64_t attribute_bits(std::uint64_t flags) {
  std::uint64_t out = 0;
  if ((flags & mount_flag::read_only) != 0) out |= MOUNT_ATTR_RDONLY;
  if ((flags & mount_flag::nosuid) != 0) out |= MOUNT_ATTR_NOSUID;
  if ((flags & mount_flag::nodev) != 0) out |= MOUNT_ATTR_NODEV;
  if ((flags & mount_flag::noexec) != 0) out |= MOUNT_ATTR_NOEXEC;
  if ((flags & mount_flag::strictatime) != 0) out |= MOUNT_ATTR_STRICTATIME;
  return out;
}

Failure set_attributes(int tree, std::uint64_t flags, const char* name, int user_namespace) {
  mount_attr attributes{};
  attributes.attr_set = attribute_bits(flags);
  attributes.propagation = (flags & mount_flag::shared) != 0 ? static_cast<std::uint64_t>(MS_SHARED)
                           : (flags & mount_flag::slave) != 0 ? static_cast<std::uint64_t>(MS_SLAVE)
                                                              : static_cast<std::uint64_t>(MS_PRIVATE);
  if (user_namespace >= 0 && (flags & mount_flag::idmap) != 0) {
    attributes.attr_set |= MOUNT_ATTR_IDMAP;
    attributes.userns_fd = static_cast<std::uint64_t>(user_namespace);
  }
  if (::mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes, sizeof attributes) != 0) return failed(name);
  return {};
}

Failure make_filesystem(const Mount& m, Handle& tree) {
  const Handle context(::fsopen(m.source, FSOPEN_CLOEXEC));
  if (!context) return failed(m.source);
  for (std::size_t i = 0; i < m.option_count; ++i) {
    char key[64];
    const char* option = m.options[i];
    const char* equals = std::strchr(option, '=');
    const std::size_t length = equals != nullptr ? static_cast<std::size_t>(equals - option) : std::strlen(option);
    if (length >= sizeof key) return {EINVAL, option};
    std::memcpy(key, option, length);
    key[length] = '\0';
    const int done = equals != nullptr ? ::fsconfig(context.get(), FSCONFIG_SET_STRING, key, equals + 1, 0)
                                       : ::fsconfig(context.get(), FSCONFIG_SET_FLAG, key, nullptr, 0);
    if (done != 0) return failed(option);
  }
  if (::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) return failed(m.source);
  tree = Handle(::fsmount(context.get(), FSMOUNT_CLOEXEC, static_cast<unsigned>(attribute_bits(m.flags))));
  return tree ? Failure{} : failed(m.source);
}

namespace {

std::uint64_t resolve_bits(std::uint64_t flags) {
  std::uint64_t out = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  if ((flags & mount_flag::plain_target) != 0) out |= RESOLVE_NO_SYMLINKS;
  return out;
}

int open_retrying(int root, const char* path, std::uint64_t flags, std::uint64_t resolve) {
  // EAGAIN: a rename raced with a ".." in the walk; R-010 gives it a bounded number of tries.
  for (int i = 0; i < 128; ++i) {
    const int fd = open_beneath(root, path, flags, 0, resolve);
    if (fd >= 0 || errno != EAGAIN) return fd;
  }
  return -1;
}

}  // namespace

Failure make_target(int root, const char* path, bool directory, std::uint64_t flags, Handle& target) {
  const std::uint64_t resolve = resolve_bits(flags);
  target = Handle(open_retrying(root, path, O_PATH | (directory ? O_DIRECTORY : 0), resolve));
  if (target) return {};
  if (errno != ENOENT) return failed(path);
  char prefix[PATH_MAX];
  const std::size_t length = std::strlen(path);
  if (length >= sizeof prefix) return {ENAMETOOLONG, path};
  Handle parent(open_retrying(root, "/", O_PATH | O_DIRECTORY, resolve));
  if (!parent) return failed(path);
  for (std::size_t start = 1; start < length;) {
    std::size_t end = start;
    while (end < length && path[end] != '/') ++end;
    if (end == start) { ++start; continue; }
    std::memcpy(prefix, path, end);
    prefix[end] = '\0';
    const bool last = end == length || (end + 1 == length && path[end] == '/');
    const bool want_directory = !last || directory;
    Handle next(open_retrying(root, prefix, O_PATH | (want_directory ? O_DIRECTORY : 0), resolve));
    if (!next) {
      if (errno != ENOENT) return failed(path);
      if (want_directory) {
        if (::mkdirat(parent.get(), prefix + start, 0755) != 0 && errno != EEXIST) return failed(path);
      } else {
        const Handle made(::openat(parent.get(), prefix + start, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0644));
        if (!made && errno != EEXIST) return failed(path);
      }
      next = Handle(open_retrying(root, prefix, O_PATH | (want_directory ? O_DIRECTORY : 0), resolve));
      if (!next) return failed(path);
    }
    parent = std::move(next);
    start = end + 1;
  }
  target = std::move(parent);
  return {};
}

Failure attach(int tree, int target, const char* name) {
  if (::move_mount(tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) != 0) return failed(name);
  return {};
}

}  // namespace drover::executor
