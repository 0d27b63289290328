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
      reply.items.push_back(alloc_stub(alloc, false, true));
      reply.index = std::max(reply.index, alloc->modify_index);
    }
    if (reply.items.empty()) reply.index = s.index_of(Table::allocs);
    return reply;
  };
  auto reply = co_await query<Reply>(c, request, std::move(read));
  co_return reply;
}

// What may go: an evaluation that has ended, and with it the allocations it made, unless one still runs.
Result<> check_deletable(const Snapshot& s, const model::Evaluation& eval) {
  if (!state::terminal(eval)) return fail(Code::internal, "eval {} is not safe to delete: eval status is not terminal", eval.id);
  for (const auto& alloc : s.allocs_by_eval(eval.id)) {
    if (state::terminal(*alloc)) continue;
    return fail(Code::internal, "eval {} is not safe to delete: alloc {} is not terminal", eval.id, alloc->id);
  }
  return {};
}

Async<Result<model::EvalDeleteResponse>> remove(Context& c, model::EvalDeleteRequest request) {
  constexpr std::size_t most = 7281;  // ids in one entry of the log
  const bool by_filter = !request.filter.empty();
  if (by_filter && !request.eval_ids.empty()) co_return fail(Code::invalid_argument, "evals cannot be deleted by both ID and filter");
  if (!by_filter && request.eval_ids.empty()) co_return fail(Code::invalid_argument, "evals must be deleted by either ID or filter");
  const auto snapshot = c.fsm.store().snapshot();
  if (!snapshot->scheduler_config().pause_eval_broker) co_return fail(Code::internal, "eval broker is enabled; eval broker must be paused to delete evals");
  fsm::EvalDelete message;
  if (by_filter) {
    if (!c.hooks.parse_filter) co_return fail(Code::unimplemented, "filter expressions are not available");
    const auto match = c.hooks.parse_filter(request.filter);
    if (!match) co_return fail(Error(Code::internal, match.error().message()));
    std::optional<Error> error;
    snapshot->tables().evals.scan([&](const EvalPtr& eval) {
      const auto matched = (*match)(state::Object(eval));
      if (!matched) error = matched.error();
      else if (*matched && check_deletable(*snapshot, *eval)) message.evals.push_back(eval->id);
      return !error && message.evals.size() < most;
    });
    if (error) co_return fail(Error(Code::internal, error->message()));
  } else {
    for (const auto& id : request.eval_ids) {
      const EvalPtr eval = snapshot->eval(id);
      if (!eval) co_return fail(Code::internal, "eval not found");
      DROVER_CO_TRY(check_deletable(*snapshot, *eval));
      message.evals.push_back(id);
    }
  }
  model::EvalDeleteResponse reply;
  reply.count = static_cast<std::int64_t>(message.evals.size());
  if (message.evals.empty()) co_return reply;
  for (const auto& id : message.evals) {
    for (const auto& alloc : snapshot->allocs_by_eval(id)) message.allocs.push_back(alloc->id);
  }
  auto index = co_await c.writer.write(std::move(message));
  if (!index) co_return fail(index.error());
  reply.index = *index;
  co_return reply;
}

}  // namespace

void add_eval_handlers(Context& c, wire::Registry& registry) {
  namespace e = wire::endpoints;
  registry.add(e::eval_list, std::function([&c](model::ListRequest r) { return list(c, std::move(r)); }));
  registry.add(e::eval_count, std::function([&c](model::ListRequest r) { return count(c, std::move(r)); }));
  registry.add(e::eval_get, std::function([&c](model::ObjectRequest r) { return get(c, std::move(r)); }));
  registry.add(e::eval_delete, std::function([&c](model::EvalDeleteRequest r) { return remove(c, std::move(r)); }));
  registry.add(e::eval_allocations, std::function([&c](model::ObjectRequest r) { return allocations(c, std::move(r)); }));
}

}  // namespace drover::rpc
