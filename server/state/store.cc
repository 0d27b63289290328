#include "server/state/store.h"

namespace drover::state {

Store::Store() {
  Txn txn(Tables{}, 1);
  model::NodePool all;
  all.name = "all";
  all.description = "Node pool with all nodes in the cluster.";
  txn.put_node_pool(std::move(all));
  model::NodePool usual;
  usual.name = "default";
  usual.description = "Default node pool.";
  txn.put_node_pool(std::move(usual));
  tables_ = std::move(txn).take();
}

}  // namespace drover::state
