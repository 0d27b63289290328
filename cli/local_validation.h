// The servers' validation of a job without a server, by the same functions and with the default limits.
#pragma once

#include "lib/jobspec/validate.h"
#include "lib/model/types.h"

namespace drover::cli {

// `job` is in the API's form. The error says that it cannot be read as a job at all.
[[nodiscard]] Result<jobspec::Validation> validate_here(const model::Json& job);

}  // namespace drover::cli
