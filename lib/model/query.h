// What every request and answer carries besides its own members.
// Field names, types and order are wire facts (HTTP API contract, appendix A); `describe` lists each once.
#pragma once

#include <memory>
#include <string>

#include "lib/model/types.h"

namespace drover::model {

struct WriteRequest {
  std::string region;
  std::string namespace_;
  std::string auth_token;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Region", self.region);
    v("Namespace", self.namespace_);
    v("AuthToken", self.auth_token);
  }
  friend bool operator==(const WriteRequest&, const WriteRequest&) = default;
};

struct QueryOptions {
  std::string region;
  std::string namespace_;
  std::string auth_token;
  bool allow_stale = false;
  std::uint64_t min_query_index = 0;
  Duration max_query_time{};
  std::string prefix;
  std::string filter;
  std::int64_t per_page = 0;
  std::string next_token;
  bool reverse = false;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Region", self.region);
    v("Namespace", self.namespace_);
    v("AuthToken", self.auth_token);
    v("AllowStale", self.allow_stale);
    v("MinQueryIndex", self.min_query_index);
    v("MaxQueryTime", self.max_query_time);
    v("Prefix", self.prefix);
    v("Filter", self.filter);
    v("PerPage", self.per_page);
    v("NextToken", self.next_token);
    v("Reverse", self.reverse);
  }
  friend bool operator==(const QueryOptions&, const QueryOptions&) = default;
};

struct QueryMeta {
  std::uint64_t index = 0;
  Duration last_contact{};
  bool known_leader = false;
  std::string next_token;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Index", self.index);
    v("LastContact", self.last_contact);
    v("KnownLeader", self.known_leader);
    v("NextToken", self.next_token);
  }
  friend bool operator==(const QueryMeta&, const QueryMeta&) = default;
};

struct WriteMeta {
  std::uint64_t index = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Index", self.index);
  }
  friend bool operator==(const WriteMeta&, const WriteMeta&) = default;
};

struct NamespacedID {
  std::string id;
  std::string namespace_;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("ID", self.id);
    v("Namespace", self.namespace_);
  }
  friend bool operator==(const NamespacedID&, const NamespacedID&) = default;
};

}  // namespace drover::model
