// Runs the suite against one executable. Loop only.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sdk/conformance/bench.h"

namespace drover::conformance {

struct SuiteResult {
  std::string subject;  // "raw_exec 0.1.0 (driver)", or the executable's name
  std::vector<ItemResult> results;  // in the order of the items
};

// Called before an item runs (`done` is null) and after.
using Progress = std::function<void(const Item& item, const ItemResult* done)>;

[[nodiscard]] Async<Result<SuiteResult>> run_suite(Executor executor, const Settings& settings, Progress progress);

}  // namespace drover::conformance
