#include <algorithm>

#include "lib/jobspec/problems.h"

namespace drover::jobspec {

namespace {

Problems task_warnings(const model::Task& task) {
  Problems out;
  if (task.resources) {
    if (task.resources->iops != 0) out.add("IOPS has been deprecated as of Nomad 0.9.0. Please remove IOPS from resource block.");
    if (!task.resources->networks.empty()) out.add("task network resources have been deprecated as of Nomad 0.12.0. Please configure networking via group network block.");
  }
  for (std::size_t i = 0; i < task.templates.size(); i++) {
    if (task.templates[i].vault_grace.count() == 0) continue;
    Problems found;
    found.add("VaultGrace has been deprecated as of Nomad 0.11 and ignored since Vault 0.5. Please remove VaultGrace / vault_grace from template block.");
    out.add("Template[{}]: {}", i, found.text());
  }
  for (const model::WorkloadIdentity& identity : task.identities) {
    Problems found;
    if (identity.audience.empty()) found.add("identities without an audience are insecure");
    if (identity.audience.size() > 1) found.add("while multiple audiences is allowed, it is more secure to use 1 audience per identity");
    if (identity.ttl.count() == 0) found.add("identities without an expiration are insecure");
    if (identity.env && identity.change_mode != "restart" && identity.ttl.count() > 0) {
      found.add("using env={} without change_mode=\"restart\" may result in task not getting updated identity", identity.env);
    }
    Problems named;
    for (const std::string& text : found.list()) named.add("Identity[{}] {}", identity.name, text);
    out.nest(named);
  }
  return out;
}

Problems group_warnings(const model::TaskGroup& group, const model::Job& job) {
  Problems out;
  if (group.update && (job.type == "service") && group.update->max_parallel > group.count && group.count > 1) {
    out.add("Update max parallel count is greater than task group count ({} > {}). A destructive change would result in the simultaneous replacement of all allocations.", group.update->max_parallel, group.count);
  }
  if (group.max_client_disconnect) out.add("MaxClientDisconnect is deprecated and ignored in favor of Disconnect.LostAfter");
  if (group.stop_after_client_disconnect) out.add("StopAfterClientDisconnect is deprecated and ignored favor of Disconnect.StopOnClientAfter");
  if (group.prevent_reschedule_on_lost) out.add("PreventRescheduleOnLost is deprecated and ignored in favor of Disconnect.Replace");
  const bool mbits = std::any_of(group.networks.begin(), group.networks.end(), [](const auto& network) { return network.m_bits > 0; });
  if (mbits) out.add("mbits has been deprecated as of Nomad 0.12.0. Please remove mbits from the network block");
  for (const model::Task& task : group.tasks) {
    if (const Problems found = task_warnings(task); !found.empty()) out.add("Task {} has warnings: {}", quote(task.name), found.text());
  }
  return out;
}

// A service that is deregistered while its task stops at once loses requests.
void shutdown_delay_warning(const model::TaskGroup& group, std::vector<std::string>& out) {
  if (group.services.empty() || group.shutdown_delay) return;
  const bool delayed = std::any_of(group.tasks.begin(), group.tasks.end(), [](const auto& task) { return task.shutdown_delay.count() > 0; });
  const model::Service* native = nullptr;
  for (const model::Service& service : group.services) {
    if (!service.task_name.empty() || (service.connect && service.connect->native)) native = &service;
  }
  if (native != nullptr) {
    std::string name = native->task_name;
    if (name.empty() && group.tasks.size() == 1) name = group.tasks[0].name;
    for (const model::Task& task : group.tasks) {
      if (task.name == name && task.shutdown_delay.count() == 0) {
        out.push_back(fmt::format("group {} references task {} in a service definition, but the task has no shutdown_delay set", quote(group.name), quote(name)));
      }
    }
    return;
  }
  if (!delayed) out.push_back(fmt::format("group {} defines services, but neither the group nor any of its tasks have shutdown_delay set", quote(group.name)));
}

void vault_identity_warnings(const model::TaskGroup& group, std::vector<std::string>& out) {
  for (const model::Task& task : group.tasks) {
    if (task.vault) continue;
    for (const model::WorkloadIdentity& identity : task.identities) {
      if (identity.name.starts_with("vault_")) out.push_back(fmt::format("Task {} has an identity called {} but no vault block", task.name, identity.name));
    }
  }
}

}  // namespace

std::vector<std::string> warnings_of(const model::Job& job, const ValidateOptions& options) {
  std::vector<std::string> out;
  bool some_promote = false;
  bool all_promote = true;
  for (const model::TaskGroup& group : job.task_groups) {
    shutdown_delay_warning(group, out);
    vault_identity_warnings(group, out);
    if (group.update) {
      some_promote = some_promote || group.update->auto_promote;
      // Having no canaries implies auto-promotion, since there is nothing to promote.
      all_promote = all_promote && (group.update->canary == 0 || group.update->auto_promote);
    }
    if (!options.memory_oversubscription) {
      for (const model::Task& task : group.tasks) {
        if (task.resources && task.resources->memory_max_mb != 0) {
          out.push_back(fmt::format("Memory oversubscription is not enabled; Task \"{}.{}\" memory_max value will be ignored. Update the Scheduler Configuration to allow oversubscription.", group.name, task.name));
        }
      }
    }
  }
  if (job.periodic && !job.periodic->spec.empty()) out.push_back("cron is deprecated and may be removed in a future release. Use crons instead");
  if (some_promote && !all_promote) out.push_back("auto_promote must be true for all groups to enable automatic promotion");
  for (const model::TaskGroup& group : job.task_groups) {
    const Problems found = group_warnings(group, job);
    if (!found.empty()) out.push_back(fmt::format("Group {} has warnings: {}", quote(group.name), found.text()));
  }
  return out;
}

}  // namespace drover::jobspec
