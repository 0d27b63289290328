#include "sdk/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

namespace drover {

Result<std::string> read_file(const std::string& path, std::size_t limit) {
  auto fd = open_file(path, O_RDONLY);
  if (!fd) return fail(std::move(fd).error());
  std::string out;
  struct stat info {};
  if (::fstat(fd->get(), &info) == 0 && info.st_size > 0) out.reserve(static_cast<std::size_t>(info.st_size) + 1);
  char buffer[16384];
  for (;;) {
    const ssize_t n = ::read(fd->get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("reading \"{}\"", path);
    if (n == 0) return out;
    if (out.size() + static_cast<std::size_t>(n) > limit) {
      return fail(Code::too_large, "reading \"{}\": larger than {} bytes", path, limit);
    }
    out.append(buffer, static_cast<std::size_t>(n));
  }
}

Result<> write_all(int fd, std::string_view data) {
  while (!data.empty()) {
    const ssize_t n = ::write(fd, data.data(), data.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("writing {} bytes", data.size());
    data.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

Result<> write_file(const std::string& path, std::string_view data, unsigned mode) {
  auto fd = open_file(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
  if (!fd) return fail(std::move(fd).error());
  if (auto done = write_all(fd->get(), data); !done) return fail(done.error(), "writing \"{}\"", path);
  return {};
}

Result<> replace_file_durably(const std::string& path, std::string_view data, unsigned mode) {
  const std::string temporary = path + ".tmp";
  auto fd = open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC, mode);
  if (!fd) return fail(std::move(fd).error());
  auto done = write_all(fd->get(), data);
  if (done && ::fdatasync(fd->get()) != 0) done = fail_errno("syncing");
  if (done && ::rename(temporary.c_str(), path.c_str()) != 0) done = fail_errno("renaming");
  if (!done) {
    ::unlink(temporary.c_str());
    return fail(done.error(), "replacing \"{}\"", path);
  }
  return sync_directory(std::filesystem::path(path).parent_path().string());
}

Result<> sync_directory(const std::string& path) {
  auto fd = open_file(path.empty() ? "." : path, O_RDONLY | O_DIRECTORY);
  if (!fd) return fail(std::move(fd).error());
  if (::fsync(fd->get()) != 0) return fail_errno("syncing directory \"{}\"", path);
  return {};
}

Result<> make_directories(const std::string& path, unsigned mode) {
  for (std::size_t at = path.find('/', 1);; at = path.find('/', at + 1)) {
    const std::string part = path.substr(0, at);
    if (part.empty()) {
      if (at == std::string::npos) return {};
      continue;
    }
    if (::mkdir(part.c_str(), mode) == 0) {
      // mkdir's mode went through the umask, which under a service manager may be a strict one.
      if (::chmod(part.c_str(), mode) != 0) return fail_errno("setting the mode of \"{}\"", part);
    } else {
      const int saved = errno;
      struct stat info {};
      if (::stat(part.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) {
        return fail(errno_error(saved, fmt::format("making directory \"{}\"", part)));
      }
    }
    if (at == std::string::npos) return {};
  }
}

Result<TempDir> TempDir::make(std::string_view prefix) {
  const char* base = std::getenv("TMPDIR");
  std::string path = fmt::format("{}/{}XXXXXX", base != nullptr && *base != '\0' ? base : "/tmp", prefix);
  if (::mkdtemp(path.data()) == nullptr) return fail_errno("making a temporary directory \"{}\"", path);
  return TempDir(std::move(path));
}

TempDir::~TempDir() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

}  // namespace drover
