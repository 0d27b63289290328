#include <algorithm>
#include <map>
#include <set>

#include "lib/jobspec/problems.h"

namespace drover::jobspec {

namespace {

bool is_system(const std::string& type) { return type == "system" || type == "sysbatch"; }

void check_policies(const model::TaskGroup& group, const model::Job& job, Problems& out) {
  if (group.restart_policy) out.append(check_restart(*group.restart_policy));
  else out.add("Task Group {} should have a restart policy", group.name);
  if (is_system(job.type)) {
    if (group.reschedule_policy) out.add("System or sysbatch jobs should not have a reschedule policy");
  } else if (group.reschedule_policy) {
    out.append(check_reschedule(*group.reschedule_policy));
  } else if (job.type == "service" || job.type == "batch") {
    out.add("Task Group {} should have a reschedule policy", group.name);
  }
  if (!group.ephemeral_disk) out.add("Task Group {} should have an ephemeral disk object", group.name);
  else if (group.ephemeral_disk->size_mb < 10) out.add("minimum DiskMB value is 10; got {}", group.ephemeral_disk->size_mb);
  if (group.update) {
    if (job.type != "service" && job.type != "system") out.add("Job type {} does not allow update block", quote(job.type));
    out.append(check_update(*group.update));
  }
  if (group.migrate) {
    if (job.type != "service") out.add("Job type {} does not allow migrate block", quote(job.type));
    else out.append(check_migrate(*group.migrate));
  }
}

void check_task_names(const model::TaskGroup& group, Problems& out) {
  std::map<std::string, std::size_t> seen;
  int leaders = 0;
  bool has_main = false;
  for (std::size_t i = 0; i < group.tasks.size(); i++) {
    const model::Task& task = group.tasks[i];
    if (task.name.empty()) {
      out.add("Task {} missing name", i + 1);
    } else if (const auto earlier = seen.find(task.name); earlier != seen.end()) {
      out.add("Task {} redefines '{}' from task {}", i + 1, task.name, earlier->second + 1);
    } else {
      seen[task.name] = i;
    }
    if (task.leader) leaders++;
    has_main = has_main || !task.lifecycle;
  }
  if (leaders > 1) out.add("Only one task may be marked as leader");
  if (!group.tasks.empty() && !has_main) out.add("Task group {} must have at least one main task", group.name);
}

}  // namespace

Problems check_group(const model::TaskGroup& group, const model::Job& job) {
  Problems out;
  if (group.name.empty()) out.add("Missing task group name");
  else if (group.name.find('\0') != std::string::npos) out.add("Task group name contains null character");
  if (group.count < 0) out.add("Task group count can't be negative");
  if (group.tasks.empty()) out.add("Missing tasks for task group");
  if (group.max_run_duration) {
    if (group.max_run_duration->count() <= 0) out.add("MaxRunDuration must be greater than zero");
    if (job.type != "batch" && job.type != "sysbatch") out.add("Job type {} does not allow max_run_duration", quote(job.type));
  }
  if (group.disconnect) out.append(check_disconnect(*group.disconnect, job.type));
  check_placement(out, group.constraints, group.affinities, &group.spreads, job.type);
  check_policies(group, job, out);
  check_task_names(group, out);
  for (const auto& [name, volume] : group.volumes) {
    if (const Problems found = check_volume(volume, job.type, group); !found.empty()) out.add("Task group volume validation for {} failed: {}", name, found.text());
  }
  if (const Problems found = check_networks(group); !found.empty()) out.add("Task group network validation failed: {}", found.text());
  if (const Problems found = check_group_services(group); !found.empty()) out.add("Task group service validation failed: {}", found.text());
  if (const Problems found = check_group_script_checks(group); !found.empty()) out.add("Task group service check validation failed: {}", found.text());
  if (group.scaling) {
    if (const Problems found = check_scaling(*group.scaling, group.count); !found.empty()) {
      out.add("Task group scaling policy validation failed: {}", found.text());
    }
  }
  for (const model::Task& task : group.tasks) {
    if (const Problems found = check_task(task, group, job); !found.empty()) out.add("Task {} validation failed: {}", task.name, found.text());
  }
  return out;
}

namespace {

constexpr std::int64_t max_port = 65535;

// What fits into a DNS message; any character may be in a label.
bool domain_name(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.size() > 255) return false;
  const auto labels = split(name, '.');
  return std::all_of(labels.begin(), labels.end(), [](std::string_view label) { return !label.empty() && label.size() < 64; });
}

// Ports of one network; labels, static ports and CNI arguments are unique in the whole group.
class Ports {
 public:
  explicit Ports(Problems& out) : out_(out) {}

  void check(const model::NetworkResource& network, const std::string& owner) {
    for (const auto* ports : {&network.reserved_ports, &network.dynamic_ports}) {
      for (const model::Port& port : *ports) check_port(port, network, owner);
    }
    if (network.cni) {
      for (const auto& [key, value] : network.cni->args) {
        if (!arguments_.insert(key).second) out_.add("duplicate CNI arg {}", quote(key));
        if (key.find(';') != std::string::npos) out_.add("invalid ';' character in CNI arg key {}", quote(key));
        if (value.find(';') != std::string::npos) out_.add("invalid ';' character in CNI arg value {}", quote(value));
      }
    }
    const bool fixed = network.hostname.find("${") == std::string::npos;
    if (fixed && !network.hostname.empty() && !domain_name(network.hostname)) out_.add("Hostname is not a valid DNS name");
  }

 private:
  void check_port(const model::Port& port, const model::NetworkResource& network, const std::string& owner) {
    if (const auto earlier = labels_.find(port.label); earlier != labels_.end()) out_.add("Port label {} already in use by {}", port.label, earlier->second);
    else labels_[port.label] = owner;
    if (port.value != 0) {
      const auto key = std::pair(port.host_network, port.value);
      const auto earlier = static_.find(key);
      if (earlier != static_.end() && !port.ignore_collision) out_.add("Static port {} already reserved by {}", port.value, earlier->second);
      else if (port.value > max_port) out_.add("Port {} ({}) cannot be greater than {}", port.label, port.value, max_port);
      else static_[key] = fmt::format("{}:{}", owner, port.label);
    }
    if (port.to < -1) out_.add("Port {} cannot be mapped to negative value {}", quote(port.label), port.to);
    else if (port.to > max_port) out_.add("Port {} cannot be mapped to a port ({}) greater than {}", quote(port.label), port.to, max_port);
    if (port.ignore_collision && !network.mode.empty() && network.mode != "host") {
      out_.add("Port {} collision may not be ignored on non-host network mode {}", quote(port.label), quote(network.mode));
    }
  }

  Problems& out_;
  std::map<std::string, std::string> labels_;
  std::map<std::pair<std::string, std::int64_t>, std::string> static_;
  std::set<std::string> arguments_;  // of CNI plugins
};

}  // namespace

Problems check_networks(const model::TaskGroup& group) {
  Problems out;
  Ports ports(out);
  for (const model::NetworkResource& network : group.networks) ports.check(network, "taskgroup network");
  for (const model::Task& task : group.tasks) {
    if (!task.resources) continue;
    for (const model::NetworkResource& network : task.resources->networks) ports.check(network, task.name);
  }
  return out;
}

Problems check_volume(const model::VolumeRequest& volume, const std::string& job_type, const model::TaskGroup& group) {
  Problems out;
  const bool csi = volume.type == "csi";
  if (!csi && volume.type != "host") out.add("volume has unrecognized type {}", volume.type);
  if (volume.source.empty()) out.add("volume has an empty source");
  if (volume.per_alloc) {
    if (job_type == "system" || job_type == "sysbatch") out.add("volume cannot be per_alloc for system or sysbatch jobs");
    if (group.update && group.update->canary > 0) out.add("volume cannot be per_alloc when canaries are in use");
    if (volume.sticky) out.add("volume cannot be per_alloc and sticky at the same time");
  }
  const std::string& access = volume.access_mode;
  const bool reader_only = access.ends_with("reader-only");
  if (volume.type == "host") {
    if (volume.mount_options) out.add("host volumes cannot have mount options");
    if (reader_only && !volume.read_only) out.add("{} volumes must be read-only", access);
    const bool known = access.empty() || access == "single-node-reader-only" || access == "single-node-writer" || access == "single-node-single-writer" ||
                       access == "single-node-multi-writer";
    if (!known) out.add("host volumes cannot be mounted with {} access mode", access);
    return out;
  }
  if (!csi) return out;
  if (volume.attachment_mode.empty()) out.add("CSI volumes must have an attachment mode");
  if (volume.attachment_mode == "block-device" && volume.mount_options) out.add("block devices cannot have mount options");
  if (access.empty()) out.add("CSI volumes must have an access mode");
  if (reader_only && !volume.read_only) out.add("{} volumes must be read-only", access);
  const bool several = group.count > 1 && !volume.per_alloc;
  if (access == "single-node-reader-only" && several) out.add("volume with {} access mode allows only one reader", access);
  if (access == "single-node-writer" && several) out.add("volume with {} access mode allows only one reader or writer", access);
  if (access == "multi-node-single-writer" && several && !volume.read_only) out.add("volume with {} access mode allows only one writer", access);
  return out;
}

}  // namespace drover::jobspec
