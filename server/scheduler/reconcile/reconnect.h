// Which of two allocations stays when a disconnected client comes back and its work was replaced (server contract 11.5).
#pragma once

#include <optional>

#include "lib/model/alloc.h"
#include "sdk/base/clock.h"

namespace drover::scheduler {

// Still wanted as it is: the current version, desired to run, not marked to move.
[[nodiscard]] bool may_reconnect(const model::Allocation& alloc, const model::Job& job);
[[nodiscard]] bool keep_replacement(std::string_view strategy, const model::Allocation& original, const model::Allocation& replacement);
// When the client will have stopped it by itself; none when it never does.
[[nodiscard]] std::optional<UnixNanos> client_stop_time(const model::Allocation& alloc, UnixNanos now);

}  // namespace drover::scheduler
