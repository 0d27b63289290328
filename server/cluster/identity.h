// Who this server is and which cluster it belongs to: two small files of its data directory. Blocking.
#pragma once

#include <string>
#include <vector>

#include "sdk/base/error.h"
#include "server/raft/types.h"

namespace drover::cluster {

// The id of this server, kept in `data_dir`/server/node-id and made at the first start. Without a directory a new one each time.
[[nodiscard]] Result<std::string> load_node_id(const std::string& data_dir);

// The id of the cluster, in `data_dir`/raft/cluster-id: empty until this server belongs to one.
[[nodiscard]] Result<std::string> load_cluster_id(const std::string& data_dir);
// Durable when it returns. Written before anything of the cluster is, and never changed afterwards.
[[nodiscard]] Result<> store_cluster_id(const std::string& data_dir, const std::string& id);

// The servers that an operator gives anew after a quorum was lost, in `data_dir`/raft/peers.json: a list of objects with "id",
// "address", and where wanted "name" and "non_voter". Empty when there is no such file.
[[nodiscard]] Result<std::vector<Member>> load_peers(const std::string& data_dir);
[[nodiscard]] Result<> store_peers(const std::string& data_dir, const std::vector<Member>& peers);
// They have been taken over: the file gets another name.
[[nodiscard]] Result<> retire_peers(const std::string& data_dir);

}  // namespace drover::cluster
