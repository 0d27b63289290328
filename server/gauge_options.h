// How the server publishes its gauges.
#pragma once

#include <chrono>

namespace drover {

struct GaugeOptions {
  std::chrono::seconds repeat{10};  // jobs and summaries are published at least this often
  bool dispatched_jobs = true;      // false: no summaries of dispatched children
};

}  // namespace drover
