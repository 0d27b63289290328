// What may leave a draining node now (server contract 19). Pure; instants are nanoseconds since the epoch.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sdk/base/clock.h"
#include "server/state/tables.h"

namespace drover::drain {

using state::AllocPtr;
using Allocs = std::vector<AllocPtr>;
using IsDraining = std::function<bool(std::string_view node_id)>;

// One job's allocations, of which some are on draining nodes.
struct JobVerdict {
  Allocs drain;           // to be marked now
  Allocs migrated;        // that ended on a draining node since `last_handled`
  bool done = true;       // nothing of the job is left on a draining node
};
// Batch jobs are left to finish until the deadline. In the order given, as many as keeps the group's `migrate` promise.
[[nodiscard]] JobVerdict drain_job(const model::Job& job, const Allocs& allocs, const IsDraining& draining, std::uint64_t last_handled);

// System jobs and those that provide a plugin stay until everything else has left.
[[nodiscard]] bool stays_to_the_end(const model::Allocation& alloc);
// Everything else has ended on the client.
[[nodiscard]] bool node_done(const Allocs& on_node);
// What is still to be told to leave, system jobs included unless the drain ignores them.
[[nodiscard]] Allocs remaining(const model::DrainStrategy& strategy, const Allocs& on_node);

struct Deadline {
  bool none = false;  // the drain may take as long as it likes
  UnixNanos at = 0;   // 0 with `none` false: at once
  bool operator==(const Deadline&) const = default;
};
[[nodiscard]] Deadline deadline(const model::DrainStrategy& strategy);

// The mark itself. Batch work that is cut off at a deadline is not started again elsewhere.
[[nodiscard]] model::DesiredTransition mark(const model::Allocation& alloc, bool at_deadline);

}  // namespace drover::drain
