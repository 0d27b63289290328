#include "cli/periodic.h"

#include "cli/ui.h"
#include "lib/cron/launch.h"
#include "sdk/base/clock.h"
#include "sdk/base/text.h"

namespace drover::cli {

std::optional<std::string> next_launch_text(const model::PeriodicConfig& periodic) {
  std::vector<std::string> expressions(periodic.specs.begin(), periodic.specs.end());
  if (!periodic.spec.empty()) expressions.push_back(periodic.spec);
  const std::int64_t now = system_clock().unix_nanos();
  const auto next = cron::next_launch(expressions, periodic.time_zone, now / 1'000'000'000);
  if (!next || !*next) return std::nullopt;
  const std::int64_t at = **next * 1'000'000'000;
  const std::string distance = relative_time(at, now);
  return fmt::format("{} ({})", format_time(at), distance.ends_with(" ago") ? "0s from now" : distance);
}

}  // namespace drover::cli
