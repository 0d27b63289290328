#include "server/rpc/query.h"
#include "server/rpc/stubs.h"

namespace drover::rpc {
namespace {

using state::DeploymentPtr;
using state::Scope;
using state::Snapshot;
using state::Table;
using state::WatchSet;

Async<Result<model::ListReply<DeploymentPtr>>> list(Context& c, model::ListRequest request) {
  using Reply = model::ListReply<DeploymentPtr>;
  std::function<Result<Reply>(const Snapshot&, WatchSet&)> read = [&c, &request](const Snapshot& s, WatchSet& watch) -> Result<Reply> {
    auto match = make_matcher(c, request);
    if (!match) return fail(match.error());
    std::string prefix;
    if (!request.prefix.empty()) {
      auto parsed = uuid_prefix("", request.prefix);
      if (!parsed) return fail(parsed.error());
      prefix = std::move(*parsed);
    }
    const std::string ns = request.all_namespaces ? "*" : namespace_or_default(request.namespace_);
    Reply reply;
    reply.items.allocate();
    const state::Tables& t = s.tables();
    auto next = walk_created<DeploymentPtr>(t.deployments, t.deployments_created, t.deployments_namespace, prefix, ns, request, *match,
                                            [&](const DeploymentPtr& deployment) { reply.items.push_back(deployment); });
    if (!next) return fail(next.error());
    watch_list(watch, Table::deployment, ns, prefix, !reply.items.empty());
    reply.next_token = std::move(*next);
    reply.index = s.index_of(Table::deployment);
    return reply;
  };
  auto reply = co_await query<Reply>(c, request, std::move(read));
  co_return reply;
}

Async<Result<model::ObjectReply<model::Deployment>>> get(Context& c, model::ObjectRequest request) {
  using Reply = model::ObjectReply<model::Deployment>;
  if (auto valid = check_uuid("deployment", request.id); !valid) co_return fail(valid.error());
  std::function<Result<Reply>(const Snapshot&, WatchSet&)> read = [&request](const Snapshot& s, WatchSet& watch) -> Result<Reply> {
    Reply reply;
    reply.item = s.deployment(request.id);
    if (reply.item) watch.add(Table::deployment, Scope::key, request.id);
    else watch.add(Table::deployment, Scope::all);
    reply.index = reply.item ? reply.item->modify_index : s.index_of(Table::deployment);
    return reply;
  };
  auto reply = co_await query<Reply>(c, request, std::move(read));
  co_return reply;
}

Async<Result<model::ListReply<model::AllocListStub>>> allocations(Context& c, model::ObjectRequest request) {
  using Reply = model::ListReply<model::AllocListStub>;
  std::function<Result<Reply>(const Snapshot&, WatchSet&)> read = [&request](const Snapshot& s, WatchSet& watch) -> Result<Reply> {
    watch.add(Table::allocs, Scope::deployment, request.id);
    Reply reply;
    reply.items.allocate();
    for (const auto& alloc : s.allocs_by_deployment(request.id)) reply.items.push_back(alloc_stub(alloc, false, true));
    reply.index = s.index_of(Table::allocs);
    return reply;
  };
  auto reply = co_await query<Reply>(c, request, std::move(read));
  co_return reply;
}

}  // namespace

void add_deployment_handlers(Context& c, wire::Registry& registry) {
  namespace e = wire::endpoints;
  registry.add(e::deployment_list, std::function([&c](model::ListRequest r) { return list(c, std::move(r)); }));
  registry.add(e::deployment_get, std::function([&c](model::ObjectRequest r) { return get(c, std::move(r)); }));
  registry.add(e::deployment_allocations, std::function([&c](model::ObjectRequest r) { return allocations(c, std::move(r)); }));
}

}  // namespace drover::rpc
