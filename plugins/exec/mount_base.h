// A mount namespace without the host's mounts, of which every task gets a copy. A copy of the host's would cost each start as much as
// there are mounts, and each task adds one (its secrets).
//
// It lives as long as its descriptor: the driver makes one for itself, and one that died needs no successor's care.
#pragma once

#include "sdk/base/error.h"
#include "sdk/base/fd.h"

namespace drover::exec {

// Needs root, and a root directory that can be pivoted from (no initramfs). Works on a thread of its own, since only that may leave the
// host's mounts.
[[nodiscard]] Result<Fd> make_mount_base();

}  // namespace drover::exec
