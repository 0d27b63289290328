// A growing list of complaints and the text that joins them. Internal to lib/jobspec's validation.
#pragma once

#include <fmt/core.h>

#include <string>
#include <vector>

#include "lib/jobspec/validate.h"
#include "sdk/base/text.h"

namespace drover::jobspec {

class Problems {
 public:
  template <class... Args>
  void add(fmt::format_string<Args...> format, Args&&... args) {
    list_.push_back(fmt::format(format, std::forward<Args>(args)...));
  }
  void add_text(std::string text) { list_.push_back(std::move(text)); }
  // Side by side with what is here.
  void append(const Problems& other) { list_.insert(list_.end(), other.list_.begin(), other.list_.end()); }
  // As one complaint that holds the others.
  void nest(const Problems& other) {
    if (!other.empty()) list_.push_back(other.text());
  }
  [[nodiscard]] bool empty() const { return list_.empty(); }
  [[nodiscard]] const std::vector<std::string>& list() const { return list_; }
  // "1 error occurred:\n\t* ...\n\n".
  [[nodiscard]] std::string text() const;

 private:
  std::vector<std::string> list_;
};

// validate_policies.cc
[[nodiscard]] Problems check_update(const model::UpdateStrategy& update);
[[nodiscard]] Problems check_migrate(const model::MigrateStrategy& migrate);
[[nodiscard]] Problems check_restart(const model::RestartPolicy& restart);
[[nodiscard]] Problems check_reschedule(const model::ReschedulePolicy& reschedule);
[[nodiscard]] Problems check_disconnect(const model::DisconnectStrategy& disconnect, const std::string& job_type);
[[nodiscard]] Problems check_scaling(const model::ScalingPolicy& policy, std::int64_t count);

// validate_constraints.cc
[[nodiscard]] Problems check_constraint(const model::Constraint& constraint);
[[nodiscard]] Problems check_affinity(const model::Affinity& affinity);
[[nodiscard]] Problems check_spread(const model::Spread& spread);
// All three lists of a job, group or task; system jobs may not have the last two.
void check_placement(Problems& out, const model::List<model::Constraint>& constraints, const model::List<model::Affinity>& affinities,
                     const model::List<model::Spread>* spreads, const std::string& job_type);

// validate_group.cc, validate_task.cc, validate_task_parts.cc, validate_resources.cc, validate_service.cc, validate_volume.cc
[[nodiscard]] Problems check_group(const model::TaskGroup& group, const model::Job& job);
[[nodiscard]] Problems check_task(const model::Task& task, const model::TaskGroup& group, const model::Job& job);
[[nodiscard]] Problems check_resources(const model::Resources& resources);
[[nodiscard]] Problems check_networks(const model::TaskGroup& group);
[[nodiscard]] Problems check_group_services(const model::TaskGroup& group);
[[nodiscard]] Problems check_group_script_checks(const model::TaskGroup& group);
// validate_connect.cc: of the job's services with regard to their groups; of a service that has a connect block; of a task's schedule.
[[nodiscard]] Problems check_connect_use(const model::Job& job);
[[nodiscard]] Problems check_connect(const model::Service& service);
[[nodiscard]] Problems check_schedule(const model::TaskSchedule& schedule);
[[nodiscard]] Problems check_task_services(const model::Task& task, const model::TaskGroup& group);
// Of a task that is a proxy of a service in its group.
[[nodiscard]] Problems check_connect_proxy(const model::Task& task, const model::TaskGroup& group);
[[nodiscard]] Problems check_volume(const model::VolumeRequest& volume, const std::string& job_type, const model::TaskGroup& group);
[[nodiscard]] Problems check_template(const model::Template& item);
[[nodiscard]] Problems check_artifact(const model::TaskArtifact& artifact);
[[nodiscard]] Problems check_identity(const model::WorkloadIdentity& identity);
[[nodiscard]] Problems check_secret(const model::Secret& secret);
[[nodiscard]] Problems check_vault(const model::Vault& vault);
[[nodiscard]] Problems check_volume_mount(const model::VolumeMount& mount);

// True when `path` below `prefix` leaves the allocation's directory.
[[nodiscard]] bool escapes(const std::string& prefix, const std::string& path);

// warnings.cc
[[nodiscard]] std::vector<std::string> warnings_of(const model::Job& job, const ValidateOptions& options);

}  // namespace drover::jobspec
