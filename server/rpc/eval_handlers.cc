#include "server/rpc/query.h"
#include "server/rpc/stubs.h"

namespace drover::rpc {
namespace {

using state::EvalPtr;
using state::Scope;
using state::Snapshot;
using state::Table;
using state::WatchSet;
using EvalReply = model::ListReply<EvalPtr>;

struct Listed {
  std::uint64_t index = 0;
  std::string next_token;
};

// Visits one page of evaluations and says what the list depends on.
template <class Emit>
Result<Listed> list_evals(const Context& c, const model::ListRequest& request, const Snapshot& s, WatchSet& watch, Emit emit) {
  if (!request.filter.empty() && (!request.job_id.empty() || !request.status.empty())) {
    return fail(Code::invalid_argument, "Filter expression cannot be used with other filter parameters");
  }
  auto match = make_matcher(c, request);
  if (!match) return fail(match.error());
  std::string prefix;
  if (!request.prefix.empty()) {
    auto parsed = uuid_prefix("eval", request.prefix);
    if (!parsed) return fail(parsed.error());
    prefix = std::move(*parsed);
  }
  const std::string ns = request.all_namespaces ? "*" : namespace_or_default(request.namespace_);
  bool any = false;
  std::function<bool(const EvalPtr&)> also = [&](const EvalPtr& eval) {
    any = true;
    return (request.job_id.empty() || eval->job_id == request.job_id) && (request.status.empty() || eval->status == request.status);
  };
  const state::Tables& t = s.tables();
  auto next = walk_created<EvalPtr>(t.evals, t.evals_created, t.evals_namespace, prefix, ns, request, *match, emit, also);
  if (!next) return fail(next.error());
  watch_list(watch, Table::evals, ns, prefix, any);
  return Listed{s.index_of(Table::evals), std::move(*next)};
}

Async<Result<EvalReply>> list(Context& c, model::ListRequest request) {
  std::function<Result<EvalReply>(const Snapshot&, WatchSet&)> read = [&c, &request](const Snapshot& s, WatchSet& watch) -> Result<EvalReply> {
    EvalReply reply;
    reply.items.allocate();
    auto listed = list_evals(c, request, s, watch, [&](const EvalPtr& eval) { reply.items.push_back(eval); });
    if (!listed) return fail(listed.error());
    reply.index = listed->index;
    reply.next_token = std::move(listed->next_token);
    return reply;
  };
  auto reply = co_await query<EvalReply>(c, request, std::move(read));
  co_return reply;
}

Async<Result<model::EvalCountResponse>> count(Context& c, model::ListRequest request) {
  using Reply = model::EvalCountResponse;
  std::function<Result<Reply>(const Snapshot&, WatchSet&)> read = [&c, &request](const Snapshot& s, WatchSet& watch) -> Result<Reply> {
    Reply reply;
    auto listed = list_evals(c, request, s, watch, [&](const EvalPtr&) { ++reply.count; });
    if (!listed) return fail(listed.error());
    reply.index = listed->index;
    return reply;
  };
  auto reply = co_await query<Reply>(c, request, std::move(read));
  co_return reply;
}

Async<Result<model::ObjectReply<model::Evaluation>>> get(Context& c, model::ObjectRequest request) {
  using Reply = model::ObjectReply<model::Evaluation>;
  if (auto valid = check_uuid("failed to lookup eval: eval", request.id); !valid) co_return fail(valid.error());
  std::function<Result<Reply>(const Snapshot&, WatchSet&)> read = [&request](const Snapshot& s, WatchSet& watch) -> Result<Reply> {
    Reply reply;
    reply.item = s.eval(request.id);
    if (reply.item) watch.add(Table::evals, Scope::key, request.id);
    else watch.add(Table::evals, Scope::all);
    reply.index = reply.item ? reply.item->modify_index : s.index_of(Table::evals);
    return reply;
  };
  auto reply = co_await query<Reply>(c, request, std::move(read));
  co_return reply;
}

Async<Result<model::ListReply<model::AllocListStub>>> allocations(Context& c, model::ObjectRequest request) {
  using Reply = model::ListReply<model::AllocListStub>;
  std::function<Result<Reply>(const Snapshot&, WatchSet&)> read = [&request](const Snapshot& s, WatchSet& watch) -> Result<Reply> {
    watch.add(Table::allocs, Scope::eval, request.id);
    Reply reply;
    reply.items.allocate();
    for (const auto& alloc : s.allocs_by_eval(request.id)) {
      reply.items.push_back(alloc_stub(*alloc, false, true));
      reply.index = std::max(reply.index, alloc->modify_index);
    }
    if (reply.items.empty()) reply.index = s.index_of(Table::allocs);
    return reply;
  };
  auto reply = co_await query<Reply>(c, request, std::move(read));
  co_return reply;
}

}  // namespace

void add_eval_handlers(Context& c, wire::Registry& registry) {
  namespace e = wire::endpoints;
  registry.add(e::eval_list, std::function([&c](model::ListRequest r) { return list(c, std::move(r)); }));
  registry.add(e::eval_count, std::function([&c](model::ListRequest r) { return count(c, std::move(r)); }));
  registry.add(e::eval_get, std::function([&c](model::ObjectRequest r) { return get(c, std::move(r)); }));
  registry.add(e::eval_allocations, std::function([&c](model::ObjectRequest r) { return allocations(c, std::move(r)); }));
}

}  // namespace drover::rpc
