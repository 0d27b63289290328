// Follows an append-only file that another process writes: how a host reads a plugin's output without a pipe that would
// break when the host dies. Loop only.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "sdk/async/asio.h"
#include "sdk/base/error.h"
#include "sdk/base/fd.h"

namespace drover::plugin {

class Tail {
 public:
  // `from_end` skips what is already there.
  [[nodiscard]] static Result<Tail> open(const std::string& path, bool from_end);
  // What was appended since the last call; empty: nothing. Cuts the file off once more than 1 MiB has been read, so that a
  // chatty plugin cannot fill the disk.
  [[nodiscard]] std::string read_available();
  // Returns when something may have been appended.
  [[nodiscard]] Async<Result<>> wait();

 private:
  Tail(Fd file, Fd inotify) : file_(std::move(file)), inotify_(std::move(inotify)) {}
  Fd file_, inotify_;
  std::int64_t offset_ = 0;
};

// Cuts a stream of chunks into lines; a line over `limit` is given in pieces.
class LineSplitter {
 public:
  explicit LineSplitter(std::size_t limit) : limit_(limit) {}
  void feed(std::string_view chunk, const std::function<void(std::string_view)>& line);
  [[nodiscard]] const std::string& rest() const { return rest_; }

 private:
  std::string rest_;
  std::size_t limit_;
};

}  // namespace drover::plugin
