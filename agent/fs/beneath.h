// openat2(2) for directories that tasks write to: the kernel resolves a name beneath a descriptor, so that no link, and no
// directory swapped for one meanwhile, leads the agent elsewhere (N-001, R-010). Blocking, quick.
#pragma once

#include <linux/openat2.h>
#include <sys/types.h>

#include <cstdint>
#include <string_view>

#include "sdk/base/error.h"
#include "sdk/base/fd.h"

namespace drover::agent {

// Never leaves `directory` and never follows a magic link; `resolve` adds RESOLVE_* bits. -1 and errno when it fails: EXDEV
// and ELOOP say that the name led out or was a link.
[[nodiscard]] int open_beneath(int directory, const char* path, int flags, std::uint64_t resolve = 0, unsigned mode = 0);

inline constexpr uid_t nobody = 65534;  // and its group

// the directory `name` right below `parent`, made when it is missing, with exactly this mode, and `owner`'s when we are root.
// A link or a mount in its place is refused: changing mode or owner would change somebody else's directory. `shown` is its path.
[[nodiscard]] Result<Fd> make_directory_beneath(int parent, const char* name, unsigned mode, const std::string& shown, uid_t owner = nobody);

// Puts a file into `directory` in one step, whatever stood there: a link is replaced, not written through (N-008).
[[nodiscard]] Result<> replace_file_beneath(int directory, const std::string& name, std::string_view data, unsigned mode);

}  // namespace drover::agent
