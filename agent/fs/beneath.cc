#include "agent/fs/beneath.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "sdk/base/file.h"

namespace drover::agent {
namespace {

const char* why_not_a_directory(int number) {
  switch (number) {
    case ELOOP: return "a task has put a link in its place; remove it";
    case ENOTDIR: return "a task has put a file in its place; remove it";
    case EXDEV: return "something is mounted on it; unmount it";
    default: return nullptr;
  }
}
}  // namespace

int open_beneath(int directory, const char* path, int flags, std::uint64_t resolve, unsigned mode) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.mode = mode;
  how.resolve = resolve | RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  for (;;) {
    const long fd = ::syscall(SYS_openat2, directory, path, &how, sizeof how);
    // EAGAIN: a rename raced with a `..`; the kernel asks to try again.
    if (fd >= 0 || errno != EAGAIN) return static_cast<int>(fd);
  }
}

Result<Fd> make_directory_beneath(int parent, const char* name, unsigned mode, const std::string& shown, uid_t owner) {
  if (::mkdirat(parent, name, mode) != 0 && errno != EEXIST) return fail_errno("making directory \"{}\"", shown);
  Fd fd(open_beneath(parent, name, O_RDONLY | O_DIRECTORY, RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV));
  if (!fd) {
    const char* why = why_not_a_directory(errno);
    if (why == nullptr) return fail_errno("opening directory \"{}\"", shown);
    return fail(Code::conflict, "\"{}\" is not the directory it has to be: {}", shown, why);
  }
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return fail_errno("reading the mode of \"{}\"", shown);
  // mkdir's mode went through the umask.
  if ((info.st_mode & 07777) != mode && ::fchmod(fd.get(), mode) != 0) return fail_errno("setting the mode of \"{}\"", shown);
  if (::geteuid() == 0 && info.st_uid != owner && ::fchown(fd.get(), owner, owner) != 0) {
    return fail_errno("giving \"{}\" to its owner", shown);
  }
  return fd;
}

Result<> replace_file_beneath(int directory, const std::string& name, std::string_view data, unsigned mode) {
  const std::string temporary = name + ".new";
  if (::unlinkat(directory, temporary.c_str(), 0) != 0 && errno != ENOENT) return fail_errno("removing \"{}\"", temporary);
  const Fd fd(open_beneath(directory, temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0, mode));
  if (!fd) return fail_errno("making \"{}\"", temporary);
  DROVER_TRY(write_all(fd.get(), data));
  if (::renameat(directory, temporary.c_str(), directory, name.c_str()) != 0) return fail_errno("replacing \"{}\"", name);
  return {};
}

}  // namespace drover::agent
