// Namespaces and node pools.
#include <algorithm>

#include "sdk/base/text.h"
#include "server/rpc/query.h"

namespace drover::rpc {
namespace {

using state::NamespacePtr;
using state::NodePoolPtr;
using state::Scope;
using state::Snapshot;
using state::Table;
using state::WatchSet;

constexpr std::size_t max_name = 128;
constexpr std::size_t max_description = 256;

bool valid_name(std::string_view name, std::string_view extra) {
  return !name.empty() && name.size() <= max_name && std::ranges::all_of(name, [&](char c) {
           return std::isalnum(static_cast<unsigned char>(c)) != 0 || extra.find(c) != std::string_view::npos;
         });
}

// A list of a table whose objects are known by their name.
template <class Ptr, class Tree>
Result<model::ListReply<Ptr>> list_named(const Context& c, const model::ListRequest& request, const Snapshot& s, WatchSet& watch,
                                         const Tree& tree, Table table) {
  auto match = make_matcher(c, request);
  if (!match) return fail(match.error());
  model::ListReply<Ptr> reply;
  reply.items.allocate();
  const std::string high = after_prefix(request.prefix);
  std::optional<std::string_view> start;
  if (!request.next_token.empty()) start = request.next_token;
  auto next = walk<Tree, Ptr>(tree, request.prefix, high, start, request, *match, [](const Ptr& item) { return item->name; },
                              [&](const Ptr& item) { reply.items.push_back(item); });
  if (!next) return fail(next.error());
  watch_list(watch, table, "*", request.prefix, !reply.items.empty());
  reply.next_token = std::move(*next);
  reply.index = s.index_of(table);
  return reply;
}

template <class Item>
model::ObjectReply<Item> get_named(std::shared_ptr<const Item> item, const std::string& name, const Snapshot& s, WatchSet& watch, Table table) {
  model::ObjectReply<Item> reply;
  watch.add(table, Scope::key, name);
  reply.index = item ? item->modify_index : s.index_of(table);
  reply.item = std::move(item);
  return reply;
}

// Refused while it is used; the regions are named because every one of a federation would have to agree.
Result<> check_unused(const Context& c, std::string_view kind, std::string_view name, const std::vector<std::string>& uses) {
  std::vector<std::string> errors;
  for (const auto& use : uses) errors.push_back(fmt::format("{} {} has {} in regions: [{}]", kind, quote(name), use, c.region));
  if (errors.empty()) return {};
  return fail(Error(Code::internal, error_list(errors)));
}

Async<Result<model::ListReply<NodePoolPtr>>> list_pools(Context& c, model::ListRequest request) {
  using Reply = model::ListReply<NodePoolPtr>;
  std::function<Result<Reply>(const Snapshot&, WatchSet&)> read = [&c, &request](const Snapshot& s, WatchSet& watch) {
    return list_named<NodePoolPtr>(c, request, s, watch, s.tables().node_pools, Table::node_pools);
  };
  auto reply = co_await query<Reply>(c, request, std::move(read));
  co_return reply;
}

Async<Result<model::ObjectReply<model::NodePool>>> get_pool(Context& c, model::ObjectRequest request) {
  using Reply = model::ObjectReply<model::NodePool>;
  std::function<Result<Reply>(const Snapshot&, WatchSet&)> read = [&request](const Snapshot& s, WatchSet& watch) -> Result<Reply> {
    return get_named<model::NodePool>(s.node_pool(request.id), request.id, s, watch, Table::node_pools);
  };
  auto reply = co_await query<Reply>(c, request, std::move(read));
  co_return reply;
}

Async<Result<model::WriteMeta>> upsert_pool(Context& c, model::NodePoolUpsertRequest request) {
  if (!request.item) co_return fail(Code::invalid_argument, "must specify at least one node pool");
  model::NodePool pool = *request.item;
  std::vector<std::string> errors;
  if (!valid_name(pool.name, "-_")) errors.push_back(fmt::format("invalid name {}, must match regex ^[a-zA-Z0-9-_]{{1,128}}$", quote(pool.name)));
  if (pool.description.size() > max_description) errors.push_back(fmt::format("description longer than {}", max_description));
  if (!errors.empty()) co_return fail(Code::invalid_argument, "invalid node pool {}: {}", quote(pool.name), error_list(errors));
  if (pool.name == "all" || pool.name == "default") co_return fail(Code::invalid_argument, "modifying node pool {} is not allowed", quote(pool.name));
  if (pool.node_identity_ttl.count() == 0) pool.node_identity_ttl = model::default_node_identity_ttl;
  pool.hash = state::content_hash(pool);
  fsm::NodePoolUpsert message;
  message.pools.push_back(std::move(pool));
  auto index = co_await c.writer.write(std::move(message));
  if (!index) co_return fail(index.error());
  co_return model::WriteMeta{*index};
}

Async<Result<model::WriteMeta>> delete_pool(Context& c, model::NameRequest request) {
  const auto snapshot = c.fsm.store().snapshot();
  if (!snapshot->node_pool(request.name)) co_return fail(Code::internal, "node pool {} not found", request.name);
  if (auto unused = check_unused(c, "node pool", request.name, state::pool_uses(snapshot->tables(), request.name)); !unused) {
    co_return fail(unused.error());
  }
  if (request.name == "all" || request.name == "default") {
    co_return fail(Code::invalid_argument, "deleting node pool {} is not allowed", quote(request.name));
  }
  fsm::NodePoolDelete message;
  message.names.push_back(request.name);
  auto index = co_await c.writer.write(std::move(message));
  if (!index) co_return fail(index.error());
  co_return model::WriteMeta{*index};
}

Async<Result<model::ListReply<NamespacePtr>>> list_namespaces(Context& c, model::ListRequest request) {
  using Reply = model::ListReply<NamespacePtr>;
  std::function<Result<Reply>(const Snapshot&, WatchSet&)> read = [&c, &request](const Snapshot& s, WatchSet& watch) {
    return list_named<NamespacePtr>(c, request, s, watch, s.tables().namespaces, Table::namespaces);
  };
  auto reply = co_await query<Reply>(c, request, std::move(read));
  co_return reply;
}

Async<Result<model::ObjectReply<model::Namespace>>> get_namespace(Context& c, model::ObjectRequest request) {
  using Reply = model::ObjectReply<model::Namespace>;
  std::function<Result<Reply>(const Snapshot&, WatchSet&)> read = [&request](const Snapshot& s, WatchSet& watch) -> Result<Reply> {
    return get_named<model::Namespace>(s.name_space(request.id), request.id, s, watch, Table::namespaces);
  };
  auto reply = co_await query<Reply>(c, request, std::move(read));
  co_return reply;
}

Async<Result<model::WriteMeta>> upsert_namespace(Context& c, model::NamespaceUpsertRequest request) {
  if (!request.item) co_return fail(Code::invalid_argument, "must specify at least one namespace");
  model::Namespace item = *request.item;
  std::vector<std::string> errors;
  if (!valid_name(item.name, "-")) errors.push_back(fmt::format("invalid name {}. Must match regex ^[a-zA-Z0-9-]{{1,128}}$", quote(item.name)));
  if (item.description.size() > max_description) errors.push_back(fmt::format("description longer than {}", max_description));
  // Nothing acts on it yet; a limit that is stored and does not hold would be worse than a refusal.
  if (item.node_pool_configuration) errors.emplace_back("invalid node pool configuration: Node Pools Governance is unlicensed.");
  if (!errors.empty()) co_return fail(Code::internal, "Invalid namespace {}: {}", quote(item.name), error_list(errors));
  if (!item.quota.empty()) co_return fail(Code::internal, "namespace {} using non-existent quota {}", quote(item.name), quote(item.quota));
  item.hash = state::content_hash(item);
  fsm::NamespaceUpsert message;
  message.namespaces.push_back(std::move(item));
  auto index = co_await c.writer.write(std::move(message));
  if (!index) co_return fail(index.error());
  co_return model::WriteMeta{*index};
}

Async<Result<model::WriteMeta>> delete_namespace(Context& c, model::NameRequest request) {
  if (request.name == "default") co_return fail(Code::internal, "can not delete default namespace");
  const auto snapshot = c.fsm.store().snapshot();
  if (auto unused = check_unused(c, "namespace", request.name, state::namespace_uses(snapshot->tables(), request.name)); !unused) {
    co_return fail(unused.error());
  }
  if (!snapshot->name_space(request.name)) co_return fail(Code::internal, "namespace not found");
  fsm::NamespaceDelete message;
  message.names.push_back(request.name);
  auto index = co_await c.writer.write(std::move(message));
  if (!index) co_return fail(index.error());
  co_return model::WriteMeta{*index};
}

}  // namespace

void add_space_handlers(Context& c, wire::Registry& registry) {
  namespace e = wire::endpoints;
  registry.add(e::node_pool_list, std::function([&c](model::ListRequest r) { return list_pools(c, std::move(r)); }));
  registry.add(e::node_pool_get, std::function([&c](model::ObjectRequest r) { return get_pool(c, std::move(r)); }));
  registry.add(e::node_pool_upsert, std::function([&c](model::NodePoolUpsertRequest r) { return upsert_pool(c, std::move(r)); }));
  registry.add(e::node_pool_delete, std::function([&c](model::NameRequest r) { return delete_pool(c, std::move(r)); }));
  registry.add(e::namespace_list, std::function([&c](model::ListRequest r) { return list_namespaces(c, std::move(r)); }));
  registry.add(e::namespace_get, std::function([&c](model::ObjectRequest r) { return get_namespace(c, std::move(r)); }));
  registry.add(e::namespace_upsert, std::function([&c](model::NamespaceUpsertRequest r) { return upsert_namespace(c, std::move(r)); }));
  registry.add(e::namespace_delete, std::function([&c](model::NameRequest r) { return delete_namespace(c, std::move(r)); }));
}

}  // namespace drover::rpc
