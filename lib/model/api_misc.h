// Other requests and answers of the HTTP API.
// Field names, types and order are wire facts (HTTP API contract, appendix A); `describe` lists each once.
#pragma once

#include <memory>
#include <string>

#include "lib/model/types.h"
#include "lib/model/config.h"
#include "lib/model/node.h"
#include "lib/model/query.h"

namespace drover::model {

struct CSITopologyRequest {
  List<CSITopology> required;
  List<CSITopology> preferred;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Required", self.required);
    v("Preferred", self.preferred);
  }
  friend bool operator==(const CSITopologyRequest&, const CSITopologyRequest&) = default;
};

struct FuzzyMatch {
  std::string id;
  List<std::string> scope;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("ID", self.id);
    v("Scope", self.scope, omit_empty);
  }
  friend bool operator==(const FuzzyMatch&, const FuzzyMatch&) = default;
};

struct SearchRequest : QueryOptions {
  std::string context;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    QueryOptions::describe(self, v);
    v("Context", self.context);
  }
  friend bool operator==(const SearchRequest&, const SearchRequest&) = default;
};

struct SearchResponse : QueryMeta {
  Map<List<std::string>> matches;
  Map<bool> truncations;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    QueryMeta::describe(self, v);
    v("Matches", self.matches);
    v("Truncations", self.truncations);
  }
  friend bool operator==(const SearchResponse&, const SearchResponse&) = default;
};

struct FuzzySearchRequest : QueryOptions {
  std::string text;
  std::string context;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    QueryOptions::describe(self, v);
    v("Text", self.text);
    v("Context", self.context);
  }
  friend bool operator==(const FuzzySearchRequest&, const FuzzySearchRequest&) = default;
};

struct FuzzySearchResponse : QueryMeta {
  Map<List<FuzzyMatch>> matches;
  Map<bool> truncations;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    QueryMeta::describe(self, v);
    v("Matches", self.matches);
    v("Truncations", self.truncations);
  }
  friend bool operator==(const FuzzySearchResponse&, const FuzzySearchResponse&) = default;
};

struct RootKeyMeta {
  std::string key_id;
  std::string algorithm;
  std::int64_t create_time = 0;
  std::uint64_t create_index = 0;
  std::uint64_t modify_index = 0;
  std::string state;
  std::int64_t publish_time = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("KeyID", self.key_id);
    v("Algorithm", self.algorithm);
    v("CreateTime", self.create_time);
    v("CreateIndex", self.create_index);
    v("ModifyIndex", self.modify_index);
    v("State", self.state);
    v("PublishTime", self.publish_time);
  }
  friend bool operator==(const RootKeyMeta&, const RootKeyMeta&) = default;
};

struct SchedulerConfigurationResponse : QueryMeta {
  Box<SchedulerConfiguration> scheduler_config;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    QueryMeta::describe(self, v);
    v("SchedulerConfig", self.scheduler_config);
  }
  friend bool operator==(const SchedulerConfigurationResponse&, const SchedulerConfigurationResponse&) = default;
};

struct SchedulerSetConfigurationResponse : WriteMeta {
  bool updated = false;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    WriteMeta::describe(self, v);
    v("Updated", self.updated);
  }
  friend bool operator==(const SchedulerSetConfigurationResponse&, const SchedulerSetConfigurationResponse&) = default;
};

struct VaultAccessor {
  std::string alloc_id;
  std::string task;
  std::string node_id;
  std::string accessor;
  std::int64_t creation_ttl = 0;
  std::uint64_t create_index = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("AllocID", self.alloc_id);
    v("Task", self.task);
    v("NodeID", self.node_id);
    v("Accessor", self.accessor);
    v("CreationTTL", self.creation_ttl);
    v("CreateIndex", self.create_index);
  }
  friend bool operator==(const VaultAccessor&, const VaultAccessor&) = default;
};

}  // namespace drover::model
