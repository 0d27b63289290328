// What reconciling a job with its allocations asks for.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lib/model/eval.h"
#include "server/scheduler/plan_draft.h"
#include "server/scheduler/reconcile/alloc_set.h"

namespace drover::scheduler {

// Why allocations stop, as users read it.
namespace description {
inline constexpr const char* not_needed = "alloc not needed due to job update";
inline constexpr const char* reconnected = "alloc not needed due to disconnected client reconnect";
inline constexpr const char* migrating = "alloc is being migrated";
inline constexpr const char* updating = "alloc is being updated due to job update";
inline constexpr const char* lost = "alloc is lost since its node is down";
inline constexpr const char* unknown = "alloc is unknown since its node is disconnected";
inline constexpr const char* in_place = "alloc updating in-place";
inline constexpr const char* node_tainted = "alloc not needed as node is tainted";
inline constexpr const char* rescheduled = "alloc was rescheduled because it failed";
}  // namespace description

struct StopRequest {
  AllocPtr alloc;
  PlanDraft::Stop how;
};

struct PlaceRequest {
  std::string name;
  const model::TaskGroup* group = nullptr;
  AllocPtr previous = {};
  bool canary = false;
  bool reschedule = false;
  bool lost = false;
  // While canaries are judged, everybody else keeps to the version that was promoted last.
  bool downgrade = false;
  std::uint64_t min_job_version = 0;
  // Destructive update: stop `previous` when, and only when, a node is found.
  bool stop_previous = false;
};

struct Changes {
  std::vector<PlaceRequest> place;
  std::vector<PlaceRequest> destructive;
  std::vector<std::shared_ptr<model::Allocation>> in_place;
  std::vector<StopRequest> stop;
  std::map<std::string, std::shared_ptr<model::Allocation>> attribute_updates;
  std::map<std::string, std::shared_ptr<model::Allocation>> disconnect_updates;
  std::map<std::string, std::shared_ptr<model::Allocation>> reconnect_updates;
  std::vector<model::Evaluation> followups;
  model::Map<model::DesiredUpdates> desired;
  std::optional<model::Deployment> deployment;  // created or to be stored again
  std::vector<model::DeploymentStatusUpdate> deployment_updates;
};

// What the update of one allocation needs.
struct UpdateVerdict {
  enum class Kind : std::uint8_t { ignore, destructive, in_place } kind = Kind::ignore;
  std::shared_ptr<model::Allocation> updated = {};  // in place
};

}  // namespace drover::scheduler
