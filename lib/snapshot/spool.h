// Files without a name, for what is too large to be held in memory: gone with their last descriptor, also after a crash. Blocking.
#pragma once

#include <string>

#include "sdk/base/fd.h"

namespace drover::snapshot {

// In `directory`, to be read and written.
[[nodiscard]] Result<Fd> open_unnamed(const std::string& directory);
// At most `limit` bytes from `at` on; empty at the end.
[[nodiscard]] Result<std::string> read_at(int file, std::uint64_t at, std::size_t limit);

}  // namespace drover::snapshot
