#include "agent/task/task_dir.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "agent/fs/beneath.h"
#include "agent/fs/remove_tree.h"
#include "sdk/base/file.h"
#include "sdk/base/text.h"

namespace drover::agent {
namespace {
constexpr unsigned long secret_flags = MS_NOEXEC | MS_NOSUID | MS_NODEV;
constexpr const char* mount_marker = ".nomad-mount";

// The allocation's directory and its parents belong to the agent: no task can put anything in their place.
Result<Fd> open_own(const std::string& alloc_dir) { return open_file(alloc_dir, O_PATH | O_DIRECTORY | O_NOFOLLOW); }

Result<Fd> open_task(const std::string& alloc_dir, const std::string& task) {
  DROVER_TRY(check_task_name(task));
  auto own = open_own(alloc_dir);
  if (!own) return fail(own.error());
  Fd fd(open_beneath(own->get(), task.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW, RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV));
  if (!fd) return fail_errno("opening \"{}/{}\"", alloc_dir, task);
  return fd;
}

// N-051: memory, and mounted so that what lies there can neither be run nor be a device. Null when it is.
const char* why_not_secret(int fd) {
  struct statfs kind {};
  struct statvfs options {};
  if (::fstatfs(fd, &kind) != 0 || ::fstatvfs(fd, &options) != 0) return "it cannot be examined";
  if (kind.f_type != TMPFS_MAGIC) return "what is mounted on it is no tmpfs";
  constexpr unsigned long wanted = ST_NOEXEC | ST_NOSUID | ST_NODEV;
  if ((options.f_flag & wanted) != wanted) return "the tmpfs on it lacks noexec, nosuid or nodev";
  return nullptr;
}

Result<> mount_tmpfs(int directory, std::int64_t megabytes, const std::string& shown) {
  // A descriptor's name, so that it is this very directory which is covered.
  const std::string target = fmt::format("/proc/self/fd/{}", directory);
  const std::string options = fmt::format("size={}m,mode=0777,uid=65534,gid=65534", megabytes);
  // noswap came with Linux 6.4; older kernels refuse it.
  if (::mount("tmpfs", target.c_str(), "tmpfs", secret_flags, (options + ",noswap").c_str()) == 0) return {};
  if (errno == EINVAL && ::mount("tmpfs", target.c_str(), "tmpfs", secret_flags, options.c_str()) == 0) return {};
  return fail_errno("mounting a tmpfs on \"{}\"", shown);
}

constexpr int directory_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;

// What is mounted on a directory of the task, if anything is.
Fd open_mounted(int task, const char* name) {
  Fd there(open_beneath(task, name, directory_flags, RESOLVE_NO_SYMLINKS));
  const bool mounted = there && !Fd(open_beneath(task, name, directory_flags, RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV)) && errno == EXDEV;
  return mounted ? std::move(there) : Fd();
}

// Empty: it is memory. Else why it is a plain directory.
Result<std::string> secret_directory(int task, const char* name, std::int64_t megabytes, const std::string& shown) {
  if (const Fd mounted = open_mounted(task, name)) {
    const char* why = why_not_secret(mounted.get());
    if (why == nullptr) return std::string();
    return fail(Code::conflict, "\"{}\" would not keep secrets: {}; unmount it", shown, why);
  }
  const bool root = ::geteuid() == 0;
  // Without root every task runs as this user, and nobody else has to read it.
  auto directory = make_directory_beneath(task, name, root ? 0777 : 0700, shown);
  if (!directory) return fail(directory.error());
  if (!root) return std::string("only root can mount a tmpfs");
  if (auto done = mount_tmpfs(directory->get(), megabytes, shown); !done) {
    if (done.error().sys_errno() != EPERM && done.error().sys_errno() != EACCES) return fail(done.error());
    return done.error().message();
  }
  const Fd inside(open_beneath(task, name, directory_flags, RESOLVE_NO_SYMLINKS));
  if (!inside) return fail_errno("opening \"{}\"", shown);
  if (const char* why = why_not_secret(inside.get()); why != nullptr) return fail(Code::internal, "\"{}\" would not keep secrets: {}", shown, why);
  const Fd marker(::openat(inside.get(), mount_marker, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0444));
  return std::string();
}
// Nothing is kept there, and no task can either: so it needs no file system of its own, which every process that reads the host's mounts
// would meet. An agent of before has mounted one, which is as good.
Result<> closed_directory(int task, const char* name, const std::string& shown) {
  if (const Fd mounted = open_mounted(task, name); mounted && why_not_secret(mounted.get()) == nullptr) return {};
  auto directory = make_directory_beneath(task, name, 0700, shown, 0);
  return directory ? Result<>() : fail(directory.error());
}
}  // namespace

Result<> check_task_name(const std::string& name) {
  if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos || name.find('\0') != std::string::npos) {
    return fail(Code::invalid_argument, "task name {} cannot be a directory name", quote(name));
  }
  // The other names we make (local, secrets, logs ...) lie a level below, where no task's name is used.
  if (name == "alloc") return fail(Code::invalid_argument, "task name \"alloc\" is that of the directory all tasks share; choose another");
  return {};
}

Result<> build_alloc_dir(const std::string& alloc_dir) {
  DROVER_TRY(make_directories(alloc_dir, 0755));
  auto own = open_own(alloc_dir);
  if (!own) return fail(own.error());
  auto shared = make_directory_beneath(own->get(), "alloc", 0777, alloc_dir + "/alloc");
  if (!shared) return fail(shared.error());
  for (const char* name : {"data", "logs", "tmp"}) {
    auto made = make_directory_beneath(shared->get(), name, 0777, fmt::format("{}/alloc/{}", alloc_dir, name));
    if (!made) return fail(made.error());
  }
  return {};
}

Result<TaskDirs> build_task_dir(const std::string& alloc_dir, const std::string& task, std::int64_t secrets_mb) {
  DROVER_TRY(check_task_name(task));
  auto own = open_own(alloc_dir);
  if (!own) return fail(own.error());
  const std::string path = alloc_dir + "/" + task;
  auto dir = make_directory_beneath(own->get(), task.c_str(), 0777, path);
  if (!dir) return fail(dir.error());
  if (auto local = make_directory_beneath(dir->get(), "local", 0777, path + "/local"); !local) return fail(local.error());
  if (auto tmp = make_directory_beneath(dir->get(), "tmp", 01777, path + "/tmp"); !tmp) return fail(tmp.error());
  auto secrets = secret_directory(dir->get(), "secrets", secrets_mb > 0 ? secrets_mb : 1, path + "/secrets");
  if (!secrets) return fail(secrets.error());
  DROVER_TRY(closed_directory(dir->get(), "private", path + "/private"));
  return TaskDirs{*secrets};
}

Result<> forget_secrets(const std::string& alloc_dir, const std::string& task) {
  auto dir = open_task(alloc_dir, task);
  if (!dir && dir.error().sys_errno() == ENOENT) return {};
  if (!dir) return fail(dir.error());
  for (const char* name : {"secrets", "private"}) {
    // Who may not mount has nothing to unmount; such files go with the allocation.
    if (auto done = unmount_beneath(dir->get(), name); !done && done.error().code() != Code::permission_denied) return done;
  }
  return {};
}

Result<> write_log_settings(const std::string& alloc_dir, const std::string& task, const model::LogConfig* logs) {
  DROVER_TRY(check_task_name(task));
  auto own = open_own(alloc_dir);
  if (!own) return fail(own.error());
  // N-002: the directory itself may have been swapped for a link, and so may the file of an earlier start.
  const Fd directory(open_beneath(own->get(), "alloc/logs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, RESOLVE_NO_SYMLINKS));
  if (!directory) return fail_errno("opening \"{}/alloc/logs\"", alloc_dir);
  const std::int64_t files = logs == nullptr || logs->max_files == 0 ? 10 : logs->max_files;
  const std::int64_t size = logs == nullptr || logs->max_file_size_mb == 0 ? 10 : logs->max_file_size_mb;
  const bool disabled = logs != nullptr && logs->disabled;
  const std::string text = fmt::format("{{\"max_files\":{},\"max_file_size_mb\":{},\"disabled\":{}}}\n", files, size, disabled);
  auto written = replace_file_beneath(directory.get(), fmt::format(".{}.logs.json", task), text, 0644);
  if (!written) return fail(written.error(), "in \"{}/alloc/logs\"", alloc_dir);
  return {};
}

Result<> remove_alloc_dir(const std::string& alloc_dir) { return remove_tree(alloc_dir); }

}  // namespace drover::agent
