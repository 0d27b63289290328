#include "cli/lookup.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/alloc_table.h"
#include "cli/deployment_view.h"
#include "sdk/base/clock.h"

namespace drover::cli {

std::optional<std::string> id_prefix(Context& context, const std::string& typed) {
  if (typed.size() < 2) {
    context.ui.error("Identifier must contain at least two characters.");
    return std::nullopt;
  }
  std::string out = typed;
  const auto digits = std::count_if(out.begin(), out.end(), [](char c) { return c != '-'; });
  if (digits % 2 != 0) out.pop_back();
  return out;
}

std::optional<JobName> find_job(Context& context, const std::string& prefix, int& code, std::string_view kind,
                                bool (*counts)(const model::JobListStub&)) {
  code = 1;
  auto jobs = context.api().read<model::List<model::JobListStub>>("/v1/jobs", {{"prefix", prefix}, {"per_page", "20"}});
  if (!jobs) {
    if (jobs.error().message().find("Permission denied") != std::string::npos) return JobName{prefix, context.options.namespace_};
    context.ui.error(fmt::format("Error querying job prefix \"{}\": {}", prefix, jobs.error().message()));
    return std::nullopt;
  }
  if (counts != nullptr) std::erase_if(*jobs, [&](const model::JobListStub& job) { return !counts(job); });
  if (jobs->empty()) {
    context.ui.error(fmt::format("No {}(s) with prefix or ID \"{}\" found", kind, prefix));
    return std::nullopt;
  }
  std::vector<const model::JobListStub*> exact;
  for (const auto& job : *jobs) {
    if (job.id == prefix) exact.push_back(&job);
  }
  if (exact.size() == 1) return JobName{exact[0]->id, exact[0]->namespace_};
  if (jobs->size() == 1) return JobName{(*jobs)[0].id, (*jobs)[0].namespace_};
  std::vector<std::vector<std::string>> rows{{"ID", "Namespace", "Type", "Priority", "Status", "Submit Date"}};
  for (const auto& job : *jobs) {
    rows.push_back({job.id, job.namespace_, job.type, std::to_string(job.priority), job.status, format_time(job.submit_time)});
  }
  context.ui.error(fmt::format("Prefix \"{}\" matched multiple jobs\n\n{}", prefix, format_table(rows)));
  return std::nullopt;
}

std::optional<model::Allocation> find_alloc(Context& context, const std::string& typed, bool verbose, int& code) {
  code = 1;
  const auto prefix = id_prefix(context, typed);
  if (!prefix) return std::nullopt;
  auto allocs = context.api().read<model::List<model::AllocListStub>>("/v1/allocations", {{"prefix", *prefix}, {"namespace", context.options.namespace_.empty() ? "*" : context.options.namespace_}});
  if (!allocs) {
    context.ui.error(fmt::format("Error querying allocation: {}", allocs.error().message()));
    return std::nullopt;
  }
  if (allocs->empty()) {
    context.ui.error(fmt::format("No allocation(s) with prefix or id \"{}\" found", typed));
    return std::nullopt;
  }
  if (allocs->size() > 1) {
    context.ui.out(fmt::format("Prefix matched multiple allocations\n\n{}", alloc_table(*allocs, verbose, system_clock().unix_nanos())));
    code = 0;
    return std::nullopt;
  }
  auto alloc = context.api().read<model::Allocation>("/v1/allocation/" + (*allocs)[0].id, {{"namespace", (*allocs)[0].namespace_}});
  if (!alloc) {
    context.ui.error(fmt::format("Error querying allocation: {}", alloc.error().message()));
    return std::nullopt;
  }
  return std::move(*alloc);
}

std::optional<model::Node> find_node(Context& context, const std::string& typed, bool verbose, int& code, std::string_view step) {
  code = 1;
  const auto prefix = id_prefix(context, typed);
  if (!prefix) return std::nullopt;
  auto nodes = context.api().read<model::List<model::NodeListStub>>("/v1/nodes", {{"prefix", *prefix}});
  if (!nodes) {
    context.ui.error(fmt::format("Error {}: {}", step, nodes.error().message()));
    return std::nullopt;
  }
  if (nodes->empty()) {
    context.ui.error(fmt::format("No node(s) with prefix \"{}\" found", typed));
    return std::nullopt;
  }
  if (nodes->size() > 1) {
    std::vector<std::vector<std::string>> rows{{"ID", "Node Pool", "DC", "Name", "Class", "Drain", "Eligibility", "Status"}};
    for (const auto& node : *nodes) {
      rows.push_back({short_id(node.id, verbose), node.node_pool, node.datacenter, node.name, node.node_class,
                      node.drain ? "true" : "false", node.scheduling_eligibility, node.status});
    }
    context.ui.error(fmt::format("Prefix matched multiple nodes\n\n{}", format_table(rows)));
    return std::nullopt;
  }
  auto node = context.api().read<model::Node>("/v1/node/" + (*nodes)[0].id);
  if (!node) {
    context.ui.error(fmt::format("Error {}: {}", step, node.error().message()));
    return std::nullopt;
  }
  return std::move(*node);
}

std::optional<model::Evaluation> find_eval(Context& context, const std::string& typed, bool verbose, int& code) {
  code = 1;
  const auto prefix = id_prefix(context, typed);
  if (!prefix) return std::nullopt;
  auto evals = context.api().read<model::List<model::Evaluation>>("/v1/evaluations", {{"prefix", *prefix}});
  if (!evals) {
    context.ui.error(fmt::format("Error querying evaluation: {}", evals.error().message()));
    return std::nullopt;
  }
  if (evals->empty()) {
    context.ui.error(fmt::format("No evaluation(s) with prefix or id \"{}\" found", typed));
    return std::nullopt;
  }
  if (evals->size() > 1) {
    std::vector<std::vector<std::string>> rows{{"ID", "Priority", "Type", "Triggered By", "Status"}};
    for (const auto& eval : *evals) {
      rows.push_back({short_id(eval.id, verbose), std::to_string(eval.priority), eval.type, eval.triggered_by, eval.status});
    }
    context.ui.out(fmt::format("Prefix matched multiple evaluations\n\n{}", format_table(rows)));
    return std::nullopt;
  }
  auto eval = context.api().read<model::Evaluation>("/v1/evaluation/" + (*evals)[0].id, {{"related", "true"}});
  if (!eval) {
    context.ui.error(fmt::format("Error querying evaluation: {}", eval.error().message()));
    return std::nullopt;
  }
  return std::move(*eval);
}

std::optional<model::Deployment> find_deployment(Context& context, const std::string& typed, bool verbose, int& code) {
  code = 1;
  std::string prefix = typed;
  if (std::count_if(prefix.begin(), prefix.end(), [](char c) { return c != '-'; }) % 2 != 0) prefix.pop_back();
  auto found = context.api().read<model::List<model::Deployment>>("/v1/deployments", {{"prefix", prefix}});
  if (!found) {
    context.ui.error(fmt::format("Error retrieving deployment: {}", found.error().message()));
    return std::nullopt;
  }
  if (found->empty()) {
    context.ui.error(fmt::format("Error retrieving deployment: Deployment ID \"{}\" matched no deployments", typed));
    return std::nullopt;
  }
  if (found->size() > 1) {
    context.ui.error(fmt::format("Prefix matched multiple deployments\n\n{}", deployment_table(*found, verbose)));
    return std::nullopt;
  }
  return std::move((*found)[0]);
}

std::optional<model::Allocation> alloc_of_job(Context& context, const std::string& job, const std::string& group, int& code) {
  const auto name = find_job(context, job, code);
  if (!name) return std::nullopt;
  code = 1;
  auto allocs = context.api().read<model::List<model::AllocListStub>>(fmt::format("/v1/job/{}/allocations", escape(name->id)), {{"namespace", name->namespace_}});
  if (!allocs) {
    context.ui.error(fmt::format("Error fetching allocations: {}", allocs.error().message()));
    return std::nullopt;
  }
  const model::AllocListStub* chosen = nullptr;
  for (const auto& alloc : *allocs) {
    if (!group.empty() && alloc.task_group != group) continue;
    if (chosen == nullptr || (alloc.client_status == "running" && chosen->client_status != "running")) chosen = &alloc;
  }
  if (chosen == nullptr) {
    context.ui.error(fmt::format("Error fetching allocations: No allocations for job \"{}\"{} exist", name->id,
                                 group.empty() ? "" : fmt::format(" and group \"{}\"", group)));
    return std::nullopt;
  }
  return find_alloc(context, chosen->id, false, code);
}

Result<std::string> own_node(Context& context) {
  auto answer = context.api().get("/v1/agent/self");
  if (!answer) return fail(answer.error());
  const auto self = nlohmann::json::parse(answer->body, nullptr, false);
  const auto id = self.is_object() ? self.value("/stats/client/node_id"_json_pointer, std::string()) : std::string();
  if (id.empty()) return fail(Code::not_found, "the agent does not run as a client");
  return id;
}

bool has_task(Context& context, const model::Allocation& alloc, const std::string& task) {
  std::string names;
  if (alloc.job) {
    for (const auto& group : alloc.job->task_groups) {
      if (group.name != alloc.task_group) continue;
      for (const auto& one : group.tasks) {
        if (one.name == task) return true;
        names += "\n" + one.name;
      }
    }
  }
  context.ui.error(fmt::format("Could not find task named: {}, found:{}", task, names));
  return false;
}

std::optional<std::string> pick_task(Context& context, const model::Allocation& alloc, const std::string& wanted, int& code) {
  code = 1;
  if (!wanted.empty()) return wanted;
  if (alloc.job) {
    for (const auto& group : alloc.job->task_groups) {
      if (group.name == alloc.task_group && group.tasks.size() == 1) return group.tasks[0].name;
      if (group.name == alloc.task_group) {
        std::string names;
        for (const auto& task : group.tasks) names += fmt::format("\n  * {}", task.name);
        context.ui.error(fmt::format("Allocation \"{}\" is running the following tasks:{}\n\nPlease specify the task.", short_id(alloc.id, false), names));
        return std::nullopt;
      }
    }
  }
  context.ui.error("Failed to validate task: could not determine task");
  return std::nullopt;
}

}  // namespace drover::cli
