#include "server/cluster/autopilot.h"

#include <algorithm>

namespace drover::cluster {

model::ClusterHealth Autopilot::judge(const model::AutopilotConfiguration& config, const std::vector<Answer>& answers, const LeaderView& leader,
                                      std::int64_t now) {
  model::ClusterHealth out;
  out.servers.allocate();
  leader_ = leader.node_id;
  std::map<std::string, Track> tracks;
  std::int64_t voters = 0, healthy_voters = 0;
  out.healthy = true;
  for (const auto& answer : answers) {
    const Member& member = answer.member;
    const bool leads = member.node_id == leader.node_id;
    model::ServerHealth server;
    server.id = member.node_id;
    server.name = member.name;
    server.address = member.address;
    server.leader = leads;
    server.voter = member.role == MemberRole::voter;
    server.serf_status = answer.info ? "alive" : "failed";
    if (answer.info) {
      server.version = answer.info->build;
      server.datacenter = answer.info->datacenter;
      server.last_contact = leads ? model::Duration(0) : answer.info->last_contact;
      server.last_term = answer.info->term;
      server.last_index = answer.info->last_index;
      const bool near = leads || (server.last_contact.count() >= 0 && server.last_contact <= config.last_contact_threshold);
      const bool current = server.last_index + config.max_trailing_logs >= leader.last_index;
      server.healthy = near && current && server.last_term == leader.term;
    }
    const auto before = tracks_.find(member.node_id);
    Track track{.healthy = server.healthy, .voter = server.voter, .wants_vote = answer.info && !answer.info->non_voter, .since = now};
    if (before != tracks_.end()) {
      if (before->second.healthy == track.healthy) track.since = before->second.since;
      if (!answer.info) track.silent_since = before->second.silent_since != 0 ? before->second.silent_since : now;
    } else if (!answer.info) {
      track.silent_since = now;
    }
    server.stable_since = model::Time(track.since);
    if (server.voter) {
      ++voters;
      if (server.healthy) ++healthy_voters;
    }
    out.healthy = out.healthy && server.healthy;
    out.servers.push_back(std::move(server));
    tracks[member.node_id] = track;
  }
  tracks_ = std::move(tracks);
  out.failure_tolerance = std::max<std::int64_t>(0, healthy_voters - (voters / 2 + 1));
  return out;
}

Advice Autopilot::advise(const model::AutopilotConfiguration& config, std::int64_t now) const {
  const std::int64_t stable = config.server_stabilization_time.count();
  for (const auto& [id, track] : tracks_) {
    if (!track.voter && track.wants_vote && track.healthy && now - track.since >= stable) return {.kind = Advice::Kind::promote, .node_id = id};
  }
  if (!config.cleanup_dead_servers) return {};
  std::int64_t voters = 0, healthy = 0;
  for (const auto& [id, track] : tracks_) {
    if (!track.voter) continue;
    ++voters;
    if (track.healthy) ++healthy;
  }
  for (const auto& [id, track] : tracks_) {
    if (id == leader_ || track.silent_since == 0 || now - track.silent_since < stable * dead_after) continue;
    if (!track.voter) return {.kind = Advice::Kind::remove, .node_id = id};
    // Those who stay must be a majority by themselves, and enough for the operator.
    const std::int64_t left = voters - 1;
    if (healthy < left / 2 + 1 || left < static_cast<std::int64_t>(std::max<std::uint64_t>(1, config.min_quorum))) continue;
    return {.kind = Advice::Kind::remove, .node_id = id};
  }
  return {};
}

}  // namespace drover::cluster
