// MetricsSummary of one interval as JSON. Private to lib/metrics.
#pragma once

#include <string>

#include "lib/metrics/interval.h"

namespace drover::metrics {

[[nodiscard]] std::string to_summary_json(const Interval& interval, std::chrono::seconds length, bool pretty);

}  // namespace drover::metrics
