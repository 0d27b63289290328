// Emptying a node before its agent leaves for good (`drain_on_shutdown`; client contract 1.8): the servers are asked to drain it, and
// the agent goes on as ever until that is done, so that allocations move at the pace of their groups. Loop only.
#pragma once

#include <functional>
#include <string>

#include "agent/config/config.h"
#include "lib/wire/caller.h"
#include "sdk/async/event.h"
#include "sdk/base/log.h"

namespace drover::agent {

struct DrainSelf {
  wire::Caller& caller;
  Logger log;
  std::string node_id;
  DrainOnShutdownConfig settings;
  std::function<bool()> empty;  // nothing runs here that the drain is to move
  Condition& changed;           // told whenever that may have become so
};

// Returns when the drain is complete and what it moved has ended here. Servers that do not answer are asked again for as long as the
// caller waits; once nothing runs here any more they need not answer. Fails when somebody ends the drain before it is complete.
// The caller sets the limit, by cancelling.
[[nodiscard]] Async<Result<>> drain_self(DrainSelf options);

}  // namespace drover::agent
