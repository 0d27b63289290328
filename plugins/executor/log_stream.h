// One of the task's output streams: from its pipe to numbered files in the log directory.
//
// Bytes are spliced without being seen while the file has room, and read only near its end, where lines matter. The writer
// is never blocked longer than the disk: on a full or failing disk bytes are dropped and counted.
#pragma once

#include <cstdint>

#include "plugins/executor/rotation.h"
#include "sdk/executor/syscalls.h"

namespace drover::executor {

// The buffer shared by all streams of a process; its pages are given back after each use near a limit.
struct WindowBuffer {
  alignas(4096) char bytes[64u << 10];
  void release_pages();
};

class LogStream {
 public:
  // Continues with the highest number present, or begins with 0. The pipe's read end is taken and made non-blocking.
  Failure open(int directory, const char* name, std::uint64_t max_files, std::uint64_t max_bytes, Handle pipe, WindowBuffer& window);
  // Moves what is in the pipe. False: all writers are gone and everything has been moved.
  bool pump(WindowBuffer& window);
  void close() { pipe_.reset(); file_.reset(); }

  [[nodiscard]] int pipe_fd() const { return pipe_.get(); }
  [[nodiscard]] bool active() const { return static_cast<bool>(pipe_); }
  // By the last pump; 0: the pipe was empty.
  [[nodiscard]] std::uint64_t moved_bytes() const { return moved_; }
  [[nodiscard]] std::uint64_t dropped_bytes() const { return dropped_; }

 private:
  enum class Moved : std::uint8_t { some, nothing_now, end };
  Moved splice_blind(std::uint64_t room);
  Moved copy_lines(WindowBuffer& window);
  Moved drop();
  Failure open_file(std::uint64_t index);
  void rotate();
  void find_files(WindowBuffer& window);
  void name_of(std::uint64_t index, char (&out)[256]) const;
  bool line_started();

  int directory_ = -1;
  char name_[236] = {};
  std::uint64_t max_files_ = 1;
  std::uint64_t max_bytes_ = 1;
  Handle pipe_;
  Handle file_;
  std::uint64_t index_ = 0;
  std::uint64_t oldest_ = 0;
  std::uint64_t size_ = 0;
  std::uint64_t dropped_ = 0;
  std::uint64_t moved_ = 0;
  bool copied_ = false;
  bool is_wide_ = false;
};

}  // namespace drover::executor
