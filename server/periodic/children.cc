#include "server/periodic/children.h"

#include <fmt/format.h>

#include <vector>

#include "lib/cron/launch.h"

namespace drover::periodic {

Result<std::optional<std::int64_t>> next_launch(const model::PeriodicConfig& config, std::int64_t after) {
  std::vector<std::string> expressions(config.specs.begin(), config.specs.end());
  if (!config.spec.empty()) expressions.push_back(config.spec);
  return cron::next_launch(expressions, config.time_zone.empty() ? "UTC" : config.time_zone, after);
}

std::string child_id(const model::Job& parent, std::int64_t second) { return fmt::format("{}/periodic-{}", parent.id, second); }

model::Job make_child(const model::Job& parent, std::string id, std::int64_t now) {
  model::Job out = parent;
  out.id = out.name = std::move(id);
  out.parent_id = parent.id;
  out.submit_time = now;
  out.stable = false;
  out.version_tag.reset();
  out.status.clear();
  out.status_description.clear();
  return out;
}

bool has_live_child(const state::Snapshot& snapshot, const model::Job& parent) {
  const std::string prefix = parent.id + "/";
  bool live = false;
  snapshot.tables().jobs.scan({parent.namespace_, prefix}, [&](const state::JobPtr& job) {
    if (job->namespace_ != parent.namespace_ || !job->id.starts_with(prefix)) return false;
    live = job->parent_id == parent.id && job->status != "dead";
    return !live;
  });
  return live;
}

}  // namespace drover::periodic
