// Files without a name, for what is too large to be held in memory: gone with their last descriptor, also after a crash. Blocking.
#pragma once

#include <string>
#include <string_view>

#include "sdk/base/fd.h"

namespace drover::snapshot {

// In `directory`, to be read and written.
[[nodiscard]] Result<Fd> open_unnamed(const std::string& directory);

// One that is written from its start. What is written goes to the disk from then on: a great deal of it at the end of all would hold up
// whoever waits for the disk at that moment, such as the log.
class Spool {
 public:
  [[nodiscard]] static Result<Spool> open(const std::string& directory);
  [[nodiscard]] Result<> add(std::string_view bytes);
  [[nodiscard]] int file() const { return file_.get(); }
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] Fd release() { return std::move(file_); }

 private:
  explicit Spool(Fd file) : file_(std::move(file)) {}
  Fd file_;
  std::uint64_t size_ = 0;
  std::uint64_t begun_ = 0;  // on their way to the disk
};
// At most `limit` bytes from `at` on; empty at the end.
[[nodiscard]] Result<std::string> read_at(int file, std::uint64_t at, std::size_t limit);

}  // namespace drover::snapshot
