// Waits for changes of files and directories by inotify(7). Loop only; watched by descriptor, so that a swapped path is no matter.
#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>
#include <chrono>
#include <cstdint>
#include <memory>

#include "sdk/async/asio.h"
#include "sdk/base/error.h"

namespace drover::agent {

class Inotify {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Inotify>> make(const Executor& executor);

  // Content, attributes (a deletion shows there) and moves of the open file.
  [[nodiscard]] Result<int> watch_file(int fd);
  // New and removed names in the open directory.
  [[nodiscard]] Result<int> watch_directory(int fd);
  void forget(int watch);
  // True when something happened since the last wait; false when `limit` passed.
  [[nodiscard]] Async<bool> wait_for(std::chrono::nanoseconds limit);

 private:
  Inotify(const Executor& executor, int fd) : descriptor_(executor, fd) {}
  [[nodiscard]] Result<int> watch(int fd, std::uint32_t mask);
  asio::posix::stream_descriptor descriptor_;
};

}  // namespace drover::agent
