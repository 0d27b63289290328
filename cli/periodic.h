// When a periodic job runs next, as commands say it.
#pragma once

#include <optional>
#include <string>

#include "lib/model/job.h"

namespace drover::cli {

// `<time> (<dur> from now)`; nothing when it is never launched again.
[[nodiscard]] std::optional<std::string> next_launch_text(const model::PeriodicConfig& periodic);

}  // namespace drover::cli
