// Questions about one allocation that every part of the scheduler asks. Pure; all times are nanoseconds since the epoch.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lib/model/alloc.h"
#include "sdk/base/clock.h"
#include "sdk/base/error.h"

namespace drover::scheduler {

// The client is done with it: complete, failed or lost. This is what frees resources.
[[nodiscard]] bool client_terminal(const model::Allocation& alloc);
// The servers want it gone: stop or evict.
[[nodiscard]] bool server_terminal(const model::Allocation& alloc);
[[nodiscard]] bool terminal(const model::Allocation& alloc);
// Every task ended and none failed.
[[nodiscard]] bool ran_successfully(const model::Allocation& alloc);
[[nodiscard]] bool is_canary(const model::Allocation& alloc);
[[nodiscard]] bool is_healthy(const model::Allocation& alloc);
[[nodiscard]] bool is_unhealthy(const model::Allocation& alloc);

// The index in "job.group[3]"; -1 when the name has none.
[[nodiscard]] std::int64_t name_index(std::string_view name);
[[nodiscard]] std::string alloc_name(std::string_view job_id, std::string_view group, std::int64_t index);

[[nodiscard]] const model::TaskGroup* find_group(const model::Job* job, std::string_view name);
// The group in the allocation's own job version; null when unknown.
[[nodiscard]] const model::TaskGroup* group_of(const model::Allocation& alloc);

// `disconnect` and the two fields it replaced, read as one.
struct DisconnectRules {
  std::chrono::nanoseconds lost_after{};                      // 0: no tolerance
  std::optional<std::chrono::nanoseconds> stop_on_client_after;
  bool replace = true;
  std::string_view reconcile = "best_score";
};
[[nodiscard]] DisconnectRules disconnect_rules(const model::TaskGroup& group);

// Field number 0 of AllocState is the client status.
[[nodiscard]] UnixNanos last_unknown(const model::Allocation& alloc);  // 0: never was unknown
[[nodiscard]] bool needs_to_reconnect(const model::Allocation& alloc);
[[nodiscard]] bool expired(const model::Allocation& alloc, UnixNanos now);
void append_client_status(model::Allocation& alloc, std::string_view status, UnixNanos now);

}  // namespace drover::scheduler
