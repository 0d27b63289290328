#include "cli/deployment_view.h"

#include <algorithm>

#include "cli/ui.h"
#include "sdk/base/text.h"

namespace drover::cli {

std::string deployment_table(const model::List<model::Deployment>& deployments, bool verbose) {
  std::vector<std::vector<std::string>> rows{{"ID", "Job ID", "Job Version", "Status", "Description"}};
  for (const auto& one : deployments) {
    rows.push_back({short_id(one.id, verbose), one.job_id, std::to_string(one.job_version), one.status, one.status_description});
  }
  return format_table(rows);
}

std::string deployment_block(const model::Deployment& deployment, bool verbose, const std::string& indent, bool full) {
  std::vector<std::pair<std::string, std::string>> pairs{{"ID", short_id(deployment.id, verbose)}};
  if (full) {
    pairs.emplace_back("Job ID", deployment.job_id);
    pairs.emplace_back("Job Version", std::to_string(deployment.job_version));
  }
  pairs.emplace_back("Status", deployment.status);
  pairs.emplace_back("Description", deployment.status_description);
  std::string out = format_pairs(pairs);

  const auto any = [&](auto test) {
    return std::any_of(deployment.task_groups.begin(), deployment.task_groups.end(), [&](const auto& entry) { return test(entry.second); });
  };
  const bool auto_revert = any([](const model::DeploymentState& s) { return s.auto_revert; });
  const bool canaries = any([](const model::DeploymentState& s) { return s.desired_canaries > 0; });
  const bool progress = any([](const model::DeploymentState& s) { return s.progress_deadline.count() != 0; });
  std::vector<std::vector<std::string>> rows(1);
  rows[0] = {"Task Group"};
  if (auto_revert) rows[0].push_back("Auto Revert");
  if (canaries) rows[0].push_back("Promoted");
  rows[0].push_back("Desired");
  if (canaries) rows[0].push_back("Canaries");
  for (const char* name : {"Placed", "Healthy", "Unhealthy"}) rows[0].push_back(name);
  if (progress) rows[0].push_back("Progress Deadline");
  for (const auto& [name, state] : deployment.task_groups) {
    std::vector<std::string> row{name};
    if (auto_revert) row.push_back(state.auto_revert ? "true" : "false");
    if (canaries) row.push_back(state.desired_canaries > 0 ? (state.promoted ? "true" : "false") : "N/A");
    row.push_back(std::to_string(state.desired_total));
    if (canaries) row.push_back(state.desired_canaries > 0 ? std::to_string(state.desired_canaries) : "N/A");
    row.push_back(std::to_string(state.placed_allocs));
    row.push_back(std::to_string(state.healthy_allocs));
    row.push_back(std::to_string(state.unhealthy_allocs));
    if (progress) row.push_back(state.require_progress_by.is_zero() ? "N/A" : format_time(state.require_progress_by.unix_nanos()));
    rows.push_back(std::move(row));
  }
  if (rows.size() > 1) out += "\n\nDeployed\n" + format_table(rows);
  if (indent.empty()) return out;
  std::string indented;
  for (const std::string& line : split(out, '\n')) indented += (line.empty() ? "" : indent + line) + "\n";
  indented.pop_back();
  return indented;
}

}  // namespace drover::cli
