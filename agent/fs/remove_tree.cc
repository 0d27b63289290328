#include "agent/fs/remove_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <vector>

#include "agent/fs/beneath.h"

namespace drover::agent {
namespace {
// Directories deeper than this are moved up to the top and removed from there: their number of descriptors stays bounded.
constexpr std::size_t max_depth = 64;

struct CloseDir { void operator()(DIR* dir) const { ::closedir(dir); } };

struct Level {
  std::unique_ptr<DIR, CloseDir> dir;
  std::string name;  // in the level above
  [[nodiscard]] int fd() const { return ::dirfd(dir.get()); }
};

bool is_dots(const char* name) { return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0')); }

class Remover {
 public:
  Remover(std::string path, Level top) : path_(std::move(path)) { levels_.push_back(std::move(top)); }

  // Empties the top directory; what is left of it is the caller's to remove.
  Result<> run() {
    while (!levels_.empty()) {
      errno = 0;
      const dirent* entry = ::readdir(levels_.back().dir.get());
      if (entry == nullptr && errno != 0) return fail_errno("reading a directory below \"{}\"", path_);
      if (entry == nullptr) {
        DROVER_TRY(leave());
      } else if (!is_dots(entry->d_name)) {
        DROVER_TRY(remove(entry->d_name));
      }
    }
    return {};
  }

 private:
  Result<> remove(const std::string& name) {
    const int parent = levels_.back().fd();
    if (::unlinkat(parent, name.c_str(), 0) == 0 || errno == ENOENT) return {};
    // EBUSY: a file that is a mount point.
    if (errno == EBUSY) {
      DROVER_TRY(unmount_beneath(parent, name.c_str()));
      if (::unlinkat(parent, name.c_str(), 0) == 0) return {};
    }
    if (errno != EISDIR && errno != EPERM) return fail_errno("removing \"{}\" below \"{}\"", name, path_);
    if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return {};
    if (levels_.size() < max_depth) return enter(name);
    DROVER_TRY(unmount_beneath(parent, name.c_str()));
    const std::string moved = fmt::format(".drover-moved-{}", ++moved_);
    if (::renameat(parent, name.c_str(), levels_.front().fd(), moved.c_str()) != 0) return fail_errno("moving \"{}\" below \"{}\"", name, path_);
    again_ = true;
    return {};
  }

  Result<> enter(const std::string& name) {
    const int parent = levels_.back().fd();
    Fd fd(open_beneath(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW, RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV));
    if (!fd && errno == EXDEV) {
      DROVER_TRY(unmount_beneath(parent, name.c_str()));
      fd = Fd(open_beneath(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW, RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV));
    }
    if (!fd && errno == EACCES) {  // ours without being root: its owner may have closed it
      (void)::fchmodat(parent, name.c_str(), 0700, 0);
      fd = Fd(open_beneath(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW, RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV));
    }
    if (!fd) return fail_errno("opening \"{}\" below \"{}\"", name, path_);
    std::unique_ptr<DIR, CloseDir> dir(::fdopendir(fd.get()));
    if (!dir) return fail_errno("reading \"{}\" below \"{}\"", name, path_);
    (void)fd.release();
    levels_.push_back({std::move(dir), name});
    return {};
  }

  Result<> leave() {
    if (levels_.size() == 1 && again_) {  // what was moved up may have come after the place where reading stood
      again_ = false;
      ::rewinddir(levels_.front().dir.get());
      return {};
    }
    const Level done = std::move(levels_.back());
    levels_.pop_back();
    if (levels_.empty()) return {};
    const int parent = levels_.back().fd();
    if (::unlinkat(parent, done.name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return {};
    return fail_errno("removing directory \"{}\" below \"{}\"", done.name, path_);
  }

  std::string path_;
  std::vector<Level> levels_;
  unsigned moved_ = 0;
  bool again_ = false;
};
}  // namespace

Result<> unmount_beneath(int directory, const char* name) {
  // Only the last part is not followed; the first names our own descriptor.
  const std::string path = fmt::format("/proc/self/fd/{}/{}", directory, name);
  for (;;) {
    if (::umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) == 0) continue;  // another may lie below
    if (errno == EINVAL || errno == ENOENT) return {};
    return fail_errno("unmounting \"{}\"", name);
  }
}

Result<> remove_tree(const std::string& path) {
  auto fd = open_file(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!fd && fd.error().sys_errno() == ENOENT) return {};
  if (!fd) return fail(fd.error());
  std::unique_ptr<DIR, CloseDir> dir(::fdopendir(fd->get()));
  if (!dir) return fail_errno("reading \"{}\"", path);
  (void)fd->release();
  DROVER_TRY(Remover(path, {std::move(dir), {}}).run());
  if (::rmdir(path.c_str()) != 0 && errno != ENOENT) return fail_errno("removing \"{}\"", path);
  return {};
}

}  // namespace drover::agent
