// Which servers are well, which of them should vote, and which are gone for good. Pure: answers and the time go in, a judgement comes
// out. Owned by the leader's Cluster and forgotten with the leadership.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lib/model/cluster.h"
#include "server/raft/types.h"

namespace drover::cluster {

// What became of asking one server.
struct Answer {
  Member member;
  std::optional<model::ServerInfo> info;  // empty: it did not answer
};

struct LeaderView {
  std::string node_id;
  std::uint64_t term = 0;
  std::uint64_t last_index = 0;
};

struct Advice {
  enum class Kind : std::uint8_t { nothing, promote, remove };
  Kind kind = Kind::nothing;
  std::string node_id;
};

class Autopilot {
 public:
  // A server that has been silent for so many stabilisation times is dead.
  static constexpr int dead_after = 10;

  // `now`: nanoseconds since the epoch, by a clock that is not set while this judges.
  [[nodiscard]] model::ClusterHealth judge(const model::AutopilotConfiguration& config, const std::vector<Answer>& answers,
                                           const LeaderView& leader, std::int64_t now);
  // One change at most, of those that were judged last.
  [[nodiscard]] Advice advise(const model::AutopilotConfiguration& config, std::int64_t now) const;
  void forget() { *this = Autopilot(); }

 private:
  struct Track {
    bool healthy = false;
    bool voter = false;
    bool wants_vote = false;
    std::int64_t since = 0;         // it is as it is
    std::int64_t silent_since = 0;  // 0: it answers
  };
  std::map<std::string, Track> tracks_;  // by node id
  std::string leader_;
};

}  // namespace drover::cluster
