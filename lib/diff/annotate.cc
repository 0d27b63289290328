#include <algorithm>
#include <charconv>

#include "lib/diff/diff.h"
#include "lib/diff/fields.h"

namespace drover::diff {
namespace {

constexpr const char* forces_create = "forces create";
constexpr const char* forces_destroy = "forces destroy";
constexpr const char* forces_in_place = "forces in-place update";
constexpr const char* forces_destructive = "forces create/destroy update";

std::int64_t number(const std::string& text) {
  std::int64_t out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

void annotate_updates(model::TaskGroupDiff& group, const model::DesiredUpdates& planned) {
  group.updates.allocate();
  const auto count = [&](const char* name, std::uint64_t n) {
    if (n != 0) group.updates[name] = n;
  };
  count("ignore", planned.ignore);
  count("create", planned.place);
  count("migrate", planned.migrate);
  count("destroy", planned.stop);
  count("in-place update", planned.in_place_update);
  count("create/destroy update", planned.destructive_update);
  count("canary", planned.canary);
}

void annotate_count(model::TaskGroupDiff& group) {
  const auto count = std::ranges::find(group.fields, "Count", &FieldDiff::name);
  if (count == group.fields.end()) return;
  const std::int64_t before = number(count->old);
  const std::int64_t after = number(count->new_);
  if (before < after) count->annotations.emplace_back(forces_create);
  else if (after < before) count->annotations.emplace_back(forces_destroy);
}

// What the change of a task's lines means; that the scheduler may judge otherwise shows in the group's counts.
bool is_destructive(const model::TaskDiff& task) {
  const auto field = [](const FieldDiff& diff) { return diff.name != "KillTimeout"; };
  const auto object = [](const ObjectDiff& diff) { return diff.name != "Service" && diff.name != "Constraint" && diff.name != "Affinity"; };
  return std::ranges::any_of(task.fields, field) || std::ranges::any_of(task.objects, object);
}

void annotate_task(model::TaskDiff& task, const model::TaskGroupDiff& group) {
  if (task.type == type::none) return;
  const bool whole_group = group.type == type::added || group.type == type::deleted;
  if (whole_group && task.type == type::added) task.annotations.emplace_back(forces_create);
  else if (whole_group && task.type == type::deleted) task.annotations.emplace_back(forces_destroy);
  else task.annotations.emplace_back(is_destructive(task) ? forces_destructive : forces_in_place);
}

}  // namespace

void annotate(model::JobDiff& diff, const model::PlanAnnotations* annotations) {
  for (model::TaskGroupDiff& group : diff.task_groups) {
    if (annotations != nullptr) {
      if (const auto* planned = annotations->desired_tg_updates.get(group.name)) annotate_updates(group, *planned);
    }
    annotate_count(group);
    for (model::TaskDiff& task : group.tasks) annotate_task(task, group);
  }
}

}  // namespace drover::diff
