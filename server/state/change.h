// What one transaction did to one object: the source of watch wake-ups, events and the broker's work.
#pragma once

#include <variant>
#include <vector>

#include "server/state/tables.h"

namespace drover::state {

using Object = std::variant<std::monostate, NodePtr, NodePoolPtr, JobPtr, SummaryPtr, SubmissionPtr, DeploymentPtr, EvalPtr, AllocPtr,
                            ConfigPtr, NamespacePtr, ScalingPolicyPtr, ScalingEventsPtr, LaunchPtr, HostVolumePtr, VolumeClaimPtr>;

// `before` is empty for a new object, `after` for a deleted one. Job versions have the table job_version and a JobPtr.
struct Change {
  Table table{};
  Object before;
  Object after;

  template <class P>
  [[nodiscard]] P old_as() const { const P* p = std::get_if<P>(&before); return p != nullptr ? *p : nullptr; }
  template <class P>
  [[nodiscard]] P new_as() const { const P* p = std::get_if<P>(&after); return p != nullptr ? *p : nullptr; }
  // The object after the change, or before its deletion.
  [[nodiscard]] const Object& object() const { return after.index() != 0 ? after : before; }
};
using Changes = std::vector<Change>;

}  // namespace drover::state
