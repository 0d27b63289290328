#include "agent/client/drain_self.h"

#include "sdk/base/text.h"

namespace drover::agent {
namespace {
using namespace std::chrono_literals;
constexpr auto pause = 1s;  // before servers that did not answer are asked again
constexpr auto query_wait = 30s;

model::NodeUpdateDrainRequest request_of(const DrainSelf& drain) {
  model::NodeUpdateDrainRequest out;
  out.node_id = drain.node_id;
  auto& spec = out.drain_spec.ensure();
  // For the servers less than nothing means at once, and nothing that there is no deadline.
  spec.deadline = drain.settings.force ? std::chrono::nanoseconds(-1) : drain.settings.deadline.value;
  spec.ignore_system_jobs = drain.settings.ignore_system_jobs;
  out.meta.allocate();
  out.meta["message"] = "shutting down";
  return out;
}

// False: they did not answer, and meanwhile nothing runs here any more.
Async<bool> begin(DrainSelf& drain) {
  for (bool said = false;; said = true) {
    auto request = request_of(drain);
    const auto reply = co_await drain.caller.call(wire::endpoints::node_update_drain, std::move(request));
    if (reply) co_return true;
    if (drain.empty()) co_return false;
    if (!said) drain.log.warn("asking the servers to drain this node failed; trying again until the time is up", "error", reply.error());
    [[maybe_unused]] const bool changed = co_await drain.changed.wait_for(pause);
  }
}

Async<Result<>> follow(DrainSelf& drain) {
  std::uint64_t index = 0;
  for (bool said = false;;) {
    model::ObjectRequest request;
    request.id = drain.node_id;
    request.min_query_index = index;
    request.max_query_time = query_wait;
    const auto reply = co_await drain.caller.call(wire::endpoints::node_get, std::move(request));
    if (!reply) {
      if (drain.empty()) co_return Result<>{};
      if (!said) drain.log.warn("the servers do not say how the drain of this node fares; trying again until the time is up", "error", reply.error());
      said = true;
      [[maybe_unused]] const bool changed = co_await drain.changed.wait_for(pause);
      continue;
    }
    if (!reply->item) co_return Result<>{};
    if (!reply->item->drain_strategy) {
      const auto& last = reply->item->last_drain;
      if (last && last->status == "canceled") co_return fail(Code::conflict, "the drain of this node was canceled; what ran here still runs");
      co_return Result<>{};
    }
    index = reply->index;
  }
}
}  // namespace

Async<Result<>> drain_self(DrainSelf drain) {
  drain.log.info("draining this node before leaving", "deadline", format_duration(drain.settings.deadline.value), "force", drain.settings.force);
  const bool begun = co_await begin(drain);
  if (begun) {
    const auto over = co_await follow(drain);
    if (!over) co_return over;
  }
  // The servers know the end of an allocation before its driver has cleaned up behind it.
  while (!drain.empty()) {
    [[maybe_unused]] const bool changed = co_await drain.changed.wait_for(pause);
  }
  drain.log.info("this node is drained");
  co_return Result<>{};
}

}  // namespace drover::agent
