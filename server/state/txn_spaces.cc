// What jobs and nodes are divided into: namespaces and node pools.
#include "lib/model/codec.h"
#include "server/state/txn.h"

namespace drover::state {
namespace {

// FNV-1a with a seed of its own for each of four words: no secret depends on it, it only has to change with the content.
model::Bytes hash_text(std::string_view text) {
  std::string out;
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    std::uint64_t hash = 14695981039346656037ULL + seed;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
    for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(hash >> shift));
  }
  return model::Bytes(std::move(out));
}

}  // namespace

model::Bytes content_hash(const model::Namespace& item) {
  model::Namespace bare = item;
  bare.hash = {};
  bare.create_index = bare.modify_index = 0;
  return hash_text(model::to_msgpack(bare));
}

model::Bytes content_hash(const model::NodePool& pool) {
  model::NodePool bare = pool;
  bare.hash = {};
  bare.create_index = bare.modify_index = 0;
  return hash_text(model::to_msgpack(bare));
}

std::vector<std::string> pool_uses(const Tables& t, std::string_view name) {
  std::vector<std::string> out;
  bool used = false;
  t.jobs.scan([&](const JobPtr& job) {
    used = job->node_pool == name && job->status != "dead";
    return !used;
  });
  if (used) out.emplace_back("non-terminal jobs");
  used = false;
  t.nodes.scan([&](const NodePtr& node) {
    used = node->node_pool == name;
    return !used;
  });
  if (used) out.emplace_back("nodes");
  return out;
}

std::vector<std::string> namespace_uses(const Tables& t, std::string_view name) {
  std::vector<std::string> out;
  bool used = false;
  t.jobs.scan({name, {}}, [&](const JobPtr& job) {
    if (job->namespace_ != name) return false;
    used = job->status != "dead";
    return !used;
  });
  if (used) out.emplace_back("non-terminal jobs");
  used = false;
  t.allocs_namespace.scan({name, 0, {}}, [&](const AllocPtr& alloc) {
    if (alloc->namespace_ != name) return false;
    used = !terminal(*alloc);
    return !used;
  });
  if (used) out.emplace_back("non-terminal allocations");
  return out;
}

void Txn::put_node_pool(model::NodePool pool) {
  const NodePoolPtr* found = t_.node_pools.find(pool.name);
  const NodePoolPtr before = found != nullptr ? *found : nullptr;
  pool.create_index = before ? before->create_index : index_;
  pool.modify_index = index_;
  auto stored = std::make_shared<const model::NodePool>(std::move(pool));
  t_.node_pools.put(stored);
  record(Table::node_pools, before ? Object(before) : Object(), std::move(stored));
}

void Txn::delete_node_pool(std::string_view name) {
  const NodePoolPtr* found = t_.node_pools.find(name);
  if (found == nullptr) return;
  NodePoolPtr before = *found;
  t_.node_pools.erase(name);
  record(Table::node_pools, std::move(before), {});
}

void Txn::put_namespace(model::Namespace item) {
  const NamespacePtr* found = t_.namespaces.find(item.name);
  const NamespacePtr before = found != nullptr ? *found : nullptr;
  item.create_index = before ? before->create_index : index_;
  item.modify_index = index_;
  auto stored = std::make_shared<const model::Namespace>(std::move(item));
  t_.namespaces.put(stored);
  record(Table::namespaces, before ? Object(before) : Object(), std::move(stored));
}

void Txn::delete_namespace(std::string_view name) {
  const NamespacePtr* found = t_.namespaces.find(name);
  if (found == nullptr) return;
  NamespacePtr before = *found;
  t_.namespaces.erase(name);
  record(Table::namespaces, std::move(before), {});
}

}  // namespace drover::state
