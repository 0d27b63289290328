// Where a task's output goes next: pure decisions about files of bounded size, without splitting lines.
//
// A line is split only when it is longer than a whole file, or longer than the window and begun where it could not be
// foreseen. Files are numbered from 0; the lowest numbers go when there are too many.
#pragma once

#include <cstdint>
#include <string_view>

namespace drover::executor {

// This close to the limit the content is looked at; further away bytes are moved unseen.
inline constexpr std::uint64_t line_window = 32u << 10;

struct WritePlan {
  std::uint64_t write = 0;  // so many bytes of the chunk go to the current file
  bool rotate = false;      // and then the next file is begun
};

// How many bytes may be appended without looking at them; 0 near the limit.
[[nodiscard]] constexpr std::uint64_t blind_room(std::uint64_t size, std::uint64_t limit) {
  return size + line_window < limit ? limit - size - line_window : 0;
}

// The next step for a chunk that is not empty. Repeating it with what is left always makes progress: a plan writes or
// rotates, and an empty file always takes something.
[[nodiscard]] WritePlan plan_write(std::uint64_t size, std::uint64_t limit, bool at_line_start, std::string_view chunk);

// Lowest index to keep when `current` is being written and `oldest` is the lowest that exists.
[[nodiscard]] constexpr std::uint64_t oldest_to_keep(std::uint64_t oldest, std::uint64_t current, std::uint64_t max_files) {
  return current - oldest >= max_files ? current - max_files + 1 : oldest;
}

}  // namespace drover::executor
