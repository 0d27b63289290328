// Bytes packed by gzip on several processors: parts of a megabyte, each a member of its own, which readers see as one stream (RFC 1952,
// 2.2). Blocking: for a pool's thread. The threads that pack yield to everything else on the machine.
#pragma once

#include <deque>
#include <future>
#include <string>
#include <string_view>

#include "lib/snapshot/archive.h"

namespace drover::snapshot {

class GzipParts {
 public:
  // `out` gets what is packed, in order, on the caller's thread.
  explicit GzipParts(ByteSink out);
  [[nodiscard]] Result<> add(std::string_view bytes);
  // What was added is with `out`; more may follow.
  [[nodiscard]] Result<> flush();

 private:
  using Packed = std::future<Result<std::string>>;
  void begin_part();
  [[nodiscard]] Result<> take_oldest();

  ByteSink out_;
  std::size_t threads_;
  std::string part_;
  std::deque<Packed> packing_;
};

}  // namespace drover::snapshot
