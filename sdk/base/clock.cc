#include "sdk/base/clock.h"

#include <sys/random.h>

#include <charconv>
#include <cstdlib>
#include <random>
#include <string>

#include "sdk/base/error.h"
#include "sdk/base/file.h"

namespace drover {
namespace {

// For tests of wrong clocks (F-50): the file "wall-clock" in the directory of fail points (fail_point.h) holds seconds by which this
// process sees the date wrong. Read each time, so that a date is set while the process runs.
nanoseconds planted_offset() {
  static const std::string path = [] {
    const char* directory = std::getenv("DROVER_FAIL_POINTS");
    return directory != nullptr && *directory != '\0' ? std::string(directory) + "/wall-clock" : std::string();
  }();
  if (path.empty()) return {};
  const auto text = read_file(path, 64);
  std::int64_t seconds = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), seconds);
  return std::chrono::seconds(seconds);
}

class SystemClock final : public Clock {
 public:
  [[nodiscard]] UnixNanos unix_nanos() const override {
    return (std::chrono::duration_cast<nanoseconds>(std::chrono::system_clock::now().time_since_epoch()) + planted_offset()).count();
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
