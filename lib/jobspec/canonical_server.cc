// Canonicalisation B: what the server makes of a job before it is stored.
#include <fmt/format.h>

#include "lib/jobspec/canonical.h"
#include "sdk/base/text.h"

namespace drover::jobspec {

namespace {

// An allocated but empty list or map is null in the store.
template <class T>
void drop_empty(T& container) {
  if (container.empty()) container.set_nil();
}

constexpr const char* default_audience = "nomadproject.io";

std::string upper(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

void canonicalize_networks(model::List<model::NetworkResource>& networks) {
  drop_empty(networks);
  for (model::NetworkResource& network : networks) {
    drop_empty(network.reserved_ports);
    drop_empty(network.dynamic_ports);
    for (auto* ports : {&network.reserved_ports, &network.dynamic_ports}) {
      for (model::Port& port : *ports) {
        if (port.host_network.empty()) port.host_network = "default";
      }
    }
  }
}

void canonicalize_check(model::ServiceCheck& check, const model::Service& service) {
  drop_empty(check.args);
  drop_empty(check.header);
  for (auto& [name, values] : check.header) drop_empty(values);
  if (check.name.empty()) check.name = fmt::format("service: \"{}\" check", service.name);
  if (check.on_update.empty()) check.on_update = service.on_update;
}

struct Names {
  const std::string& job;
  const std::string& group;
  std::string task;  // "group" for a group's service, as the reference has it
  [[nodiscard]] std::string base() const { return fmt::format("{}-{}-{}", job, group, task); }
};

void canonicalize_service(model::Service& service, const Names& names, const std::string& job_namespace) {
  drop_empty(service.tags);
  drop_empty(service.canary_tags);
  drop_empty(service.meta);
  drop_empty(service.canary_meta);
  drop_empty(service.tagged_addresses);
  drop_empty(service.checks);
  if (service.address_mode.empty()) service.address_mode = "auto";
  if (service.on_update.empty()) service.on_update = "require_healthy";
  if (service.provider.empty()) service.provider = "consul";
  if (service.cluster.empty()) service.cluster = "default";
  for (const auto& [name, value] : {std::pair<std::string, std::string>{"JOB", names.job}, {"TASKGROUP", names.group}, {"TASK", names.task}, {"BASE", names.base()}}) {
    service.name = replace_all(service.name, "${" + name + "}", value);
  }
  if (service.provider == "nomad") service.namespace_ = job_namespace;
  else if (service.namespace_.empty()) service.namespace_ = "default";
  for (model::ServiceCheck& check : service.checks) canonicalize_check(check, service);
  if (service.identity && service.identity->name.empty()) service.identity->name = fmt::format("consul-service_{}", service.name);
}

void canonicalize_identity(model::WorkloadIdentity& identity) {
  if (identity.name.empty()) identity.name = "default";
  // The default identity's audience is not the job's to choose.
  if (identity.name == "default") identity.audience = {default_audience};
  identity.change_signal = upper(identity.change_signal);
  drop_empty(identity.extra_claims);
}

void canonicalize_resources(model::Resources& resources) {
  canonicalize_networks(resources.networks);
  drop_empty(resources.devices);
  for (model::RequestedDevice& device : resources.devices) {
    drop_empty(device.constraints);
    drop_empty(device.affinities);
  }
  if (resources.numa) {
    if (resources.numa->affinity.empty()) resources.numa->affinity = "none";
    drop_empty(resources.numa->devices);
  }
}

void canonicalize_task(model::Task& task, const model::TaskGroup& group, const model::Job& job) {
  drop_empty(task.meta);
  drop_empty(task.env);
  drop_empty(task.services);
  drop_empty(task.constraints);
  drop_empty(task.affinities);
  drop_empty(task.templates);
  drop_empty(task.artifacts);
  drop_empty(task.volume_mounts);
  drop_empty(task.scaling_policies);
  drop_empty(task.actions);
  drop_empty(task.secrets);
  drop_empty(task.identities);
  task.kill_signal = upper(task.kill_signal);
  if (!task.restart_policy) task.restart_policy = group.restart_policy;
  canonicalize_resources(task.resources.ensure());
  for (model::Service& service : task.services) canonicalize_service(service, {job.name, group.name, task.name}, job.namespace_);
  for (model::Template& item : task.templates) {
    item.change_signal = upper(item.change_signal);
    if (item.change_script) drop_empty(item.change_script->args);
  }
  for (model::TaskArtifact& artifact : task.artifacts) {
    drop_empty(artifact.getter_options);
    drop_empty(artifact.getter_headers);
  }
  for (model::Action& action : task.actions) drop_empty(action.args);
  for (model::Secret& secret : task.secrets) drop_empty(secret.env);
  if (task.vault) {
    task.vault->change_signal = upper(task.vault->change_signal);
    if (task.vault->change_mode.empty()) task.vault->change_mode = "restart";
    if (task.vault->cluster.empty()) task.vault->cluster = "default";
  }
  if (task.consul && task.consul->cluster.empty()) task.consul->cluster = "default";
  canonicalize_identity(task.identity.ensure());
  for (model::WorkloadIdentity& identity : task.identities) canonicalize_identity(identity);
}

void canonicalize_scaling(model::TaskGroup& group, const model::Job& job) {
  if (!group.scaling) return;
  group.scaling->target = {{"Namespace", job.namespace_}, {"Job", job.id}, {"Group", group.name}};
  for (model::Task& task : group.tasks) {
    for (model::ScalingPolicy& policy : task.scaling_policies) {
      policy.target = {{"Namespace", job.namespace_}, {"Job", job.id}, {"Group", group.name}, {"Task", task.name}};
    }
  }
}

void canonicalize_group(model::TaskGroup& group, const model::Job& job) {
  drop_empty(group.meta);
  drop_empty(group.constraints);
  drop_empty(group.affinities);
  drop_empty(group.spreads);
  drop_empty(group.services);
  drop_empty(group.volumes);
  canonicalize_networks(group.networks);
  if (!group.ephemeral_disk) group.ephemeral_disk = model::EphemeralDisk{false, 300, false};
  for (model::Spread& spread : group.spreads) drop_empty(spread.spread_target);
  for (model::Service& service : group.services) canonicalize_service(service, {job.name, group.name, "group"}, job.namespace_);
  canonicalize_scaling(group, job);
  for (model::Task& task : group.tasks) canonicalize_task(task, group, job);
}

}  // namespace

void canonicalize_server(model::Job& job) {
  drop_empty(job.meta);
  drop_empty(job.constraints);
  drop_empty(job.affinities);
  drop_empty(job.spreads);
  if (job.namespace_.empty()) job.namespace_ = "default";
  // A namespace's own default pool must have been filled in before.
  if (job.node_pool.empty()) job.node_pool = "default";
  if (job.datacenters.empty()) job.datacenters = {"*"};
  for (model::Spread& spread : job.spreads) drop_empty(spread.spread_target);
  for (model::TaskGroup& group : job.task_groups) canonicalize_group(group, job);
  if (job.parameterized_job) {
    if (job.parameterized_job->payload.empty()) job.parameterized_job->payload = "optional";
    drop_empty(job.parameterized_job->meta_required);
    drop_empty(job.parameterized_job->meta_optional);
  }
  if (job.periodic) drop_empty(job.periodic->specs);
  if (job.ui) drop_empty(job.ui->links);
}

}  // namespace drover::jobspec
