// Children of periodic jobs: when the next is due, what it is called, what it looks like. Pure, but for the zone's file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sdk/base/error.h"
#include "server/state/snapshot.h"

namespace drover::periodic {

// The first launch after an instant, in seconds; none when the expressions have no further one.
[[nodiscard]] Result<std::optional<std::int64_t>> next_launch(const model::PeriodicConfig& config, std::int64_t after);

[[nodiscard]] std::string child_id(const model::Job& parent, std::int64_t second);

// The parent's specification as a job of its own. Of a periodic parent the caller takes the schedule off.
[[nodiscard]] model::Job make_child(const model::Job& parent, std::string id, std::int64_t now);

// A child of the job is not dead yet, so that one that must not overlap waits for its next turn.
[[nodiscard]] bool has_live_child(const state::Snapshot& snapshot, const model::Job& parent);

}  // namespace drover::periodic
