#include "server/scheduler/reconcile/tasks_updated.h"

#include <algorithm>

#include "server/scheduler/alloc_state.h"

namespace drover::scheduler {
namespace {

using model::TaskGroup;

// A changed number of a dynamic port is the scheduler's own doing.
model::List<model::NetworkResource> comparable(const model::List<model::NetworkResource>& networks) {
  auto out = networks;
  for (auto& network : out) {
    for (auto& port : network.dynamic_ports) port.value = 0;
    network.device.clear();
    network.cidr.clear();
    network.ip.clear();
    const auto by_label = [](const model::Port& a, const model::Port& b) { return a.label < b.label; };
    std::ranges::sort(network.dynamic_ports, by_label);
    std::ranges::sort(network.reserved_ports, by_label);
  }
  return out;
}

bool connect_updated(const model::List<model::Service>& a, const model::List<model::Service>& b) {
  // Only sidecars and gateways need new allocations; a Connect block that comes or goes does too.
  const auto connected = [](const model::List<model::Service>& services) {
    std::vector<const model::Service*> out;
    for (const auto& service : services) {
      if (service.connect) out.push_back(&service);
    }
    return out;
  };
  const auto left = connected(a);
  const auto right = connected(b);
  if (left.size() != right.size()) return true;
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (!(*left[i]->connect == *right[i]->connect) || left[i]->cluster != right[i]->cluster ||
        left[i]->port_label != right[i]->port_label) {
      return true;
    }
  }
  return false;
}

model::Map<std::string> merged_meta(const model::Job& job, const TaskGroup& group, const model::Task& task) {
  model::Map<std::string> out = task.meta;
  out.insert(group.meta.begin(), group.meta.end());
  out.insert(job.meta.begin(), job.meta.end());
  return out;
}

bool renders_on_restart(const TaskGroup& group) { return group.restart_policy && group.restart_policy->render_templates; }

template <class T>
bool same_or_default(const model::Box<T>& a, const model::Box<T>& b) {
  static const T zero{};
  return (a ? *a : zero) == (b ? *b : zero);
}

bool resources_updated(const model::Task& a, const model::Task& b) {
  static const model::Resources none;
  const auto& x = a.resources ? *a.resources : none;
  const auto& y = b.resources ? *b.resources : none;
  return x.cpu != y.cpu || x.cores != y.cores || x.memory_mb != y.memory_mb || x.memory_max_mb != y.memory_max_mb ||
         x.secrets_mb != y.secrets_mb || !(x.devices == y.devices) || !(x.numa == y.numa) || x.disk_mb != y.disk_mb ||
         !(comparable(x.networks) == comparable(y.networks));
}

bool task_updated(const model::Task& a, const model::Task& b) {
  return a.driver != b.driver || a.user != b.user || !(a.config == b.config) || !(a.env == b.env) || !(a.artifacts == b.artifacts) ||
         !(a.vault == b.vault) || !(a.secrets == b.secrets) || !same_or_default(a.consul, b.consul) || !(a.templates == b.templates) ||
         !(a.csi_plugin_config == b.csi_plugin_config) || !(a.volume_mounts == b.volume_mounts) || resources_updated(a, b) ||
         !(a.identity == b.identity) || !(a.identities == b.identities) ||
         (a.log_config && a.log_config->disabled) != (b.log_config && b.log_config->disabled);
}

}  // namespace

bool tasks_updated(const model::Job& after, const model::Job& before, std::string_view name) {
  const auto* a = find_group(&after, name);
  const auto* b = find_group(&before, name);
  if (a == nullptr || b == nullptr) return true;
  if (a->tasks.size() != b->tasks.size() || !(a->ephemeral_disk == b->ephemeral_disk)) return true;
  if (!(comparable(a->networks) == comparable(b->networks))) return true;
  if (after.consul_namespace != before.consul_namespace || !same_or_default(a->consul, b->consul)) return true;
  if (connect_updated(a->services, b->services) || !(a->volumes == b->volumes)) return true;
  if (renders_on_restart(*a) != renders_on_restart(*b)) return true;
  for (const auto& task : a->tasks) {
    const auto other = std::ranges::find(b->tasks, task.name, &model::Task::name);
    if (other == b->tasks.end() || task_updated(task, *other)) return true;
    if (!(merged_meta(after, *a, task) == merged_meta(before, *b, *other))) return true;
  }
  return false;
}

}  // namespace drover::scheduler
