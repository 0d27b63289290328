// User namespaces of tasks: root of a task is an ordinary user of the host, and files keep the owners that the task sees.
//
// A range of 65,536 ids belongs to one allocation until its directory is gone; no other allocation gets any of it before, whatever
// restarts in between.
#pragma once

#include <string>

#include "sdk/base/error.h"
#include "sdk/base/fd.h"

namespace drover {

struct UserIdRange {
  std::uint32_t first = 0;
  static constexpr std::uint32_t count = 65536;
};

// The range of an allocation, from its file or newly given. Ranges lie from 0x10000000 on, beyond those of accounts and of
// subordinate ids. `alloc_dir` is the allocation's, on which files with these owners may lie.
[[nodiscard]] Result<UserIdRange> range_of(const std::string& directory, const std::string& alloc_id, const std::string& alloc_dir);

// A namespace that maps 0 to 65535 to the range. It lives as long as the descriptor.
[[nodiscard]] Result<Fd> make_user_namespace(const UserIdRange& range);

}  // namespace drover
