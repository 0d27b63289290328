// Who waits for which part of the state. A query names what its answer depends on; a commit wakes those it touched.
//
// Loop only. A WatchSet is filled while a query runs and lives as long as it waits; between filling and waiting nothing else
// runs on the loop, so no change is missed.
#pragma once

#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "sdk/async/event.h"
#include "server/state/change.h"

namespace drover::state {

// What of a table is watched; `value` is its key, parts of a key are joined by '\0'.
enum class Scope : std::uint8_t {
  all,         // the whole table
  in_namespace,  // objects of a namespace
  key,         // one object: id, or namespace and id
  job,         // evaluations, allocations, deployments, versions of a job: namespace and id
  node,        // allocations on a node
  desired,     // allocations on a node, but only what the node must act on: AllocModifyIndex and deletions
  eval,        // allocations of an evaluation
  deployment,  // allocations of a deployment
};

class Watches;

class WatchSet {
 public:
  WatchSet(Watches& watches, const Executor& executor) : watches_(watches), woken_(executor) {}
  ~WatchSet() { clear(); }
  WatchSet(const WatchSet&) = delete;
  WatchSet& operator=(const WatchSet&) = delete;

  void add(Table table, Scope scope, std::string_view value = {});
  void add(Table table, Scope scope, std::string_view namespace_, std::string_view id);
  // Objects whose id starts with `prefix`; of any namespace when that is empty.
  void add_prefix(Table table, std::string_view namespace_, std::string_view prefix);
  // Forgets everything, to run the query again.
  void clear();
  // False when `limit` passed first.
  [[nodiscard]] Async<bool> wait_for(std::chrono::nanoseconds limit) { return woken_.wait_for(limit); }
  [[nodiscard]] bool woken() const { return woken_.is_set(); }

 private:
  friend class Watches;
  struct Prefix {
    Table table;
    std::string namespace_;
    std::string prefix;
  };
  Watches& watches_;
  Event woken_;
  std::vector<std::string> keys_;
  std::vector<Prefix> prefixes_;
};

class Watches {
 public:
  void notify(const Changes& changes);
  // After a restore: everything may differ.
  void notify_all();
  [[nodiscard]] std::size_t size() const { return keys_.size() + prefixes_.size(); }

 private:
  friend class WatchSet;
  void wake(Table table, Scope scope, std::string_view value);
  void wake(Table table, Scope scope, std::string_view namespace_, std::string_view id);
  void wake_object(Table table, std::string_view namespace_, std::string_view id, bool namespaced);
  void notify_one(const Change& change);

  std::unordered_multimap<std::string, WatchSet*> keys_;
  std::vector<WatchSet*> prefixes_;  // sets with at least one prefix
};

}  // namespace drover::state
