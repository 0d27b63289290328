// The newest lines of one plugin's log, for `plugin logs`, and how many lines it may write (P-22). Loop only.
#pragma once

#include <deque>
#include <memory>
#include <string>

#include "sdk/async/event.h"
#include "sdk/base/clock.h"

namespace drover::pluginhost {

// Lets 5000 lines pass at once and 1000 a second after that. A value.
class LineRate {
 public:
  // True: the line passes. `dropped` is then how many did not since the last that did.
  [[nodiscard]] bool pass(UnixNanos now, std::uint64_t& dropped);

 private:
  double tokens_ = 5000;
  UnixNanos last_ = 0;
  std::uint64_t dropped_ = 0;
};

class PluginLogRing {
 public:
  explicit PluginLogRing(const Executor& executor) : changed_(executor) {}

  void add(std::string line);
  // Lines after number `after` (the first is 1), oldest first; sets `after` to the newest.
  [[nodiscard]] std::string read_after(std::uint64_t& after) const;
  [[nodiscard]] std::uint64_t newest() const { return newest_; }
  // Returns when a line was added.
  [[nodiscard]] Async<> wait() { return changed_.wait(); }

 private:
  std::deque<std::string> lines_;
  std::size_t bytes_ = 0;
  std::uint64_t newest_ = 0;
  Condition changed_;
};

}  // namespace drover::pluginhost
