// Who is still alive: one deadline per node, moved by every heartbeat (server contract 20).
// Pure: the owner asks for the next deadline and takes those that expired. Leader's loop.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sdk/base/clock.h"
#include "server/fsm/messages.h"
#include "server/state/snapshot.h"

namespace drover::nodes {

struct HeartbeatOptions {
  std::chrono::nanoseconds min_ttl = std::chrono::seconds(10);
  double max_per_second = 50;
  std::chrono::nanoseconds grace = std::chrono::seconds(10);
  std::chrono::nanoseconds failover_ttl = std::chrono::seconds(300);
};

class Heartbeats {
 public:
  using Time = std::chrono::steady_clock::time_point;
  Heartbeats(HeartbeatOptions options, Rng& rng) : options_(options), rng_(rng) {}

  // A sign of life. Answers how long the node may take to the next one.
  [[nodiscard]] std::chrono::nanoseconds reset(const std::string& node_id, std::size_t node_count, Time now);
  // A new leader gives every node time to find it.
  void expect(const std::string& node_id, Time now) { set(node_id, now + options_.failover_ttl); }
  void remove(const std::string& node_id);
  void clear() { deadlines_.clear(); order_.clear(); }
  [[nodiscard]] std::optional<Time> next_deadline() const;
  [[nodiscard]] std::vector<std::string> take_expired(Time now);
  [[nodiscard]] std::size_t size() const { return deadlines_.size(); }

 private:
  void set(const std::string& node_id, Time deadline);
  HeartbeatOptions options_;
  Rng& rng_;
  std::map<std::string, Time> deadlines_;
  std::set<std::pair<Time, std::string>> order_;
};

// One evaluation for each job that a change of this node concerns: those with allocations on it, and the system jobs that may
// run there.
[[nodiscard]] fsm::EvalList node_evals(const state::Snapshot& snapshot, const model::Node& node, std::int64_t now, Rng& rng);

// Whether a change of status makes such evaluations.
[[nodiscard]] bool status_makes_evals(std::string_view from, std::string_view to);

// "v1:" and a hash over what nodes of one class share.
[[nodiscard]] std::string computed_class(const model::Node& node);

}  // namespace drover::nodes
