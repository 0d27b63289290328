// The job and the text it was made from.
// Field names, types and order are wire facts (HTTP API contract, appendix A); `describe` lists each once.
#pragma once

#include <memory>
#include <string>

#include "lib/model/types.h"
#include "lib/model/constraint.h"
#include "lib/model/task_group.h"

namespace drover::model {

struct ParameterizedJobConfig {
  std::string payload;
  List<std::string> meta_required;
  List<std::string> meta_optional;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Payload", self.payload);
    v("MetaRequired", self.meta_required);
    v("MetaOptional", self.meta_optional);
  }
  friend bool operator==(const ParameterizedJobConfig&, const ParameterizedJobConfig&) = default;
};

struct MultiregionRegion {
  std::string name;
  std::int64_t count = 0;
  List<std::string> datacenters;
  std::string node_pool;
  Map<std::string> meta;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Name", self.name);
    v("Count", self.count);
    v("Datacenters", self.datacenters);
    v("NodePool", self.node_pool);
    v("Meta", self.meta);
  }
  friend bool operator==(const MultiregionRegion&, const MultiregionRegion&) = default;
};

struct JobUILink {
  std::string label;
  std::string url;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Label", self.label);
    v("Url", self.url);
  }
  friend bool operator==(const JobUILink&, const JobUILink&) = default;
};

struct JobUIConfig {
  std::string description;
  List<JobUILink> links;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Description", self.description);
    v("Links", self.links);
  }
  friend bool operator==(const JobUIConfig&, const JobUIConfig&) = default;
};

struct JobSubmission {
  std::string source;
  std::string format;
  Map<std::string> variable_flags;
  std::string variables;
  std::string namespace_;
  std::string job_id;
  std::uint64_t version = 0;
  std::uint64_t job_modify_index = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Source", self.source);
    v("Format", self.format);
    v("VariableFlags", self.variable_flags);
    v("Variables", self.variables);
    v("Namespace", self.namespace_);
    v("JobID", self.job_id);
    v("Version", self.version);
    v("JobModifyIndex", self.job_modify_index);
  }
  friend bool operator==(const JobSubmission&, const JobSubmission&) = default;
};

struct MultiregionStrategy {
  std::int64_t max_parallel = 0;
  std::string on_failure;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("MaxParallel", self.max_parallel);
    v("OnFailure", self.on_failure);
  }
  friend bool operator==(const MultiregionStrategy&, const MultiregionStrategy&) = default;
};

struct JobVersionTag {
  std::string name;
  std::string description;
  std::int64_t tagged_time = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Name", self.name);
    v("Description", self.description);
    v("TaggedTime", self.tagged_time);
  }
  friend bool operator==(const JobVersionTag&, const JobVersionTag&) = default;
};

struct Multiregion {
  Box<MultiregionStrategy> strategy;
  List<MultiregionRegion> regions;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Strategy", self.strategy);
    v("Regions", self.regions);
  }
  friend bool operator==(const Multiregion&, const Multiregion&) = default;
};

struct PeriodicConfig {
  bool enabled = false;
  std::string spec;
  List<std::string> specs;
  std::string spec_type;
  bool prohibit_overlap = false;
  std::string time_zone;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Enabled", self.enabled);
    v("Spec", self.spec);
    v("Specs", self.specs);
    v("SpecType", self.spec_type);
    v("ProhibitOverlap", self.prohibit_overlap);
    v("TimeZone", self.time_zone);
  }
  friend bool operator==(const PeriodicConfig&, const PeriodicConfig&) = default;
};

struct Job {
  bool stop = false;
  std::string region;
  std::string namespace_;
  std::string id;
  std::string parent_id;
  std::string name;
  std::string type;
  std::int64_t priority = 0;
  bool all_at_once = false;
  List<std::string> datacenters;
  std::string node_pool;
  List<Constraint> constraints;
  List<Affinity> affinities;
  List<Spread> spreads;
  List<TaskGroup> task_groups;
  UpdateStrategy update;
  Box<Multiregion> multiregion;
  Box<PeriodicConfig> periodic;
  Box<ParameterizedJobConfig> parameterized_job;
  bool dispatched = false;
  std::string dispatch_idempotency_token;
  Bytes payload;
  Map<std::string> meta;
  std::string consul_namespace;
  std::string vault_namespace;
  std::string nomad_token_id;
  std::string status;
  std::string status_description;
  bool stable = false;
  std::uint64_t version = 0;
  std::int64_t submit_time = 0;
  std::uint64_t create_index = 0;
  std::uint64_t modify_index = 0;
  std::uint64_t job_modify_index = 0;
  Box<JobUIConfig> ui;
  Box<JobVersionTag> version_tag;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Stop", self.stop);
    v("Region", self.region);
    v("Namespace", self.namespace_);
    v("ID", self.id);
    v("ParentID", self.parent_id);
    v("Name", self.name);
    v("Type", self.type);
    v("Priority", self.priority);
    v("AllAtOnce", self.all_at_once);
    v("Datacenters", self.datacenters);
    v("NodePool", self.node_pool);
    v("Constraints", self.constraints);
    v("Affinities", self.affinities);
    v("Spreads", self.spreads);
    v("TaskGroups", self.task_groups);
    v("Update", self.update);
    v("Multiregion", self.multiregion);
    v("Periodic", self.periodic);
    v("ParameterizedJob", self.parameterized_job);
    v("Dispatched", self.dispatched);
    v("DispatchIdempotencyToken", self.dispatch_idempotency_token);
    v("Payload", self.payload);
    v("Meta", self.meta);
    v("ConsulNamespace", self.consul_namespace);
    v("VaultNamespace", self.vault_namespace);
    v("NomadTokenID", self.nomad_token_id);
    v("Status", self.status);
    v("StatusDescription", self.status_description);
    v("Stable", self.stable);
    v("Version", self.version);
    v("SubmitTime", self.submit_time);
    v("CreateIndex", self.create_index);
    v("ModifyIndex", self.modify_index);
    v("JobModifyIndex", self.job_modify_index);
    v("UI", self.ui);
    v("VersionTag", self.version_tag);
  }
  friend bool operator==(const Job&, const Job&) = default;
};

}  // namespace drover::model
