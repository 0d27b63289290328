// A clock whose date can be set, as a person or NTP does it: the monotonic side goes on as if nothing had been.
#pragma once

#include "sdk/base/reckoning.h"

namespace drover {

class JumpClock final : public Clock {
 public:
  explicit JumpClock(UnixNanos start) : wall_(start) {}
  [[nodiscard]] UnixNanos unix_nanos() const override { return wall_; }
  [[nodiscard]] MonoTime monotonic() const override { return mono_; }
  void advance(nanoseconds by) {
    wall_ += by.count();
    mono_ += by;
  }
  void set_by(nanoseconds by) { wall_ += by.count(); }

 private:
  UnixNanos wall_;
  MonoTime mono_{std::chrono::hours(1)};
};

}  // namespace drover
