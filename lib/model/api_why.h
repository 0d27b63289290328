// Why a job's allocations are where they are not: every node with every reason, for `job why`. Our own addition to the HTTP API.
#pragma once

#include <cstdint>
#include <string>

#include "lib/model/types.h"

namespace drover::model {

struct WhyReason {
  std::string kind;          // pool, datacenter, node, driver, constraint, device, network, volume, distinct, resource
  std::string text;          // as metrics show it
  std::int64_t lacking = 0;  // of a countable resource: MHz or MiB

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Kind", self.kind);
    v("Text", self.text);
    v("Lacking", self.lacking);
  }
  friend bool operator==(const WhyReason&, const WhyReason&) = default;
};

struct WhyNode {
  std::string id;
  std::string name;
  std::string datacenter;
  std::string node_pool;
  std::string node_class;
  bool fits = false;
  List<WhyReason> reasons;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("ID", self.id);
    v("Name", self.name);
    v("Datacenter", self.datacenter);
    v("NodePool", self.node_pool);
    v("NodeClass", self.node_class);
    v("Fits", self.fits);
    v("Reasons", self.reasons);
  }
  friend bool operator==(const WhyNode&, const WhyNode&) = default;
};

struct WhyCount {
  std::string kind;
  std::string text;
  std::int64_t nodes = 0;
  std::int64_t alone = 0;  // nodes that nothing else keeps from taking the group

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Kind", self.kind);
    v("Text", self.text);
    v("Nodes", self.nodes);
    v("Alone", self.alone);
  }
  friend bool operator==(const WhyCount&, const WhyCount&) = default;
};

// One change and the nodes that could take an allocation after it.
struct WhyChange {
  std::string text;
  std::int64_t nodes = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Text", self.text);
    v("Nodes", self.nodes);
  }
  friend bool operator==(const WhyChange&, const WhyChange&) = default;
};

struct WhyGroup {
  std::string name;
  std::int64_t count = 0;
  std::int64_t placed = 0;  // allocations that are to run and have not ended
  std::int64_t fits = 0;    // nodes that could take one more
  List<WhyCount> reasons;   // the most frequent first
  std::string nearest;      // the node that lacks least, when none fits
  List<WhyChange> changes;  // the most helpful first
  List<WhyNode> nodes;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Name", self.name);
    v("Count", self.count);
    v("Placed", self.placed);
    v("Fits", self.fits);
    v("Reasons", self.reasons);
    v("Nearest", self.nearest);
    v("Changes", self.changes);
    v("Nodes", self.nodes);
  }
  friend bool operator==(const WhyGroup&, const WhyGroup&) = default;
};

struct JobWhy {
  std::string id;
  std::string namespace_;
  List<WhyGroup> groups;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("ID", self.id);
    v("Namespace", self.namespace_);
    v("Groups", self.groups);
  }
  friend bool operator==(const JobWhy&, const JobWhy&) = default;
};

}  // namespace drover::model
