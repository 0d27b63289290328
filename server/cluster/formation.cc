#include "server/cluster/formation.h"

#include <algorithm>

namespace drover::cluster {

model::ClusterMember member_of(const model::ServerInfo& info) {
  return {.node_id = info.node_id, .name = info.name, .address = info.address, .voter = !info.non_voter};
}

Step next_step(const model::ServerInfo& self, const std::vector<model::ServerInfo>& seen) {
  std::vector<const model::ServerInfo*> fresh;
  for (const auto& other : seen) {
    if (other.region != self.region || other.node_id == self.node_id) continue;
    // Whoever has a leader, or is one of those who will have one.
    if (!other.cluster_id.empty()) return Join{other.leader_address.empty() ? other.address : other.leader_address};
    if (other.expect == self.expect && !other.non_voter) fresh.push_back(&other);
  }
  if (self.expect <= 0) return Wait{"no server that belongs to a cluster has answered; set bootstrap_expect on the servers that are to begin one"};
  if (self.non_voter) return Wait{"a non-voting server cannot begin a cluster"};
  fresh.push_back(&self);
  std::ranges::sort(fresh, {}, &model::ServerInfo::node_id);
  const auto [end, rest] = std::ranges::unique(fresh, {}, &model::ServerInfo::node_id);
  fresh.erase(end, rest);
  const auto expect = static_cast<std::size_t>(self.expect);
  if (fresh.size() < expect) return Wait{fmt::format("{} of {} expected servers are here", fresh.size(), expect)};
  fresh.resize(expect);
  if (fresh.front() != &self) return Wait{fmt::format("server \"{}\" begins the cluster", fresh.front()->name)};
  Begin out;
  for (const auto* one : fresh) out.members.push_back(member_of(*one));
  return out;
}

}  // namespace drover::cluster
