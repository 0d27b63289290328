#include "agent/fs/alloc_dir.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <linux/magic.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <vector>

#include "sdk/base/file.h"
#include "sdk/base/text.h"

namespace drover::agent {
namespace {

constexpr uid_t nobody = 65534;

// mkdir, then mode and owner whatever the umask; O_NOFOLLOW so that a link a task made is never followed.
Result<> make(const std::string& path, unsigned mode, bool to_nobody) {
  if (mkdir(path.c_str(), mode) != 0 && errno != EEXIST) return fail_errno("making directory \"{}\"", path);
  auto fd = open_file(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!fd) return fail(fd.error());
  struct stat info {};
  if (fstat(fd->get(), &info) != 0) return fail_errno("reading mode of \"{}\"", path);
  if ((info.st_mode & 07777) != mode && fchmod(fd->get(), mode) != 0) return fail_errno("setting mode of \"{}\"", path);
  if (to_nobody && geteuid() == 0 && info.st_uid != nobody && fchown(fd->get(), nobody, nobody) != 0)
    return fail_errno("giving \"{}\" to nobody", path);
  return {};
}

bool is_tmpfs(const std::string& path) {
  struct statfs info {};
  return statfs(path.c_str(), &info) == 0 && info.f_type == TMPFS_MAGIC;
}
bool is_mount_point(const std::string& path) {
  struct stat own {}, parent {};
  return lstat(path.c_str(), &own) == 0 && lstat((path + "/..").c_str(), &parent) == 0 && own.st_dev != parent.st_dev;
}

Result<> secret_dir(const std::string& path, std::int64_t megabytes) {
  if (geteuid() != 0) return make(path, 0700, false);
  DROVER_TRY(make(path, 0777, false));
  if (is_mount_point(path) && is_tmpfs(path)) return {};
  const std::string size = fmt::format("size={}m,mode=0777,uid={},gid={}", megabytes, nobody, nobody);
  constexpr unsigned long flags = MS_NOEXEC | MS_NOSUID | MS_NODEV;
  // noswap came with Linux 6.4; older kernels refuse it with EINVAL.
  if (mount("tmpfs", path.c_str(), "tmpfs", flags, (size + ",noswap").c_str()) != 0 &&
      mount("tmpfs", path.c_str(), "tmpfs", flags, size.c_str()) != 0)
    return fail_errno("mounting the tmpfs \"{}\"", path);
  return write_file(path + "/.nomad-mount", "", 0644);
}

}  // namespace

Result<> check_task_name(const std::string& name) {
  static constexpr std::array<std::string_view, 9> reserved{"alloc", "local", "secrets", "private", "tmp", ".", "..", "logs", "data"};
  if (name.empty() || name.find('/') != std::string::npos || name.find('\0') != std::string::npos)
    return fail(Code::invalid_argument, "task name \"{}\" cannot be a directory; leave out \"/\"", name);
  if (std::find(reserved.begin(), reserved.end(), name) != reserved.end())
    return fail(Code::invalid_argument, "task name \"{}\" is the name of a directory of every allocation; choose another", name);
  return {};
}

Result<> build_alloc_dir(const AllocPaths& paths) {
  DROVER_TRY(make(paths.root, 0755, false));
  DROVER_TRY(make(paths.shared(), 0777, true));
  for (const char* name : {"/data", "/logs", "/tmp"}) DROVER_TRY(make(paths.shared() + name, 0777, true));
  return {};
}

Result<> build_task_dir(const AllocPaths& paths, const std::string& task, std::int64_t secrets_mb) {
  DROVER_TRY(check_task_name(task));
  DROVER_TRY(make(paths.task(task), 0777, true));
  DROVER_TRY(make(paths.local(task), 0777, true));
  DROVER_TRY(make(paths.task(task) + "/tmp", 01777, true));
  DROVER_TRY(secret_dir(paths.secrets(task), secrets_mb > 0 ? secrets_mb : 1));
  return secret_dir(paths.private_(task), 1);
}

Result<> remove_alloc_dir(const AllocPaths& paths) {
  const auto mounts = read_file("/proc/self/mountinfo", 16U << 20);
  std::vector<std::string> points;
  for (const auto& line : split(mounts.value_or(std::string()), '\n')) {
    const auto fields = split(line, ' ');
    if (fields.size() < 5) continue;
    // The kernel writes blanks in paths as \040.
    const std::string point = replace_all(fields[4], "\\040", " ");
    if (point.starts_with(paths.root + "/")) points.push_back(point);
  }
  // Later mounts first, so that what covers another goes before it.
  for (auto point = points.rbegin(); point != points.rend(); ++point)
    if (umount2(point->c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) != 0 && errno != EINVAL && errno != ENOENT)
      return fail_errno("unmounting \"{}\"", *point);
  std::error_code problem;
  std::filesystem::remove_all(paths.root, problem);  // does not follow links
  if (problem) return fail(errno_error(problem.value(), "removing \"" + paths.root + "\""));
  return {};
}

Result<> move_ephemeral_data(const AllocPaths& from, const AllocPaths& to, const std::vector<std::string>& tasks) {
  const auto move = [](const std::string& source, const std::string& target) -> Result<> {
    // The target is our own fresh and empty directory; rename(2) replaces it in one step.
    if (rename(source.c_str(), target.c_str()) != 0 && errno != ENOENT) return fail_errno("moving \"{}\" to \"{}\"", source, target);
    return {};
  };
  DROVER_TRY(move(from.shared() + "/data", to.shared() + "/data"));
  for (const auto& task : tasks) DROVER_TRY(move(from.local(task), to.local(task)));
  return {};
}

}  // namespace drover::agent
