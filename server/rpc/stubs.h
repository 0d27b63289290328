// The short forms of objects that lists answer. Pure.
#pragma once

#include "lib/model/alloc.h"
#include "lib/model/job_summary.h"
#include "lib/model/node.h"

namespace drover::rpc {

[[nodiscard]] model::AllocListStub alloc_stub(const std::shared_ptr<const model::Allocation>& from, bool resources, bool task_states);
[[nodiscard]] model::JobListStub job_stub(const model::Job& job, const model::JobSummary* summary, bool meta);
[[nodiscard]] model::NodeListStub node_stub(const model::Node& node, bool resources, bool os);

}  // namespace drover::rpc
