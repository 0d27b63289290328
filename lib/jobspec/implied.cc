#include "lib/jobspec/implied.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace drover::jobspec {

namespace {

using Constraints = model::List<model::Constraint>;

// `exact`: only the very same constraint stands in the way, not another one on the attribute.
void add(Constraints& constraints, std::string left, std::string right, std::string operand, bool exact = false) {
  const model::Constraint wanted{std::move(left), std::move(right), std::move(operand)};
  const bool present = std::any_of(constraints.begin(), constraints.end(), [&](const model::Constraint& item) {
    return exact ? item == wanted : item.ltarget == wanted.ltarget;
  });
  if (!present) constraints.push_back(wanted);
}

void add_vault(model::TaskGroup& group) {
  for (const model::Task& task : group.tasks) {
    if (!task.vault) continue;
    if (task.vault->cluster == "default" || task.vault->cluster.empty()) add(group.constraints, "${attr.vault.version}", ">= 0.6.1", "semver");
    else add(group.constraints, fmt::format("${{attr.vault.{}.version}}", task.vault->cluster), ">= 1.11.0", "semver");
  }
}

void add_secrets(model::TaskGroup& group) {
  for (const model::Task& task : group.tasks) {
    for (const model::Secret& secret : task.secrets) add(group.constraints, fmt::format("${{attr.plugins.secrets.{}.version}}", secret.provider), "", "is_set");
  }
}

void add_identities(model::TaskGroup& group) {
  const bool wanted = std::any_of(group.tasks.begin(), group.tasks.end(), [](const model::Task& task) { return !task.identities.empty(); });
  if (wanted) add(group.constraints, "${attr.nomad.version}", ">= 1.7.0-a", "semver", true);
}

void add_consul_partitions(model::TaskGroup& group) {
  const auto name = [](const model::Consul& consul) {
    return consul.cluster.empty() || consul.cluster == "default" ? std::string("${attr.consul.partition}")
                                                                 : fmt::format("${{attr.consul.{}.partition}}", consul.cluster);
  };
  if (group.consul && !group.consul->partition.empty()) add(group.constraints, name(*group.consul), group.consul->partition, "=", true);
  for (model::Task& task : group.tasks) {
    if (task.consul && !task.consul->partition.empty()) add(task.constraints, name(*task.consul), task.consul->partition, "=", true);
  }
}

void add_numa(model::TaskGroup& group) {
  const bool wanted = std::any_of(group.tasks.begin(), group.tasks.end(), [](const model::Task& task) {
    return task.resources && task.resources->numa && task.resources->numa->affinity != "none" && !task.resources->numa->affinity.empty();
  });
  if (!wanted) return;
  add(group.constraints, "${attr.nomad.version}", ">= 1.6.3-dev", "semver", true);
  add(group.constraints, "${attr.kernel.name}", "linux", "=", true);
}

void add_signals(model::TaskGroup& group) {
  std::set<std::string> signals;
  const auto note = [&](const std::string& mode, const std::string& signal) {
    if (mode == "signal" && !signal.empty()) signals.insert(signal);
  };
  for (const model::Task& task : group.tasks) {
    if (task.vault) note(task.vault->change_mode, task.vault->change_signal);
    if (!task.kill_signal.empty()) signals.insert(task.kill_signal);
    for (const model::Template& item : task.templates) note(item.change_mode, item.change_signal);
    if (task.identity) note(task.identity->change_mode, task.identity->change_signal);
    for (const model::WorkloadIdentity& identity : task.identities) note(identity.change_mode, identity.change_signal);
  }
  if (signals.empty()) return;
  std::string list;
  for (const std::string& signal : signals) list += (list.empty() ? "" : ",") + signal;
  add(group.constraints, "${attr.os.signals}", list, "set_contains", true);
}

void add_services(model::TaskGroup& group) {
  bool native = false;
  bool checks = false;
  bool consul = false;
  const auto look = [&](const model::List<model::Service>& services) {
    bool here = false;
    for (const model::Service& service : services) {
      if (service.provider == "nomad") {
        native = true;
        checks = checks || !service.checks.empty();
      } else {
        consul = here = true;
      }
    }
    return here;
  };
  look(group.services);
  for (model::Task& task : group.tasks) {
    if (look(task.services)) add(task.constraints, "${attr.consul.version}", ">= 1.8.0", "semver");
  }
  if (native) add(group.constraints, "${attr.nomad.service_discovery}", "true", "=", true);
  if (checks) add(group.constraints, "${attr.nomad.version}", ">= 1.4.0", "semver", true);
  if (consul) add(group.constraints, "${attr.consul.version}", ">= 1.8.0", "semver");
}

void add_networks(model::TaskGroup& group) {
  const bool bridge = std::any_of(group.networks.begin(), group.networks.end(), [](const auto& network) { return network.mode == "bridge"; });
  if (bridge) {
    for (const char* plugin : {"bridge", "firewall", "host-local", "loopback", "portmap"}) {
      add(group.constraints, fmt::format("${{attr.plugins.cni.version.{}}}", plugin), ">= 0.4.0", "semver");
    }
  }
  const bool transparent = std::any_of(group.services.begin(), group.services.end(), [](const model::Service& service) {
    return service.connect && service.connect->sidecar_service && service.connect->sidecar_service->proxy &&
           service.connect->sidecar_service->proxy->transparent_proxy;
  });
  if (!transparent) return;
  add(group.constraints, "${attr.plugins.cni.version.consul-cni}", ">= 1.4.2", "semver");
  add(group.constraints, "${attr.nomad.version}", ">= 1.8.0-dev", "semver");
}

void add_schedules(model::TaskGroup& group) {
  const bool scheduled = std::any_of(group.tasks.begin(), group.tasks.end(), [](const model::Task& task) { return static_cast<bool>(task.schedule); });
  if (scheduled) add(group.constraints, "${attr.nomad.version}", ">= 1.8.0-dev", "semver");
}

}  // namespace

void add_implied_constraints(model::Job& job) {
  for (model::TaskGroup& group : job.task_groups) {
    add_vault(group);
    add_secrets(group);
    add_identities(group);
    add_consul_partitions(group);
    add_numa(group);
    add_signals(group);
    add_services(group);
    add_networks(group);
    add_schedules(group);
  }
}

}  // namespace drover::jobspec
