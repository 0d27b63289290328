#include <charconv>

#include "server/state/txn.h"

namespace drover::state {
namespace {

constexpr std::string_view launch_mark = "/periodic-";

// The second in the name of a launched child.
std::optional<std::int64_t> launch_of(const model::Job& child) {
  if (!child.id.starts_with(child.parent_id)) return std::nullopt;
  const std::string_view rest = std::string_view(child.id).substr(child.parent_id.size());
  if (!rest.starts_with(launch_mark)) return std::nullopt;
  std::int64_t second = 0;
  const auto digits = rest.substr(launch_mark.size());
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), second);
  return error == std::errc{} && end == digits.data() + digits.size() ? std::optional(second) : std::nullopt;
}

}  // namespace

bool launches_children(const model::Job& job) {
  return job.periodic && job.periodic->enabled && !job.stop && (!job.parameterized_job || job.dispatched);
}

void Txn::note_launch(const model::Job& job) {
  if (!job.parent_id.empty()) {
    const auto second = launch_of(job);
    const JobPtr* parent = t_.jobs.find({job.namespace_, job.parent_id});
    if (second && parent != nullptr && (*parent)->periodic) store_launch(job.namespace_, job.parent_id, second);
  }
  const bool known = t_.periodic_launches.find({job.namespace_, job.id}) != nullptr;
  if (!launches_children(job)) {
    if (known) store_launch(job.namespace_, job.id, std::nullopt);
  } else if (!known) {
    store_launch(job.namespace_, job.id, job.submit_time / 1'000'000'000);
  }
}

void Txn::store_launch(std::string_view namespace_, std::string_view id, std::optional<std::int64_t> launch) {
  const LaunchPtr* found = t_.periodic_launches.find({namespace_, id});
  const LaunchPtr before = found != nullptr ? *found : nullptr;
  if (!launch) {
    if (!before) return;
    t_.periodic_launches.erase({namespace_, id});
    record(Table::periodic_launch, before, {});
    return;
  }
  auto stored = std::make_shared<model::PeriodicLaunch>();
  stored->namespace_ = namespace_;
  stored->id = id;
  stored->launch = *launch;
  stored->create_index = before ? before->create_index : index_;
  stored->modify_index = index_;
  LaunchPtr kept = std::move(stored);
  t_.periodic_launches.put(kept);
  record(Table::periodic_launch, before ? Object(before) : Object(), std::move(kept));
}

}  // namespace drover::state
