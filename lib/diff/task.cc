// Tasks and what is nested in them.
#include "lib/diff/rules_declared.h"

namespace drover::diff {

using model::Task;

template <>
struct Rules<model::ChangeScript> : PlainRules {
  static void nested(Nested<model::ChangeScript>& n) { n.texts("Args", &model::ChangeScript::args); }
};
template <>
struct Rules<model::WaitConfig> : PlainRules {
  static constexpr bool pointers = true;
};
template <>
struct Rules<model::Template> : PlainRules {
  static constexpr bool pointers = true;  // Uid and Gid
  static void nested(Nested<model::Template>& n) {
    // The wait block bears its template's name; a recorded oddity.
    n.object("Template", &model::Template::wait);
    n.object("ChangeScript", &model::Template::change_script);
  }
};
template <>
struct Rules<model::Action> : PlainRules {
  static void nested(Nested<model::Action>& n) { n.texts("Args", &model::Action::args); }
};
template <>
struct Rules<model::Secret> : PlainRules {
  static void nested(Nested<model::Secret>& n) { n.json("Config", &model::Secret::config); }
};

void Rules<model::WorkloadIdentity>::nested(Nested<model::WorkloadIdentity>& n) {
  n.texts("Audience", &model::WorkloadIdentity::audience);
  n.texts("ExtraClaims", &model::WorkloadIdentity::extra_claims);
}

namespace {

constexpr Names task_skip{"Name"};

// Lifecycle, restart, schedule, CSI plugin and scaling blocks are not shown: a task that differs in them alone is edited without a line.
void nested_of_task(Nested<Task>& n) {
  const auto by_name = [](const auto& a, const auto& b) { return a.name == b.name; };
  n.set("Constraint", &Task::constraints);
  n.set("Affinity", &Task::affinities);
  n.json("Config", &Task::config);
  n.object("Resources", &Task::resources);
  n.fields("LogConfig", &Task::log_config);
  n.fields("DispatchPayload", &Task::dispatch_payload);
  n.keyed("Artifact", &Task::artifacts, [](const auto& a, const auto& b) { return a.relative_dest.empty() ? a == b : a.relative_dest == b.relative_dest; });
  List<ObjectDiff> services;
  service_diffs(n.before().services, n.after().services, n.contextual(), services);
  for (ObjectDiff& service : services) n.add(std::move(service));
  n.object("Vault", &Task::vault);
  n.fields("Consul", &Task::consul);
  n.keyed("Template", &Task::templates, [&](const auto& a, const auto& b) {
    const bool only_one = n.before().templates.size() == 1 && n.after().templates.size() == 1;
    return only_one || a.dest_path == b.dest_path;
  });
  n.object("Identity", &Task::identity);
  n.keyed("Identity", &Task::identities, by_name);
  n.keyed("Action", &Task::actions, by_name);
  n.set("VolumeMount", &Task::volume_mounts);
  n.keyed("Secret", &Task::secrets, by_name);
}

model::TaskDiff task_diff(const Task* before, const Task* after, bool contextual) {
  model::TaskDiff out;
  const Task missing{};
  out.type = before == nullptr ? type::added : after == nullptr ? type::deleted : *before == *after ? type::none : type::edited;
  out.name = after == nullptr ? before->name : after->name;
  const auto flat = [](const Task* task) { return task == nullptr ? Flat{} : flatten(*task, task_skip); };
  out.fields = field_diffs(flat(before), flat(after), false);
  Nested<Task> nested(before == nullptr ? missing : *before, after == nullptr ? missing : *after, contextual, out.objects);
  nested_of_task(nested);
  return out;
}

}  // namespace

List<model::TaskDiff> task_diffs(const List<Task>& before, const List<Task>& after, bool contextual) {
  const auto find = [](const List<Task>& tasks, const std::string& name) {
    const auto at = std::ranges::find(tasks, name, &Task::name);
    return at == tasks.end() ? nullptr : &*at;
  };
  List<model::TaskDiff> out;
  for (const Task& task : before) out.push_back(task_diff(&task, find(after, task.name), contextual));
  for (const Task& task : after) {
    if (find(before, task.name) == nullptr) out.push_back(task_diff(nullptr, &task, contextual));
  }
  std::ranges::sort(out, {}, &model::TaskDiff::name);
  return out;
}

}  // namespace drover::diff
