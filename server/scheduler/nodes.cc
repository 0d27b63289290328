#include "server/scheduler/nodes.h"

#include "server/scheduler/feasible/group_checks.h"

namespace drover::scheduler {

CandidateNodes candidate_nodes(const StateView& view, const model::Job& job) {
  CandidateNodes out;
  out.available.allocate();  // {} where no datacenter fits, not null
  out.ready.reserve(view.node_count());
  // Nodes come in runs of few datacenters: the last answer is mostly the right one.
  std::string last;
  bool last_matches = false;
  std::int64_t* last_count = nullptr;
  view.each_node([&](const NodePtr& node) {
    if (!in_pool(*node, job.node_pool)) return true;
    const bool ready = is_ready(*node);
    if (last_count == nullptr || node->datacenter != last) {
      last = node->datacenter;
      last_matches = datacenter_matches(job.datacenters, last);
      if (last_matches) last_count = &out.available[last];
    }
    if (!last_matches) return true;
    if (!ready) {
      out.not_ready.insert(node->id);
      return true;
    }
    ++*last_count;
    out.ready.push_back(node);
    return true;
  });
  out.in_pool = static_cast<std::int64_t>(out.ready.size());
  std::erase_if(out.available, [](const auto& entry) { return entry.second == 0; });
  return out;
}

}  // namespace drover::scheduler
