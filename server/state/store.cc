#include "server/state/store.h"

namespace drover::state {

Store::Store() {
  Txn txn(Tables{}, 1);
  model::NodePool all;
  all.name = "all";
  all.description = "Node pool with all nodes in the cluster.";
  all.node_identity_ttl = model::default_node_identity_ttl;
  txn.put_node_pool(std::move(all));
  model::NodePool usual;
  usual.name = "default";
  usual.description = "Default node pool.";
  usual.node_identity_ttl = model::default_node_identity_ttl;
  txn.put_node_pool(std::move(usual));
  model::Namespace shared;
  shared.name = "default";
  shared.description = "Default shared namespace";
  shared.hash = content_hash(shared);
  txn.put_namespace(std::move(shared));
  tables_ = std::move(txn).take();
}

}  // namespace drover::state
