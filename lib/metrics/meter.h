// What a room records through: a handle to the process's registry, or to nothing (tests, programs without metrics). Copies are
// cheap; the registry outlives them. Loop only, as the registry.
#pragma once

#include "lib/metrics/metrics.h"

namespace drover::metrics {

class Meter {
 public:
  using Start = std::chrono::steady_clock::time_point;

  Meter() = default;
  explicit Meter(Registry* registry) : registry_(registry) {}

  void gauge(std::string_view name, double value, const Labels& labels = {}) const {
    if (registry_ != nullptr) registry_->set_gauge(name, value, labels);
  }
  void count(std::string_view name, double value = 1, const Labels& labels = {}) const {
    if (registry_ != nullptr) registry_->add_counter(name, value, labels);
  }
  void sample(std::string_view name, double value, const Labels& labels = {}) const {
    if (registry_ != nullptr) registry_->add_sample(name, value, labels);
  }
  // Milliseconds from `start` to now.
  void since(std::string_view name, Start start, const Labels& labels = {}) const {
    if (registry_ != nullptr) registry_->measure_since(name, start, labels);
  }
  // Whether anything is recorded, for callers to whom labels cost something.
  [[nodiscard]] explicit operator bool() const { return registry_ != nullptr; }

 private:
  Registry* registry_ = nullptr;
};

}  // namespace drover::metrics
