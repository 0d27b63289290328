// Reading of tar files as roots of tasks; see tree_copy.h for what is taken and what refused.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <optional>
#include <vector>

#include "plugins/exec/tree_copy.h"
#include "sdk/executor/syscalls.h"
#include "sdk/base/file.h"
#include "sdk/base/text.h"

namespace drover {
namespace {

constexpr std::size_t block = 512;
constexpr std::uint64_t max_header_bytes = 1u << 20;  // of a long name or of pax records
constexpr std::size_t max_components = 255, max_component_bytes = 255;

struct Member {
  std::string name, link;
  char type = '0';
  std::uint64_t size = 0;
  mode_t mode = 0644;
  uid_t uid = 0;
  gid_t gid = 0;
};

// Octal text, or base 256 with the highest bit set.
std::optional<std::uint64_t> number_in(const char* field, std::size_t size) {
  std::uint64_t out = 0;
  if ((static_cast<unsigned char>(field[0]) & 0x80) != 0) {
    for (std::size_t i = 0; i < size; ++i) {
      if (out >> 55 != 0) return std::nullopt;
      out = out << 8 | (static_cast<unsigned char>(field[i]) & (i == 0 ? 0x3fu : 0xffu));
    }
    return out;
  }
  for (std::size_t i = 0; i < size && field[i] != '\0'; ++i) {
    if (field[i] == ' ') continue;
    if (field[i] < '0' || field[i] > '7' || out >> 60 != 0) return std::nullopt;
    out = out * 8 + static_cast<std::uint64_t>(field[i] - '0');
  }
  return out;
}

std::string text_in(const char* field, std::size_t size) { return {field, ::strnlen(field, size)}; }

// Components below the root. "." is nothing; what leads up or is absolute is refused.
Result<std::vector<std::string>> parts_of(const std::string& name) {
  std::vector<std::string> out;
  if (name.starts_with('/') || name.find('\0') != std::string::npos) return fail(Code::invalid_argument, "\"{}\" is an absolute name", name);
  for (auto& part : split(name, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == "..") return fail(Code::invalid_argument, "\"{}\" leads out of the root", name);
    if (part.size() > max_component_bytes || out.size() >= max_components) return fail(Code::invalid_argument, "a name is too long");
    out.push_back(std::move(part));
  }
  return out;
}

class Extraction {
 public:
  Extraction(int tar, int root, const TarLimits& limits) : tar_(tar), root_(root), limits_(limits) {}

  Result<> run() {
    Member next;
    for (;;) {
      char header[block];
      const ssize_t got = ::pread(tar_, header, block, static_cast<off_t>(at_));
      if (got < 0) return fail_errno("reading");
      if (got != block) return fail(Code::invalid_argument, "it ends within a header");
      at_ += block;
      if (header[0] == '\0') break;
      if (++entries_ > limits_.entries) return fail(Code::too_large, "more than {} entries", limits_.entries);
      DROVER_TRY(read_header(header, next));
      if (next.type == 'L' || next.type == 'K' || next.type == 'x' || next.type == 'g') {
        DROVER_TRY(read_extension(next));
        continue;
      }
      if (!long_name_.empty()) next.name = std::exchange(long_name_, {});
      if (!long_link_.empty()) next.link = std::exchange(long_link_, {});
      if (long_size_) next.size = *std::exchange(long_size_, std::nullopt);
      if (auto made = make(next); !made) return fail(made.error(), "member \"{}\"", next.name);
      at_ += next.type == '0' || next.type == '\0' || next.type == '7' ? (next.size + block - 1) / block * block : 0;
    }
    for (const auto& link : links_) {
      if (auto made = make_link(link); !made) return fail(made.error(), "link \"{}\"", link.name);
    }
    return {};
  }

 private:
  Result<> read_header(const char* header, Member& out) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < block; ++i) sum += i >= 148 && i < 156 ? ' ' : static_cast<unsigned char>(header[i]);
    const auto wanted = number_in(header + 148, 8), size = number_in(header + 124, 12), mode = number_in(header + 100, 8);
    const auto uid = number_in(header + 108, 8), gid = number_in(header + 116, 8);
    if (!wanted || *wanted != sum || !size || !mode || !uid || !gid) return fail(Code::invalid_argument, "it is not an uncompressed tar file, or damaged");
    out = {.name = text_in(header, 100), .link = text_in(header + 157, 100), .type = header[156], .size = *size,
           .mode = static_cast<mode_t>(*mode & 0777), .uid = static_cast<uid_t>(*uid), .gid = static_cast<gid_t>(*gid)};
    if (std::memcmp(header + 257, "ustar\0", 6) == 0 && header[345] != '\0') out.name = text_in(header + 345, 155) + "/" + out.name;
    return {};
  }

  Result<> read_extension(const Member& member) {
    if (member.size > max_header_bytes) return fail(Code::too_large, "an extended header of {} bytes", member.size);
    std::string content(member.size, '\0');
    if (::pread(tar_, content.data(), content.size(), static_cast<off_t>(at_)) != static_cast<ssize_t>(content.size())) return fail(Code::invalid_argument, "it ends within a header");
    at_ += (member.size + block - 1) / block * block;
    if (member.type == 'L') long_name_ = content.c_str();
    if (member.type == 'K') long_link_ = content.c_str();
    if (member.type != 'x') return {};
    // "<length> <key>=<value>\n"
    for (std::string_view left(content); !left.empty();) {
      const auto blank = left.find(' ');
      const std::size_t length = blank == std::string_view::npos ? 0 : std::strtoul(std::string(left.substr(0, blank)).c_str(), nullptr, 10);
      if (length <= blank + 1 || length > left.size()) return fail(Code::invalid_argument, "its pax header is damaged");
      const auto [key, value] = split_once(left.substr(blank + 1, length - blank - 2), '=');
      if (key == "path") long_name_ = value;
      if (key == "linkpath") long_link_ = value;
      if (key == "size") long_size_ = std::strtoull(std::string(value).c_str(), nullptr, 10);
      left.remove_prefix(length);
    }
    return {};
  }

  // The directory that holds the last component, made as far as it is missing.
  Result<Fd> parent_of(const std::vector<std::string>& parts) const {
    Fd at(::fcntl(root_, F_DUPFD_CLOEXEC, 0));
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
      if (::mkdirat(at.get(), parts[i].c_str(), 0755) != 0 && errno != EEXIST) return fail_errno("making a directory");
      Fd next(::openat(at.get(), parts[i].c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (!next) return fail_errno("\"{}\" is no directory", parts[i]);
      at = std::move(next);
    }
    return at;
  }

  Result<> make(const Member& member) {
    auto parts = parts_of(member.name);
    if (!parts) return fail(parts.error());
    switch (member.type) {
      case '0': case '\0': case '7': return make_file(*parts, member);
      case '5': return make_directory(*parts, member);
      case '1': case '2': links_.push_back(member); return {};
      default: return fail(Code::invalid_argument, "devices, FIFOs and entries of type \"{}\" are refused", member.type);
    }
  }

  Result<> make_directory(const std::vector<std::string>& parts, const Member& member) const {
    if (parts.empty()) return {};
    auto parent = parent_of(parts);
    if (!parent) return fail(parent.error());
    if (::mkdirat(parent->get(), parts.back().c_str(), 0700) != 0 && errno != EEXIST) return fail_errno("making a directory");
    const Fd made(::openat(parent->get(), parts.back().c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!made || ::fchown(made.get(), member.uid, member.gid) != 0 || ::fchmod(made.get(), member.mode) != 0) return fail_errno("making a directory");
    return {};
  }

  Result<> make_file(const std::vector<std::string>& parts, const Member& member) {
    if (parts.empty()) return fail(Code::invalid_argument, "a file without a name");
    if (member.size > limits_.bytes - bytes_) return fail(Code::too_large, "more than {} bytes in all", limits_.bytes);
    bytes_ += member.size;
    auto parent = parent_of(parts);
    if (!parent) return fail(parent.error());
    const Fd file(::openat(parent->get(), parts.back().c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file) return fail_errno("making a file");
    std::vector<char> buffer(1u << 18);
    for (std::uint64_t done = 0; done < member.size;) {
      const auto want = std::min<std::uint64_t>(buffer.size(), member.size - done);
      const ssize_t got = ::pread(tar_, buffer.data(), want, static_cast<off_t>(at_ + done));
      if (got <= 0) return fail(Code::invalid_argument, "it ends within a file");
      DROVER_TRY(write_all(file.get(), {buffer.data(), static_cast<std::size_t>(got)}));
      done += static_cast<std::uint64_t>(got);
    }
    if (::fchown(file.get(), member.uid, member.gid) != 0 || ::fchmod(file.get(), member.mode) != 0) return fail_errno("mode and owner");
    return {};
  }

  // Links last: while files were made there was none to go through. A symbolic one may point anywhere, since it is followed in the
  // task's root only; a hard one is to a file of the archive.
  Result<> make_link(const Member& member) const {
    auto parts = parts_of(member.name);
    if (!parts) return fail(parts.error());
    if (parts->empty()) return fail(Code::invalid_argument, "a link without a name");
    auto parent = parent_of(*parts);
    if (!parent) return fail(parent.error());
    if (member.type == '2') return ::symlinkat(member.link.c_str(), parent->get(), parts->back().c_str()) == 0 ? Result<>{} : fail_errno("making it");
    auto target = parts_of(member.link);
    if (!target) return fail(target.error());
    const Fd file(executor::open_beneath(root_, join(*target, "/").c_str(), O_PATH | O_NOFOLLOW, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS));
    struct stat info {};
    if (!file || ::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) return fail(Code::invalid_argument, "\"{}\" is no file of the archive", member.link);
    const std::string name = fmt::format("/proc/self/fd/{}", file.get());
    return ::linkat(AT_FDCWD, name.c_str(), parent->get(), parts->back().c_str(), AT_SYMLINK_FOLLOW) == 0 ? Result<>{} : fail_errno("making it");
  }

  int tar_, root_;
  TarLimits limits_;
  std::uint64_t at_ = 0, entries_ = 0, bytes_ = 0;
  std::string long_name_, long_link_;
  std::optional<std::uint64_t> long_size_;
  std::vector<Member> links_;
};

}  // namespace

Result<> extract_tar(const std::string& tar, const std::string& directory, const TarLimits& limits) {
  // It may lie in the task's own directory.
  const Fd file(::open(tar.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat info {};
  if (!file || ::fstat(file.get(), &info) != 0) return fail_errno("opening \"{}\"", tar);
  if (!S_ISREG(info.st_mode)) return fail(Code::invalid_argument, "\"{}\" is not a regular file", tar);
  DROVER_TRY(make_directories(directory, 0755));
  const auto root = open_file(directory, O_RDONLY | O_DIRECTORY);
  if (!root) return fail(root.error());
  Extraction extraction(file.get(), root->get(), limits);
  if (auto done = extraction.run(); !done) return fail(done.error(), "unpacking \"{}\"", tar);
  return {};
}

}  // namespace drover
