// A task group: the tasks that are placed together.
// Field names, types and order are wire facts (HTTP API contract, appendix A); `describe` lists each once.
#pragma once

#include <memory>
#include <string>

#include "lib/model/types.h"
#include "lib/model/constraint.h"
#include "lib/model/consul.h"
#include "lib/model/network.h"
#include "lib/model/task.h"

namespace drover::model {

struct CSIMountOptions {
  std::string fs_type;
  List<std::string> mount_flags;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("FSType", self.fs_type);
    v("MountFlags", self.mount_flags);
  }
  friend bool operator==(const CSIMountOptions&, const CSIMountOptions&) = default;
};

struct MigrateStrategy {
  std::int64_t max_parallel = 0;
  std::string health_check;
  Duration min_healthy_time{};
  Duration healthy_deadline{};

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("MaxParallel", self.max_parallel);
    v("HealthCheck", self.health_check);
    v("MinHealthyTime", self.min_healthy_time);
    v("HealthyDeadline", self.healthy_deadline);
  }
  friend bool operator==(const MigrateStrategy&, const MigrateStrategy&) = default;
};

struct EphemeralDisk {
  bool sticky = false;
  std::int64_t size_mb = 0;
  bool migrate = false;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Sticky", self.sticky);
    v("SizeMB", self.size_mb);
    v("Migrate", self.migrate);
  }
  friend bool operator==(const EphemeralDisk&, const EphemeralDisk&) = default;
};

struct UpdateStrategy {
  Duration stagger{};
  std::int64_t max_parallel = 0;
  std::string health_check;
  Duration min_healthy_time{};
  Duration healthy_deadline{};
  Duration progress_deadline{};
  bool auto_revert = false;
  bool auto_promote = false;
  std::int64_t canary = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Stagger", self.stagger);
    v("MaxParallel", self.max_parallel);
    v("HealthCheck", self.health_check);
    v("MinHealthyTime", self.min_healthy_time);
    v("HealthyDeadline", self.healthy_deadline);
    v("ProgressDeadline", self.progress_deadline);
    v("AutoRevert", self.auto_revert);
    v("AutoPromote", self.auto_promote);
    v("Canary", self.canary);
  }
  friend bool operator==(const UpdateStrategy&, const UpdateStrategy&) = default;
};

struct DisconnectStrategy {
  Duration lost_after{};
  std::optional<Duration> stop_on_client_after;
  std::optional<bool> replace;
  std::string reconcile;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("LostAfter", self.lost_after);
    v("StopOnClientAfter", self.stop_on_client_after);
    v("Replace", self.replace);
    v("Reconcile", self.reconcile);
  }
  friend bool operator==(const DisconnectStrategy&, const DisconnectStrategy&) = default;
};

struct ReschedulePolicy {
  std::int64_t attempts = 0;
  Duration interval{};
  Duration delay{};
  std::string delay_function;
  Duration max_delay{};
  bool unlimited = false;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Attempts", self.attempts);
    v("Interval", self.interval);
    v("Delay", self.delay);
    v("DelayFunction", self.delay_function);
    v("MaxDelay", self.max_delay);
    v("Unlimited", self.unlimited);
  }
  friend bool operator==(const ReschedulePolicy&, const ReschedulePolicy&) = default;
};

struct VolumeRequest {
  std::string name;
  std::string type;
  std::string source;
  bool read_only = false;
  bool sticky = false;
  std::string access_mode;
  std::string attachment_mode;
  Box<CSIMountOptions> mount_options;
  bool per_alloc = false;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Name", self.name);
    v("Type", self.type);
    v("Source", self.source);
    v("ReadOnly", self.read_only);
    v("Sticky", self.sticky);
    v("AccessMode", self.access_mode);
    v("AttachmentMode", self.attachment_mode);
    v("MountOptions", self.mount_options);
    v("PerAlloc", self.per_alloc);
  }
  friend bool operator==(const VolumeRequest&, const VolumeRequest&) = default;
};

struct TaskGroup {
  std::string name;
  std::int64_t count = 0;
  Box<UpdateStrategy> update;
  Box<MigrateStrategy> migrate;
  List<Constraint> constraints;
  Box<ScalingPolicy> scaling;
  Box<RestartPolicy> restart_policy;
  Box<DisconnectStrategy> disconnect;
  List<Task> tasks;
  Box<EphemeralDisk> ephemeral_disk;
  Map<std::string> meta;
  Box<ReschedulePolicy> reschedule_policy;
  List<Affinity> affinities;
  List<Spread> spreads;
  List<NetworkResource> networks;
  Box<Consul> consul;
  List<Service> services;
  Map<VolumeRequest> volumes;
  std::optional<Duration> shutdown_delay;
  std::optional<Duration> max_run_duration;
  std::optional<Duration> stop_after_client_disconnect;
  std::optional<Duration> max_client_disconnect;
  bool prevent_reschedule_on_lost = false;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Name", self.name);
    v("Count", self.count);
    v("Update", self.update);
    v("Migrate", self.migrate);
    v("Constraints", self.constraints);
    v("Scaling", self.scaling);
    v("RestartPolicy", self.restart_policy);
    v("Disconnect", self.disconnect);
    v("Tasks", self.tasks);
    v("EphemeralDisk", self.ephemeral_disk);
    v("Meta", self.meta);
    v("ReschedulePolicy", self.reschedule_policy);
    v("Affinities", self.affinities);
    v("Spreads", self.spreads);
    v("Networks", self.networks);
    v("Consul", self.consul);
    v("Services", self.services);
    v("Volumes", self.volumes);
    v("ShutdownDelay", self.shutdown_delay);
    v("MaxRunDuration", self.max_run_duration);
    v("StopAfterClientDisconnect", self.stop_after_client_disconnect);
    v("MaxClientDisconnect", self.max_client_disconnect);
    v("PreventRescheduleOnLost", self.prevent_reschedule_on_lost);
  }
  friend bool operator==(const TaskGroup&, const TaskGroup&) = default;
};

}  // namespace drover::model
