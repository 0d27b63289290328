// What the leader does for the other servers: asks them how they are, lets those vote that have been well for long enough, and takes
// out those that are gone.
#include <algorithm>

#include "server/cluster/cluster.h"

namespace drover::cluster {
namespace {
constexpr std::chrono::milliseconds shortest_round{100}, longest_round{1000};
}  // namespace

model::AutopilotConfiguration Cluster::autopilot_config() const {
  const auto& stored = state_.store().tables().autopilot;
  return stored ? *stored : model::AutopilotConfiguration::standard();
}

Async<> Cluster::ask_one(Answer& answer) {
  if (answer.member.node_id == options_.node_id) {
    answer.info = info();
    co_return;
  }
  auto reply = co_await ask(answer.member.address, longest_round);
  // Another server at the same address says nothing about this one.
  if (reply && reply->node_id == answer.member.node_id) answer.info = std::move(*reply);
}

Async<> Cluster::judge_servers() {
  std::vector<Answer> answers;
  for (const auto& member : members()) answers.push_back({.member = member});
  Scope asking(executor_);
  for (auto& answer : answers) asking.spawn(ask_one(answer));
  co_await asking.join();
  const RaftStats s = raft_->stats();
  const LeaderView view{.node_id = options_.node_id, .term = s.term, .last_index = s.last_index};
  health_ = autopilot_.judge(autopilot_config(), answers, view, reckoning_.now());
}

Async<> Cluster::look_after_servers(std::uint64_t turn) {
  while (turn == turn_ && ready_ && !closing_) {
    co_await judge_servers();
    if (turn != turn_ || !ready_) co_return;
    const auto config = autopilot_config();
    const Advice advice = autopilot_.advise(config, reckoning_.now());
    Result<> done;
    if (advice.kind == Advice::Kind::promote) {
      done = co_await promote(advice.node_id);
    } else if (advice.kind == Advice::Kind::remove) {
      log_.warn("a dead server is taken out", "node_id", advice.node_id);
      done = co_await remove(advice.node_id);
    }
    if (!done) log_.warn("changing the servers failed", "node_id", advice.node_id, "error", done.error());
    const auto round = std::chrono::duration_cast<std::chrono::milliseconds>(config.server_stabilization_time / 5);
    co_await sleep_for(std::clamp(round, shortest_round, longest_round));
  }
}

Async<model::ClusterHealth> Cluster::health() {
  if (!health_) co_await judge_servers();
  co_return *health_;
}

}  // namespace drover::cluster
