#include "server/state/tables.h"

namespace drover::state {

std::string_view to_string(Table table) {
  static constexpr std::array<std::string_view, table_count> names{
      "nodes", "node_pools", "jobs", "job_summary", "job_version", "job_submission", "deployment", "evals", "allocs", "scheduler_config",
      "namespaces", "scaling_policy", "scaling_event", "periodic_launch", "host_volumes", "task_group_volumes"};
  return names[static_cast<std::size_t>(table)];
}

bool server_terminal(const model::Allocation& alloc) { return alloc.desired_status == "stop" || alloc.desired_status == "evict"; }

bool client_terminal(const model::Allocation& alloc) {
  return alloc.client_status == "complete" || alloc.client_status == "failed" || alloc.client_status == "lost";
}

bool terminal(const model::Evaluation& eval) {
  return eval.status == "complete" || eval.status == "failed" || eval.status == "canceled";
}

bool active(const model::Deployment& deployment) {
  return deployment.status != "failed" && deployment.status != "successful" && deployment.status != "cancelled";
}

}  // namespace drover::state
