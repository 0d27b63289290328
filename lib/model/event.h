// Payloads of the event stream.
// Field names, types and order are wire facts (HTTP API contract, appendix A); `describe` lists each once.
#pragma once

#include <memory>
#include <string>

#include "lib/model/types.h"
#include "lib/model/alloc.h"
#include "lib/model/api_volume.h"
#include "lib/model/deployment.h"
#include "lib/model/eval.h"
#include "lib/model/job.h"
#include "lib/model/node.h"

namespace drover::model {

struct AllocationEvent {
  std::shared_ptr<const Allocation> allocation;
  bool timeout = false;
  std::string timeout_reason;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Allocation", self.allocation);
    v("Timeout", self.timeout, omit_empty);
    v("TimeoutReason", self.timeout_reason, omit_empty);
  }
  friend bool operator==(const AllocationEvent&, const AllocationEvent&) = default;
};

struct DeploymentEvent {
  Box<Deployment> deployment;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Deployment", self.deployment);
  }
  friend bool operator==(const DeploymentEvent&, const DeploymentEvent&) = default;
};

struct EvaluationEvent {
  Box<Evaluation> evaluation;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Evaluation", self.evaluation);
  }
  friend bool operator==(const EvaluationEvent&, const EvaluationEvent&) = default;
};

struct Event {
  std::string topic;
  std::string type;
  std::string key;
  std::string namespace_;
  List<std::string> filter_keys;
  std::uint64_t index = 0;
  Any payload;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Topic", self.topic);
    v("Type", self.type);
    v("Key", self.key);
    v("Namespace", self.namespace_);
    v("FilterKeys", self.filter_keys);
    v("Index", self.index);
    v("Payload", self.payload);
  }
  friend bool operator==(const Event&, const Event&) = default;
};

struct HostVolumeEvent {
  Box<HostVolume> volume;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Volume", self.volume);
  }
  friend bool operator==(const HostVolumeEvent&, const HostVolumeEvent&) = default;
};

struct JobEvent {
  std::shared_ptr<const Job> job;
  bool deleted = false;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Job", self.job);
    v("Deleted", self.deleted, omit_empty);
  }
  friend bool operator==(const JobEvent&, const JobEvent&) = default;
};

struct NodePoolEvent {
  Box<NodePool> node_pool;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("NodePool", self.node_pool);
  }
  friend bool operator==(const NodePoolEvent&, const NodePoolEvent&) = default;
};

struct NodeStreamEvent {
  std::shared_ptr<const Node> node;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Node", self.node);
  }
  friend bool operator==(const NodeStreamEvent&, const NodeStreamEvent&) = default;
};

struct VariableEvent {
  Box<VariableMetadata> metadata;
  bool deleted = false;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Metadata", self.metadata);
    v("Deleted", self.deleted);
  }
  friend bool operator==(const VariableEvent&, const VariableEvent&) = default;
};

}  // namespace drover::model
