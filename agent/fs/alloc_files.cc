#include "agent/fs/alloc_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <memory>

#include "agent/fs/beneath.h"
#include "sdk/base/text.h"

namespace drover::agent {
namespace {

Error escapes() { return Error(Code::internal, "Path escapes the alloc directory").with_http_status(500); }

Error posix_error(int number, std::string_view step, const std::string& path) {
  std::string text = std::strerror(number);
  if (!text.empty()) text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  const Code code = number == ENOENT || number == ENOTDIR ? Code::not_found : number == EACCES ? Code::permission_denied : Code::internal;
  return Error(code, fmt::format("{} {}: {}", step, path, text)).with_errno(number);
}

struct CloseDir { void operator()(DIR* dir) const { closedir(dir); } };
using Dir = std::unique_ptr<DIR, CloseDir>;

Result<std::vector<std::string>> names_in(Fd fd) {
  Dir dir(fdopendir(fd.get()));
  if (!dir) return fail_errno("reading a directory");
  (void)fd.release();
  std::vector<std::string> out;
  while (const dirent* entry = readdir(dir.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") out.emplace_back(name);
  }
  std::sort(out.begin(), out.end());
  return out;
}

model::AllocFileInfo describe_file(std::string name, const struct stat& info) {
  model::AllocFileInfo out;
  out.name = std::move(name);
  out.is_dir = S_ISDIR(info.st_mode);
  out.size = info.st_size;
  out.file_mode = file_mode_text(info.st_mode);
  out.mod_time = model::Time(info.st_mtim.tv_sec * 1'000'000'000LL + info.st_mtim.tv_nsec);
  return out;
}

}  // namespace

Result<std::string> clean_alloc_path(std::string_view path) {
  if (path.find('\0') != std::string_view::npos) return fail(Code::invalid_argument, "a path cannot contain a NUL character");
  std::vector<std::string> parts;
  for (auto& part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.push_back(std::move(part));
      continue;
    }
    if (parts.empty()) return fail(escapes());
    parts.pop_back();
  }
  return parts.empty() ? std::string(".") : join(parts, "/");
}

std::string file_mode_text(mode_t mode) {
  std::string out;
  if (S_ISDIR(mode)) out += 'd';
  if (S_ISLNK(mode)) out += 'L';
  if (S_ISBLK(mode) || S_ISCHR(mode)) out += 'D';
  if (S_ISFIFO(mode)) out += 'p';
  if (S_ISSOCK(mode)) out += 'S';
  if ((mode & S_ISUID) != 0) out += 'u';
  if ((mode & S_ISGID) != 0) out += 'g';
  if (S_ISCHR(mode)) out += 'c';
  if ((mode & S_ISVTX) != 0) out += 't';
  if (out.empty()) out = "-";
  for (int bit = 8; bit >= 0; --bit) out += (mode >> bit) & 1 ? "xwr"[bit % 3] : '-';
  return out;
}

Result<AllocFiles> AllocFiles::open(const std::string& root) {
  auto fd = open_file(root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!fd) return fail(posix_error(fd.error().sys_errno(), "open", root));
  return AllocFiles(root, std::move(*fd));
}

std::string AllocFiles::host_path(std::string_view path) const { return path == "." ? root_ : root_ + "/" + std::string(path); }

Result<Fd> AllocFiles::open_beneath(std::string_view path, int flags, std::string_view step) const {
  auto clean = clean_alloc_path(path);
  if (!clean) return fail(clean.error());
  const int fd = agent::open_beneath(fd_.get(), clean->c_str(), flags, 0);
  if (fd >= 0) return Fd(fd);
  if (errno == EXDEV || errno == ELOOP) return fail(escapes());
  return fail(posix_error(errno, step, host_path(*clean)));
}

Result<std::vector<model::AllocFileInfo>> AllocFiles::list(std::string_view path) const {
  auto fd = open_beneath(path, O_RDONLY | O_DIRECTORY, "open");
  if (!fd) return fail(fd.error());
  auto copy = fd->duplicate();
  if (!copy) return fail(copy.error());
  auto names = names_in(std::move(*copy));
  if (!names) return fail(names.error());
  std::vector<model::AllocFileInfo> out;
  for (auto& name : *names) {
    struct stat info {};
    if (fstatat(fd->get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) continue;  // gone meanwhile
    out.push_back(describe_file(std::move(name), info));
  }
  return out;
}

Result<model::AllocFileInfo> AllocFiles::stat(std::string_view path) const {
  auto fd = open_beneath(path, O_PATH, "stat");
  if (!fd) return fail(fd.error());
  struct stat info {};
  if (fstat(fd->get(), &info) != 0) return fail_errno("stat {}", host_path(path));
  const std::string clean = *clean_alloc_path(path);
  const auto slash = clean.rfind('/');
  auto out = describe_file(clean == "." ? root_.substr(root_.rfind('/') + 1) : clean.substr(slash == std::string::npos ? 0 : slash + 1), info);
  out.content_type = "application/octet-stream";
  if (!S_ISREG(info.st_mode) || !refuse_secrets(fd->get(), clean)) return out;
  auto file = open_beneath(path, O_RDONLY | O_NONBLOCK, "stat");
  if (!file) return out;
  std::array<char, 512> head{};
  const auto size = pread(file->get(), head.data(), head.size(), 0);
  if (size >= 0) out.content_type = sniff_content_type({head.data(), static_cast<std::size_t>(size)});
  return out;
}

Result<> AllocFiles::refuse_secrets(int fd, const std::string& path) const {
  // The kernel's own idea of where the file is, after every link; then each of its directories is compared by identity.
  std::array<char, 4096> real{}, base{};
  const auto real_size = readlink(fmt::format("/proc/self/fd/{}", fd).c_str(), real.data(), real.size() - 1);
  const auto base_size = readlink(fmt::format("/proc/self/fd/{}", fd_.get()).c_str(), base.data(), base.size() - 1);
  if (real_size <= 0 || base_size <= 0) return fail_errno("resolving \"{}\"", path);
  const std::string_view file(real.data()), root(base.data());
  if (!file.starts_with(root)) return fail(escapes());
  std::vector<std::pair<dev_t, ino_t>> parents;
  std::string prefix;
  const auto parts = split(file.substr(root.size()), '/');
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    if (parts[i].empty()) continue;
    prefix += (prefix.empty() ? "" : "/") + parts[i];
    struct stat info {};
    if (fstatat(fd_.get(), prefix.c_str(), &info, 0) == 0) parents.emplace_back(info.st_dev, info.st_ino);
  }
  auto copy = agent::open_beneath(fd_.get(), ".", O_RDONLY | O_DIRECTORY, 0);
  if (copy < 0) return fail_errno("opening \"{}\"", root_);
  auto tasks = names_in(Fd(copy));
  if (!tasks) return fail(tasks.error());
  for (const auto& task : *tasks) {
    for (const char* kind : {"secrets", "private"}) {
      struct stat info {};
      if (fstatat(fd_.get(), (task + "/" + kind).c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(info.st_mode)) continue;
      if (std::find(parents.begin(), parents.end(), std::pair(info.st_dev, info.st_ino)) != parents.end())
        return fail(Code::permission_denied, "Reading {} file prohibited: {}", kind == std::string_view("secrets") ? "secret" : "private", path);
    }
  }
  return {};
}

Result<OpenedFile> AllocFiles::read(std::string_view path) const {
  // First without touching it: opening a FIFO or a device has effects.
  auto probe = open_beneath(path, O_PATH, "stat");
  if (!probe) return fail(probe.error());
  struct stat info {};
  if (fstat(probe->get(), &info) != 0) return fail_errno("stat {}", host_path(path));
  const std::string shown(path);
  if (S_ISDIR(info.st_mode)) return fail(Code::invalid_argument, "file \"{}\" is a directory", shown);
  if (!S_ISREG(info.st_mode)) return fail(Code::invalid_argument, "file \"{}\" is not a regular file", shown);
  DROVER_TRY(refuse_secrets(probe->get(), shown));
  // The very file that was looked at, not whatever the path names now.
  auto fd = open_file(fmt::format("/proc/self/fd/{}", probe->get()), O_RDONLY);
  if (!fd) return fail(posix_error(fd.error().sys_errno(), "open", host_path(*clean_alloc_path(path))));
  return OpenedFile{std::move(*fd), info.st_size};
}

Result<Fd> AllocFiles::logs_directory() const {
  const int fd = agent::open_beneath(fd_.get(), "alloc/logs", O_RDONLY | O_DIRECTORY, RESOLVE_NO_SYMLINKS);
  if (fd < 0) return fail(posix_error(errno, "open", root_ + "/alloc/logs"));
  return Fd(fd);
}

Result<OpenedFile> AllocFiles::read_log(const std::string& name) const {
  const int fd = agent::open_beneath(fd_.get(), ("alloc/logs/" + name).c_str(), O_RDONLY | O_NONBLOCK, RESOLVE_NO_SYMLINKS);
  if (fd < 0) return fail(posix_error(errno, "open", root_ + "/alloc/logs/" + name));
  Fd file(fd);
  struct stat info {};
  if (fstat(file.get(), &info) != 0) return fail_errno("stat {}", name);
  if (!S_ISREG(info.st_mode)) return fail(Code::invalid_argument, "log \"{}\" is not a regular file", name);
  return OpenedFile{std::move(file), info.st_size};
}

Result<std::vector<std::uint64_t>> AllocFiles::log_indexes(const std::string& task, const std::string& type) const {
  auto directory = logs_directory();
  if (!directory) return fail(directory.error());
  auto names = names_in(std::move(*directory));
  if (!names) return fail(names.error());
  const std::string prefix = task + "." + type + ".";
  std::vector<std::uint64_t> out;
  for (const auto& name : *names) {
    if (!name.starts_with(prefix)) continue;
    std::uint64_t index = 0;
    const char* end = name.data() + name.size();
    if (const auto [at, problem] = std::from_chars(name.data() + prefix.size(), end, index); problem == std::errc{} && at == end) out.push_back(index);
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace drover::agent
