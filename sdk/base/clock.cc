#include "sdk/base/clock.h"

#include <sys/random.h>

#include <random>

#include "sdk/base/error.h"

namespace drover {
namespace {
class SystemClock final : public Clock {
 public:
  [[nodiscard]] UnixNanos unix_nanos() const override {
    return std::chrono::duration_cast<nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  }
  [[nodiscard]] std::chrono::steady_clock::time_point monotonic() const override {
    return std::chrono::steady_clock::now();
  }
};
}  // namespace

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

struct Rng::Engine {
  std::mt19937_64 next;
};

Rng::Rng(std::uint64_t seed) : engine_(new Engine{std::mt19937_64(seed)}) {}
Rng::Rng(Rng&& other) noexcept = default;
Rng& Rng::operator=(Rng&& other) noexcept = default;
Rng::~Rng() = default;

std::uint64_t Rng::next() { return engine_->next(); }

Rng Rng::from_system() {
  std::uint64_t seed = 0;
  DROVER_CHECK(::getrandom(&seed, sizeof seed, 0) == sizeof seed);
  return Rng(seed);
}

}  // namespace drover
