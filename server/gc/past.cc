#include "server/gc/past.h"

#include <algorithm>

namespace drover::gc {
namespace {
// Slower changes are a clock being disciplined. Many jumps are one of which only the latest matter.
constexpr std::chrono::seconds jump{2};
constexpr std::size_t most_spans = 64;
}  // namespace

nanoseconds Past::note(UnixNanos wall, MonoTime now) {
  if (!spans_.empty()) {
    Span& span = spans_.back();
    const nanoseconds off = nanoseconds(wall - span.last) - (now - span.ended);
    if (off < jump && off > -jump) {
      span.last = wall;
      span.ended = now;
      return {};
    }
    spans_.push_back({.first = wall, .last = wall, .began = now, .ended = now});
    if (spans_.size() > most_spans) spans_.erase(spans_.begin());
    return off;
  }
  spans_.push_back({.first = wall, .last = wall, .began = now, .ended = now});
  return {};
}

UnixNanos Past::stamp_before(nanoseconds age) const {
  const MonoTime then = spans_.back().ended - age;
  // What the clock showed then. Before the first span it is taken to have run as in that one.
  auto span = spans_.rbegin();
  while (span + 1 != spans_.rend() && span->began > then) ++span;
  UnixNanos out = span->last - nanoseconds(span->ended - then).count();
  // Between two spans, when the clock was set but not looked at.
  out = std::min(out, span->last);
  // Stamps of the time since then may be smaller, when the clock was set back: none of those is old.
  for (auto later = spans_.rbegin(); later != span; ++later) out = std::min(out, later->first - 1);
  return out;
}

}  // namespace drover::gc
