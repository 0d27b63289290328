// What a process holds, and whether that has grown for good: the proxy for leaks that any language shows.
#pragma once

#include <sys/types.h>

#include <string>

#include "sdk/async/asio.h"

namespace drover::conformance {

struct Footprint {
  int descriptors = 0, threads = 0;
  long resident_kb = 0;
};
[[nodiscard]] Footprint footprint_of(pid_t pid);
// Empty when the process holds about what it held before; what is freed late gets a moment.
[[nodiscard]] Async<std::string> grown_since(pid_t pid, Footprint before);

}  // namespace drover::conformance
