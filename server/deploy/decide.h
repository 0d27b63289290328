// What a deployment needs next, judged from its allocations (server contract 18). Pure; instants are nanoseconds since the epoch.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sdk/base/clock.h"
#include "server/state/tables.h"

namespace drover::deploy {

using state::AllocPtr;
using state::JobPtr;
using Allocs = std::vector<AllocPtr>;

namespace description {
inline constexpr const char* running = "Deployment is running";
inline constexpr const char* paused = "Deployment is paused";
inline constexpr const char* failed_by_user = "Deployment marked as failed";
inline constexpr const char* unhealthy = "Failed due to unhealthy allocations";
inline constexpr const char* deadline = "Failed due to progress deadline";
}  // namespace description

// Whether each group has what it wants: promoted if it must be, and enough healthy allocations that run.
[[nodiscard]] std::map<std::string, bool> done_groups(const model::Deployment& deployment, const Allocs& allocs);
// When the first of the groups that are not done must have made progress; none when nothing presses.
[[nodiscard]] std::optional<UnixNanos> progress_cutoff(const model::Deployment& deployment, const Allocs& allocs);

// What passing the cutoff means.
struct DeadlineVerdict {
  bool fail = false;
  bool rollback = false;
};
[[nodiscard]] DeadlineVerdict at_deadline(const model::Deployment& deployment, const model::Job& job);

// What the health of the allocations asks for. `latest_eval`: index of the job's newest evaluation.
struct Reaction {
  std::vector<std::string> allow_replacements;
  bool create_eval = false;
  bool fail = false;
  bool rollback = false;
};
[[nodiscard]] Reaction react(const model::Deployment& deployment, const model::Job& job, const Allocs& allocs, std::uint64_t latest_eval,
                             UnixNanos now);

// Every group with canaries promotes by itself and all of them are placed and healthy.
[[nodiscard]] bool may_promote(const model::Deployment& deployment, const Allocs& allocs);
[[nodiscard]] bool requires_promotion(const model::Deployment& deployment);

// The job to go back to (none: not possible) and the description with what happens.
struct Rollback {
  JobPtr job;
  std::string description;
};
// Newest stable version first in `versions` (any order otherwise); null when there is none.
[[nodiscard]] JobPtr latest_stable(const std::vector<JobPtr>& versions);
[[nodiscard]] Rollback roll_back(const std::vector<JobPtr>& versions, const model::Job& current, const std::string& reason);

}  // namespace drover::deploy
