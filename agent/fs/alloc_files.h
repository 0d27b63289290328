// Reading inside an allocation's directory for the file API, safe against what its tasks put there (client.md 4.2).
//
// Every open starts at the directory's descriptor and is resolved by the kernel beneath it (openat2, RESOLVE_BENEATH): `..` and
// links that lead out are refused however they are swapped meanwhile (N-001, N-006). Files of secrets/ and private/ are told by
// the identity of those directories, not only by name (N-007). Blocking: call on a pool.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/model/api_agent.h"
#include "sdk/base/error.h"
#include "sdk/base/fd.h"

namespace drover::agent {

struct OpenedFile {
  Fd fd;
  std::int64_t size = 0;
};

class AllocFiles {
 public:
  // `root`: the allocation's directory on the host.
  [[nodiscard]] static Result<AllocFiles> open(const std::string& root);

  // By name; links are shown as links.
  [[nodiscard]] Result<std::vector<model::AllocFileInfo>> list(std::string_view path) const;
  // With the content type of the first 512 bytes.
  [[nodiscard]] Result<model::AllocFileInfo> stat(std::string_view path) const;
  // A regular file to read. Refuses directories and files of secrets/ and private/.
  [[nodiscard]] Result<OpenedFile> read(std::string_view path) const;
  // A file right below alloc/logs, without following links (N-002).
  [[nodiscard]] Result<OpenedFile> read_log(const std::string& name) const;
  // Indexes of `<task>.<type>.N`, ascending.
  [[nodiscard]] Result<std::vector<std::uint64_t>> log_indexes(const std::string& task, const std::string& type) const;
  [[nodiscard]] Result<Fd> logs_directory() const;

 private:
  AllocFiles(std::string root, Fd fd) : root_(std::move(root)), fd_(std::move(fd)) {}
  [[nodiscard]] Result<Fd> open_beneath(std::string_view path, int flags, std::string_view step) const;
  [[nodiscard]] Result<> refuse_secrets(int fd, const std::string& path) const;
  [[nodiscard]] std::string host_path(std::string_view path) const;

  std::string root_;
  Fd fd_;
};

// The path without empty parts, `.` and inner `..`, relative; an error when it leads above the root.
[[nodiscard]] Result<std::string> clean_alloc_path(std::string_view path);
// "-rw-r--r--", "drwxrwxrwx", "Srw-rw-rw-": as Go writes a mode.
[[nodiscard]] std::string file_mode_text(mode_t mode);
// The media type of the first bytes, by the WHATWG sniffing rules that Go implements.
[[nodiscard]] std::string sniff_content_type(std::string_view head);

}  // namespace drover::agent
