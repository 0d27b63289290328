// Trees of files made for a task: the host's directories of `chroot_mode = "copy"`, and the content of a tar file as root.
//
// Everything is made by descriptor below a directory that the task may have written to before: what is there already is left
// alone, and no link of it is followed. Blocking.
#pragma once

#include <map>
#include <string>

#include "sdk/base/error.h"

namespace drover {

// Directories with mode and owner, files by value, links as they are; devices, sockets and FIFOs are left out. Sources that are
// missing are skipped, and so is `skip`, the directory of all allocations.
[[nodiscard]] Result<> copy_chroot(const std::map<std::string, std::string>& chroot_env, const std::string& task_dir, const std::string& skip);

struct TarLimits {
  std::uint64_t bytes = 10ull << 30;
  std::uint64_t entries = 1'000'000;
};
// An uncompressed tar (ustar, GNU long names, pax paths) into a directory that is made. Set-uid bits are dropped; absolute names
// and ".." are refused, as is whatever is no file, directory or link; links are made last (N-008 to N-010).
[[nodiscard]] Result<> extract_tar(const std::string& tar, const std::string& directory, const TarLimits& limits = {});

}  // namespace drover
