#include "plugins/executor/rotation.h"

#include <algorithm>

namespace drover::executor {

WritePlan plan_write(std::uint64_t size, std::uint64_t limit, bool at_line_start, std::string_view chunk) {
  if (size >= limit) return {0, true};
  const std::uint64_t room = limit - size;
  if (chunk.size() <= blind_room(size, limit)) return {chunk.size(), false};
  const auto fitting = std::string_view(chunk.data(), std::min<std::uint64_t>(room, chunk.size()));
  // Whole lines that fit.
  if (const auto last = fitting.rfind('\n'); last != std::string_view::npos) return {last + 1, false};
  const bool line_ends = chunk.find('\n') != std::string_view::npos;
  if (size > 0) {
    // The first line of the chunk is complete and too long for this file.
    if (line_ends) return {0, true};
    // A line begins here, its end is not in sight yet, and the next file has more room for it.
    if (at_line_start && chunk.size() <= limit) return {0, true};
  }
  // Too long for any file, or begun in this file already: fill up.
  return {fitting.size(), false};
}

}  // namespace drover::executor
