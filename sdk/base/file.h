// Whole-file reads and writes, and the durable replacement of a file. Blocking: call from a pool or at start-up.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "sdk/base/error.h"
#include "sdk/base/fd.h"

namespace drover {

// Reads at most `limit` bytes; a longer file is Code::too_large.
[[nodiscard]] Result<std::string> read_file(const std::string& path, std::size_t limit = 64u << 20);
[[nodiscard]] Result<> write_all(int fd, std::string_view data);
// Creates or truncates `path`; not durable.
[[nodiscard]] Result<> write_file(const std::string& path, std::string_view data, unsigned mode = 0644);
// Temporary file beside `path`, fdatasync, rename, fsync of the directory: afterwards either the old or the new content
// survives a power cut, never a mixture.
[[nodiscard]] Result<> replace_file_durably(const std::string& path, std::string_view data, unsigned mode = 0600);
[[nodiscard]] Result<> sync_directory(const std::string& path);
// mkdir -p; an existing directory is success and keeps its mode.
[[nodiscard]] Result<> make_directories(const std::string& path, unsigned mode = 0755);

// A directory under $TMPDIR removed with its content by the destructor.
class TempDir {
 public:
  [[nodiscard]] static Result<TempDir> make(std::string_view prefix = "drover-");
  TempDir(TempDir&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TempDir& operator=(TempDir&&) = delete;
  ~TempDir();
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  explicit TempDir(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace drover
