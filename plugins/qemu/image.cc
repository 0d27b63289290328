#include "plugins/qemu/image.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "sdk/base/fd.h"
#include "sdk/base/text.h"

namespace drover::qemu {
namespace {

namespace stdfs = std::filesystem;
constexpr int max_chain = 16;

// The path with all links followed.
std::string resolved(const std::string& path) {
  std::error_code error;
  const auto out = stdfs::canonical(path, error);
  return error ? std::string() : out.string();
}

bool beneath(const std::string& path, const std::string& directory) {
  const std::string parent = resolved(directory);
  return !parent.empty() && (parent == "/" || path.starts_with(parent + "/"));
}

bool allowed(const ImageRules& rules, const std::string& path) {
  if (beneath(path, rules.alloc_dir)) return true;
  return std::any_of(rules.image_paths.begin(), rules.image_paths.end(), [&](const auto& directory) { return beneath(path, directory); });
}

Result<std::string> read_header(const std::string& path) {
  const auto file = open_file(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
  if (!file) return fail(file.error());
  struct stat info {};
  if (::fstat(file->get(), &info) != 0) return fail_errno("reading \"{}\"", path);
  if (!S_ISREG(info.st_mode)) return fail(Code::invalid_argument, "image \"{}\" is not a regular file", path);
  std::string out(header_bytes, '\0');
  const auto size = ::pread(file->get(), out.data(), out.size(), 0);
  if (size < 0) return fail_errno("reading \"{}\"", path);
  out.resize(static_cast<std::size_t>(size));
  return out;
}

std::uint64_t big_endian(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < size; ++i) out = out << 8 | (at + i < bytes.size() ? static_cast<unsigned char>(bytes[at + i]) : 0u);
  return out;
}

std::uint64_t little_endian(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint64_t out = 0;
  for (std::size_t i = size; i-- > 0;) out = out << 8 | (at + i < bytes.size() ? static_cast<unsigned char>(bytes[at + i]) : 0u);
  return out;
}

References backing_at(std::string_view header, std::uint64_t offset, std::uint64_t size) {
  if (offset == 0 || size == 0) return {};
  if (offset > header.size() || size > header.size() - offset) return {.backing = {}, .refused = "its backing file is named outside its header"};
  return {.backing = std::string(header.substr(offset, size)), .refused = {}};
}

}  // namespace

References find_references(std::string_view header) {
  using namespace std::string_view_literals;
  if (header.starts_with("QFI\xfb"sv)) {
    constexpr std::uint64_t external_data_file = 1u << 2;
    const auto version = big_endian(header, 4, 4);
    if (version >= 3 && (big_endian(header, 72, 8) & external_data_file) != 0) return {.backing = {}, .refused = "it keeps its data in another file"};
    return backing_at(header, big_endian(header, 8, 8), big_endian(header, 16, 4));
  }
  if (header.starts_with("QED\0"sv)) {
    constexpr std::uint64_t has_backing = 1u << 0;
    if ((little_endian(header, 16, 8) & has_backing) == 0) return {};
    return backing_at(header, little_endian(header, 56, 4), little_endian(header, 60, 4));
  }
  // Descriptions in words, which name the files that hold the data.
  if (trim(header).starts_with("# Disk DescriptorFile"sv)) return {.backing = {}, .refused = "it is a VMDK descriptor, which names other files"};
  if ((header.starts_with("KDMV"sv) || header.starts_with("COWD"sv)) && header.find("parentFileNameHint"sv) != header.npos) {
    return {.backing = {}, .refused = "it is a VMDK with a parent"};
  }
  if (header.starts_with("vhdxfile"sv)) return {.backing = {}, .refused = "it is a VHDX, which may have a parent; convert it to qcow2"};
  return {};
}

Result<std::string> check_image(const ImageRules& rules, const std::string& image_path) {
  const std::string named = image_path.starts_with('/') ? image_path : rules.task_dir + "/" + image_path;
  std::string path = resolved(named);
  if (path.empty()) {
    // Whether a file exists is not told of places that are none of the job's business.
    const std::string literal = stdfs::path(named).lexically_normal().string();
    if (!literal.starts_with(stdfs::path(rules.alloc_dir).lexically_normal().string() + "/")) return fail(Code::permission_denied, "image_path is not in the allowed paths");
    return fail(Code::not_found, "image \"{}\" does not exist in the task's directory", image_path);
  }
  const std::string first = path;
  for (int depth = 0; depth < max_chain; ++depth) {
    if (!allowed(rules, path)) {
      if (depth == 0) return fail(Code::permission_denied, "image_path is not in the allowed paths");
      return fail(Code::permission_denied, "image \"{}\": its backing file \"{}\" is not in the allowed paths", image_path, path);
    }
    const auto header = read_header(path);
    if (!header) return fail(header.error());
    const auto found = find_references(*header);
    if (!found.refused.empty()) return fail(Code::permission_denied, "image \"{}\" is refused: {}", image_path, found.refused);
    if (!found.backing) return first;
    // "nbd://host", "json:{...}", "fat:/etc": a name with a colon before any slash is not a file's.
    const std::string& backing = *found.backing;
    const auto colon = backing.find(':');
    if (colon != backing.npos && colon < backing.find('/')) {
      return fail(Code::permission_denied, "image \"{}\": its backing file {} is not a path", image_path, quote(backing));
    }
    const std::string next = backing.starts_with('/') ? backing : path.substr(0, path.rfind('/') + 1) + backing;
    path = resolved(next);
    if (path.empty()) return fail(Code::not_found, "image \"{}\": its backing file {} does not exist", image_path, quote(backing));
  }
  return fail(Code::invalid_argument, "image \"{}\" has more than {} backing files", image_path, max_chain);
}

}  // namespace drover::qemu
