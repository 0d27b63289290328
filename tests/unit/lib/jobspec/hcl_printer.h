// A parsed job as a job file again, over the schema tables: for the property that what is printed reads as the same job.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "lib/jobspec/schema.h"

namespace drover::jobspec {

// `job` is what `parse` gives.
[[nodiscard]] std::string print_job(const nlohmann::ordered_json& job);

}  // namespace drover::jobspec
