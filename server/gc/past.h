// How old a stamp of the wall clock is on a server whose date may be set (L-10): what that clock showed when, by the clock that nobody
// sets. Objects carry the wall clock's time of their last change; after a jump forward they only look old, after one back what is new
// looks older than it is. Pure, owned by the leader; a copy goes with each round.
#pragma once

#include <vector>

#include "sdk/base/reckoning.h"

namespace drover::gc {

class Past {
 public:
  // Nothing is known of jumps before this.
  Past(UnixNanos wall, MonoTime now = {}) { (void)note(wall, now); }

  // What the wall clock shows, told at least every minute. Answers by how much it was set since the last time, 0 when it was not.
  [[nodiscard]] nanoseconds note(UnixNanos wall, MonoTime now);

  // A stamp at or before this is at least as old as `age`.
  [[nodiscard]] UnixNanos stamp_before(nanoseconds age) const;
  [[nodiscard]] UnixNanos now() const { return spans_.back().last; }

 private:
  // While nobody set it.
  struct Span {
    UnixNanos first = 0, last = 0;
    MonoTime began{}, ended{};
  };
  std::vector<Span> spans_;  // oldest first, never empty
};

}  // namespace drover::gc
