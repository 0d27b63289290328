#include "plugins/exec/tree_copy.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <vector>

#include "sdk/executor/syscalls.h"
#include "sdk/base/file.h"
#include "sdk/base/text.h"

namespace drover {
namespace {

constexpr int max_depth = 128;

Result<> copy_content(int from, int to, const std::string& name) {
  if (::ioctl(to, FICLONE, from) == 0) return {};
  for (;;) {
    const ssize_t size = ::copy_file_range(from, nullptr, to, nullptr, 1u << 30, 0);
    if (size == 0) return {};
    if (size > 0) continue;
    if (errno != EXDEV && errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP) return fail_errno("copying \"{}\"", name);
    break;
  }
  std::vector<char> buffer(1u << 18);
  for (;;) {
    const ssize_t size = ::read(from, buffer.data(), buffer.size());
    if (size == 0) return {};
    if (size < 0) return fail_errno("reading \"{}\"", name);
    DROVER_TRY(write_all(to, {buffer.data(), static_cast<std::size_t>(size)}));
  }
}

Result<> copy_file(int from_dir, int to_dir, const char* name, const struct stat& info) {
  const Fd from(::openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!from) return fail_errno("opening \"{}\"", name);
  const Fd to(::openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!to) return errno == EEXIST ? Result<>{} : fail_errno("making \"{}\"", name);
  DROVER_TRY(copy_content(from.get(), to.get(), name));
  if (::fchown(to.get(), info.st_uid, info.st_gid) != 0) return fail_errno("owner of \"{}\"", name);
  // A copy of a set-uid program would be one more.
  if (::fchmod(to.get(), info.st_mode & 0777) != 0) return fail_errno("mode of \"{}\"", name);
  return {};
}

// An existing directory, or a new one with the mode and owner of another; never through a link.
Result<Fd> enter(int parent, const std::string& name, const struct stat* like) {
  const bool made = ::mkdirat(parent, name.c_str(), 0700) == 0;
  if (!made && errno != EEXIST) return fail_errno("making \"{}\"", name);
  Fd out(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!out) return fail_errno("\"{}\" is in the way of a directory", name);
  const mode_t mode = like != nullptr ? like->st_mode & 01777 : 0755;
  if (made && ((like != nullptr && ::fchown(out.get(), like->st_uid, like->st_gid) != 0) || ::fchmod(out.get(), mode) != 0)) {
    return fail_errno("mode of \"{}\"", name);
  }
  return out;
}

struct Identity {
  dev_t device = 0;
  ino_t inode = 0;
};

Result<> copy_tree(int from, int to, const Identity& skip, int depth) {
  if (depth > max_depth) return fail(Code::too_large, "directories are nested deeper than {}", max_depth);
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(::fdopendir(::fcntl(from, F_DUPFD_CLOEXEC, 0)), ::closedir);
  if (!listing) return fail_errno("reading a directory");
  while (const dirent* entry = ::readdir(listing.get())) {
    const std::string name = entry->d_name;
    struct stat info {};
    if (name == "." || name == ".." || ::fstatat(from, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (S_ISREG(info.st_mode)) {
      DROVER_TRY(copy_file(from, to, name.c_str(), info));
    } else if (S_ISLNK(info.st_mode)) {
      std::string text(4096, '\0');
      const ssize_t size = ::readlinkat(from, name.c_str(), text.data(), text.size() - 1);
      if (size < 0) continue;
      text.resize(static_cast<std::size_t>(size));
      if (::symlinkat(text.c_str(), to, name.c_str()) != 0 && errno != EEXIST) return fail_errno("making link \"{}\"", name);
    } else if (S_ISDIR(info.st_mode) && (info.st_dev != skip.device || info.st_ino != skip.inode)) {
      const Fd source(::openat(from, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (!source) continue;
      auto target = enter(to, name, &info);
      if (!target) return fail(target.error());
      DROVER_TRY(copy_tree(source.get(), target->get(), skip, depth + 1));
    }
  }
  return {};
}

Result<Fd> enter_all(int root, const std::string& path) {
  Fd at(::fcntl(root, F_DUPFD_CLOEXEC, 0));
  for (const auto& part : split(path, '/')) {
    if (part.empty()) continue;
    auto next = enter(at.get(), part, nullptr);
    if (!next) return next;
    at = std::move(*next);
  }
  return at;
}

}  // namespace

Result<> copy_chroot(const std::map<std::string, std::string>& chroot_env, const std::string& task_dir, const std::string& skip) {
  const auto root = open_file(task_dir, O_RDONLY | O_DIRECTORY);
  if (!root) return fail(root.error());
  struct stat skipped {};
  const bool has_skipped = ::stat(skip.c_str(), &skipped) == 0;
  const Identity left_out = has_skipped ? Identity{skipped.st_dev, skipped.st_ino} : Identity{};
  for (const auto& [host, task] : chroot_env) {
    struct stat info {};
    if (::stat(host.c_str(), &info) != 0) continue;  // what the host lacks, the task lacks
    if (S_ISREG(info.st_mode)) {
      const auto slash = task.rfind('/');
      auto parent = enter_all(root->get(), task.substr(0, slash));
      if (!parent) return fail(parent.error(), "chroot entry \"{}\"", task);
      const auto from = open_file(host, O_RDONLY);
      const Fd to(::openat(parent->get(), task.c_str() + slash + 1, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, info.st_mode & 0777));
      if (!from || (!to && errno != EEXIST)) return fail_errno("chroot entry \"{}\"", task);
      if (to) DROVER_TRY(copy_content(from->get(), to.get(), host));
      continue;
    }
    if (!S_ISDIR(info.st_mode)) continue;
    const auto from = open_file(host, O_RDONLY | O_DIRECTORY);
    if (!from) return fail(from.error());
    auto to = enter_all(root->get(), task);
    if (!to) return fail(to.error(), "chroot entry \"{}\"", task);
    if (auto copied = copy_tree(from->get(), to->get(), left_out, 0); !copied) return fail(copied.error(), "copying \"{}\" to the task's root", host);
  }
  return {};
}

}  // namespace drover
