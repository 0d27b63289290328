// When a periodic job is launched next.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "sdk/base/error.h"

namespace drover::cron {

// The earliest launch of the expressions after an instant, in seconds since the epoch; nothing when there is none left. Reads the zone.
[[nodiscard]] Result<std::optional<std::int64_t>> next_launch(std::span<const std::string> expressions, const std::string& zone, std::int64_t after);

}  // namespace drover::cron
