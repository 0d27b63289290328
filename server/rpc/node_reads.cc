#include "server/rpc/query.h"
#include "server/rpc/stubs.h"

namespace drover::rpc {
namespace {

using state::AllocPtr;
using state::NodePtr;
using state::Scope;
using state::Snapshot;
using state::Table;
using state::WatchSet;

// More allocations than this are fetched by the client in pieces.
constexpr std::size_t max_changed = 256;

Async<Result<model::ListReply<model::NodeListStub>>> list(Context& c, model::ListRequest request) {
  using Reply = model::ListReply<model::NodeListStub>;
  std::function<Result<Reply>(const Snapshot&, WatchSet&)> read = [&c, &request](const Snapshot& s, WatchSet& watch) -> Result<Reply> {
    auto match = make_matcher(c, request);
    if (!match) return fail(match.error());
    std::string prefix;
    if (!request.prefix.empty()) {
      auto parsed = uuid_prefix("node", request.prefix);
      if (!parsed) return fail(parsed.error());
      prefix = std::move(*parsed);
    }
    Reply reply;
    reply.items.allocate();
    using Nodes = decltype(s.tables().nodes);
    const std::string high = after_prefix(prefix);
    std::optional<std::string_view> start;
    if (!request.next_token.empty()) start = request.next_token;
    const bool every_pool = request.node_pool.empty() || request.node_pool == "all";
    std::function<bool(const NodePtr&)> of_pool = [&](const NodePtr& node) { return every_pool || node->node_pool == request.node_pool; };
    auto next = walk<Nodes, NodePtr>(s.tables().nodes, prefix, high, start, request, *match, [](const NodePtr& node) { return node->id; },
                                     [&](const NodePtr& node) { reply.items.push_back(node_stub(*node, request.include_resources, request.include_os)); }, of_pool);
    if (!next) return fail(next.error());
    watch_list(watch, Table::nodes, "*", prefix, !reply.items.empty());
    reply.next_token = std::move(*next);
    reply.index = s.index_of(Table::nodes);
    return reply;
  };
  auto reply = co_await query<Reply>(c, request, std::move(read));
  co_return reply;
}

Async<Result<model::ObjectReply<model::Node>>> get(Context& c, model::ObjectRequest request) {
  using Reply = model::ObjectReply<model::Node>;
  if (auto valid = check_uuid("node", request.id); !valid) co_return fail(valid.error());
  std::function<Result<Reply>(const Snapshot&, WatchSet&)> read = [&request](const Snapshot& s, WatchSet& watch) -> Result<Reply> {
    Reply reply;
    if (const NodePtr node = s.node(request.id)) {
      watch.add(Table::nodes, Scope::key, request.id);
      auto copy = std::make_shared<model::Node>(*node);
      copy->secret_id.clear();
      reply.item = std::move(copy);
      reply.index = node->modify_index;
    } else {
      watch.add(Table::nodes, Scope::all);
      reply.index = s.index_of(Table::nodes);
    }
    return reply;
  };
  auto reply = co_await query<Reply>(c, request, std::move(read));
  co_return reply;
}

Async<Result<model::ListReply<AllocPtr>>> allocations(Context& c, model::ObjectRequest request) {
  using Reply = model::ListReply<AllocPtr>;
  if (auto valid = check_uuid("node", request.id); !valid) co_return fail(valid.error());
  std::function<Result<Reply>(const Snapshot&, WatchSet&)> read = [&request](const Snapshot& s, WatchSet& watch) -> Result<Reply> {
    watch.add(Table::allocs, Scope::node, request.id);
    Reply reply;
    reply.items.allocate();
    for (auto& alloc : s.allocs_by_node(request.id)) {
      reply.index = std::max(reply.index, alloc->modify_index);
      reply.items.push_back(std::move(alloc));
    }
    // An index of 0 would keep nobody waiting.
    if (reply.items.empty()) reply.index = std::max<std::uint64_t>(1, s.index_of(Table::nodes));
    return reply;
  };
  auto reply = co_await query<Reply>(c, request, std::move(read));
  co_return reply;
}

Result<model::NodeClientAllocsReply> read_client_allocs(const model::NodeClientAllocsRequest& request, const Snapshot& s, WatchSet& watch) {
  const NodePtr node = s.node(request.node_id);
  if (!node) return fail(Code::not_found, "node not found");
  if (node->secret_id != request.secret_id) return fail(Code::permission_denied, "Permission denied");
  watch.add(Table::allocs, Scope::desired, request.node_id);
  model::NodeClientAllocsReply reply;
  std::uint64_t newest = 0;
  for (auto& alloc : s.allocs_by_node(request.node_id)) {
    newest = std::max(newest, alloc->alloc_modify_index);
    reply.alloc_modify_indexes.emplace(alloc->id, alloc->alloc_modify_index);
    // At first sight what already ended is of no use to the client; it asks for it if it does know it.
    const bool wanted = request.min_query_index == 0 ? !state::client_terminal(*alloc) : alloc->alloc_modify_index > request.min_query_index;
    if (wanted && reply.changed.size() < max_changed) reply.changed.push_back(std::move(alloc));
  }
  reply.alloc_modify_indexes.allocate();
  reply.index = std::max({newest, s.tables().allocs_deleted_index, std::uint64_t{1}});
  return reply;
}

Async<Result<model::NodeClientAllocsReply>> client_allocs(Context& c, model::NodeClientAllocsRequest request) {
  using Reply = model::NodeClientAllocsReply;
  std::function<Result<Reply>(const Snapshot&, WatchSet&)> read = [&request](const Snapshot& s, WatchSet& watch) {
    return read_client_allocs(request, s, watch);
  };
  auto reply = co_await query<Reply>(c, request, std::move(read));
  co_return reply;
}

}  // namespace

void add_node_reads(Context& c, wire::Registry& registry) {
  namespace e = wire::endpoints;
  registry.add(e::node_list, std::function([&c](model::ListRequest r) { return list(c, std::move(r)); }));
  registry.add(e::node_get, std::function([&c](model::ObjectRequest r) { return get(c, std::move(r)); }));
  registry.add(e::node_allocations, std::function([&c](model::ObjectRequest r) { return allocations(c, std::move(r)); }));
  registry.add(e::node_client_allocs, std::function([&c](model::NodeClientAllocsRequest r) { return client_allocs(c, std::move(r)); }));
}

}  // namespace drover::rpc
