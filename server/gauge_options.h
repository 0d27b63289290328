// How the server publishes its gauges.
#pragma once

#include <chrono>

namespace drover {

struct GaugeOptions {
  std::chrono::seconds repeat{10};  // of jobs and summaries; half of it while they change
  bool dispatched_jobs = true;      // false: no summaries of dispatched children
};

}  // namespace drover
