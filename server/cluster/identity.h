// Who this server is and which cluster it belongs to: two small files of its data directory. Blocking.
#pragma once

#include <string>

#include "sdk/base/error.h"

namespace drover::cluster {

// The id of this server, kept in `data_dir`/server/node-id and made at the first start. Without a directory a new one each time.
[[nodiscard]] Result<std::string> load_node_id(const std::string& data_dir);

// The id of the cluster, in `data_dir`/raft/cluster-id: empty until this server belongs to one.
[[nodiscard]] Result<std::string> load_cluster_id(const std::string& data_dir);
// Durable when it returns. Written before anything of the cluster is, and never changed afterwards.
[[nodiscard]] Result<> store_cluster_id(const std::string& data_dir, const std::string& id);

}  // namespace drover::cluster
