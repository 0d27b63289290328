// What stored objects have that say nothing else.
#pragma once

#include "lib/model/types.h"

namespace drover::state {

// Of a node pool: how long an identity of its nodes holds.
inline constexpr model::Duration default_node_identity_ttl = std::chrono::hours(24);

}  // namespace drover::state
