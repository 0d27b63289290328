// Gives memory back that only the start of a process needed.
#pragma once

#include "sdk/async/asio.h"

namespace drover {

// Waits until a start is over, then unmaps the pages of programs and libraries that were read once, and the free end of the
// heap. What is still used is mapped again from the page cache at its next use. For long-lived processes, once.
[[nodiscard]] Async<> release_startup_pages();

}  // namespace drover
