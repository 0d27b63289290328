// When a failed allocation may be tried again, and the record of tries (server contract 11.4).
#pragma once

#include <optional>

#include "lib/model/alloc.h"
#include "sdk/base/clock.h"

namespace drover::scheduler {

// The last attempt to replace it found no node.
[[nodiscard]] bool last_reschedule_failed(const model::Allocation& alloc);
// When its last task finished; its modify time when none did.
[[nodiscard]] UnixNanos last_event_time(const model::Allocation& alloc);
[[nodiscard]] std::chrono::nanoseconds next_delay(const model::Allocation& alloc);
// None: it is not failed, or its policy forbids another try.
[[nodiscard]] std::optional<UnixNanos> next_reschedule_time(const model::Allocation& alloc);
// The same counted from a given instant, whatever the client status.
[[nodiscard]] std::optional<UnixNanos> reschedule_time_after(const model::Allocation& alloc, UnixNanos from);
// The tracker of the allocation that replaces `previous` now.
[[nodiscard]] model::RescheduleTracker next_tracker(const model::Allocation& previous, UnixNanos now);

}  // namespace drover::scheduler
