#include "sdk/executor/executor_binary.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>

namespace drover {

std::string ExecutorBinary::runnable() {
  const std::filesystem::path path(path_);
  if (!directory_) {
    Fd tree(::open_tree(AT_FDCWD, path.parent_path().c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
    mount_attr attributes{};
    attributes.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
    if (!tree || ::mount_setattr(tree.get(), "", AT_EMPTY_PATH, &attributes, sizeof attributes) != 0) return path_;
    // Out of the way of the low numbers that a child's descriptors are moved to.
    directory_ = Fd(::fcntl(tree.get(), F_DUPFD_CLOEXEC, 64));
    if (!directory_) return path_;
  }
  // By our own number: in the child the descriptor is closed by the time of the exec.
  return fmt::format("/proc/{}/fd/{}/{}", ::getpid(), directory_.get(), path.filename().string());
}

}  // namespace drover
