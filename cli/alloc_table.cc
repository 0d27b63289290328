#include "cli/alloc_table.h"

#include "cli/ui.h"

namespace drover::cli {

std::string alloc_table(const model::List<model::AllocListStub>& allocs, bool verbose, std::int64_t now_unix_nanos) {
  if (allocs.empty()) return "No allocations placed";
  std::vector<std::vector<std::string>> rows;
  if (verbose) rows.push_back({"ID", "Eval ID", "Node ID", "Node Name", "Task Group", "Version", "Desired", "Status", "Created", "Modified"});
  else rows.push_back({"ID", "Node ID", "Task Group", "Version", "Desired", "Status", "Created", "Modified"});
  for (const auto& alloc : allocs) {
    const std::string created = verbose ? format_time(alloc.create_time) : relative_time(alloc.create_time, now_unix_nanos);
    const std::string modified = verbose ? format_time(alloc.modify_time) : relative_time(alloc.modify_time, now_unix_nanos);
    const std::string version = std::to_string(alloc.job_version);
    if (verbose) {
      rows.push_back({alloc.id, alloc.eval_id, alloc.node_id, alloc.node_name, alloc.task_group, version, alloc.desired_status,
                      alloc.client_status, created, modified});
    } else {
      rows.push_back({short_id(alloc.id, false), short_id(alloc.node_id, false), alloc.task_group, version, alloc.desired_status,
                      alloc.client_status, created, modified});
    }
  }
  return format_table(rows);
}

std::string placement_metrics(const model::AllocMetric& metrics, const std::string& indent) {
  std::string out;
  const auto line = [&](const std::string& text) { out += fmt::format("{}* {}\n", indent, text); };
  if (metrics.nodes_evaluated == 0) line("No nodes were eligible for evaluation");
  for (const auto& [datacenter, available] : metrics.nodes_available) {
    if (available == 0) line(fmt::format("No nodes are available in datacenter \"{}\"", datacenter));
  }
  for (const auto& [node_class, count] : metrics.class_filtered) line(fmt::format("Class \"{}\": {} nodes excluded by filter", node_class, count));
  for (const auto& [constraint, count] : metrics.constraint_filtered) line(fmt::format("Constraint \"{}\": {} nodes excluded by filter", constraint, count));
  if (metrics.nodes_exhausted > 0) line(fmt::format("Resources exhausted on {} nodes", metrics.nodes_exhausted));
  for (const auto& [node_class, count] : metrics.class_exhausted) line(fmt::format("Class \"{}\" exhausted on {} nodes", node_class, count));
  for (const auto& [dimension, count] : metrics.dimension_exhausted) line(fmt::format("Dimension \"{}\" exhausted on {} nodes", dimension, count));
  for (const auto& quota : metrics.quota_exhausted) line(fmt::format("Quota limit hit \"{}\"", quota));
  if (!out.empty()) out.pop_back();
  return out;
}

std::string failed_group_heading(const std::string& group, const model::AllocMetric& metrics) {
  const std::int64_t count = metrics.coalesced_failures + 1;
  return fmt::format("Task Group \"{}\" (failed to place {} allocation{}):", group, count, count == 1 ? "" : "s");
}

}  // namespace drover::cli
