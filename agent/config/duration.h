// A duration of the agent's configuration: remembers whether it was written, so that a default can be told from a zero.
#pragma once

#include <chrono>

namespace drover::agent {

struct ConfigDuration {
  std::chrono::nanoseconds value{};
  bool written = false;

  ConfigDuration() = default;
  template <class R, class P>
  ConfigDuration(std::chrono::duration<R, P> v) : value(v) {}  // NOLINT(google-explicit-constructor)
  friend bool operator==(const ConfigDuration& a, const ConfigDuration& b) { return a.value == b.value; }
};

}  // namespace drover::agent
