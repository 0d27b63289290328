// What a server without a cluster does next: waits, begins one with the others it has seen, or joins theirs. Pure.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "lib/model/cluster.h"
#include "sdk/base/error.h"

namespace drover::cluster {

struct Wait {
  std::string why;
};
// This server was chosen to give the others their first configuration.
struct Begin {
  std::vector<model::ClusterMember> members;
};
struct Join {
  std::string address;
};
using Step = std::variant<Wait, Begin, Join>;

// `seen`: what the others said, this server not among them. The first of the expected servers by id begins, so that two cannot
// begin two clusters out of the same servers; `bootstrap_expect` must be the same on all of them.
[[nodiscard]] Step next_step(const model::ServerInfo& self, const std::vector<model::ServerInfo>& seen);

[[nodiscard]] model::ClusterMember member_of(const model::ServerInfo& info);

}  // namespace drover::cluster
