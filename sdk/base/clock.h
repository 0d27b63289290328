// Time and randomness as arguments. Pure code takes values; drivers around it take these two interfaces.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

namespace drover {

// Nanoseconds since the Unix epoch, as on the wire.
using UnixNanos = std::int64_t;
using std::chrono::nanoseconds;

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual UnixNanos unix_nanos() const = 0;
  [[nodiscard]] virtual std::chrono::steady_clock::time_point monotonic() const = 0;
};

// The machine's clock.
[[nodiscard]] const Clock& system_clock();

// For tests: stands still until advanced.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(UnixNanos start) : now_(start) {}
  [[nodiscard]] UnixNanos unix_nanos() const override { return now_; }
  [[nodiscard]] std::chrono::steady_clock::time_point monotonic() const override {
    return std::chrono::steady_clock::time_point(nanoseconds(now_));
  }
  void advance(nanoseconds by) { now_ += by.count(); }

 private:
  UnixNanos now_;
};

// A seeded generator; one per owner, not shared between threads. <random> stays out of this header, which everything includes.
class Rng {
 public:
  explicit Rng(std::uint64_t seed);
  Rng(Rng&& other) noexcept;
  Rng& operator=(Rng&& other) noexcept;
  ~Rng();
  // Seeded from getrandom(2).
  [[nodiscard]] static Rng from_system();
  [[nodiscard]] std::uint64_t next();
  // Uniform in [0, bound); bound > 0.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  // Uniform in [0, 1).
  [[nodiscard]] double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

 private:
  struct Engine;
  std::unique_ptr<Engine> engine_;
};

}  // namespace drover
