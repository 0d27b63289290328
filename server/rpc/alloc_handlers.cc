#include "server/rpc/query.h"
#include "server/rpc/stubs.h"

namespace drover::rpc {
namespace {

using state::AllocPtr;
using state::Scope;
using state::Snapshot;
using state::Table;
using state::WatchSet;

Async<Result<model::ListReply<model::AllocListStub>>> list(Context& c, model::ListRequest request) {
  using Reply = model::ListReply<model::AllocListStub>;
  std::function<Result<Reply>(const Snapshot&, WatchSet&)> read = [&c, &request](const Snapshot& s, WatchSet& watch) -> Result<Reply> {
    auto match = make_matcher(c, request);
    if (!match) return fail(match.error());
    std::string prefix;
    if (!request.prefix.empty()) {
      auto parsed = uuid_prefix("alloc", request.prefix);
      if (!parsed) return fail(parsed.error());
      prefix = std::move(*parsed);
    }
    const std::string ns = request.all_namespaces ? "*" : namespace_or_default(request.namespace_);
    Reply reply;
    reply.items.allocate();
    const auto emit = [&](const AllocPtr& alloc) {
      reply.items.push_back(alloc_stub(alloc, request.include_resources, !request.no_task_states));
    };
    const state::Tables& t = s.tables();
    auto next = walk_created<AllocPtr>(t.allocs, t.allocs_created, t.allocs_namespace, prefix, ns, request, *match, emit);
    if (!next) return fail(next.error());
    watch_list(watch, Table::allocs, ns, prefix, !reply.items.empty());
    reply.next_token = std::move(*next);
    reply.index = s.index_of(Table::allocs);
    return reply;
  };
  auto reply = co_await query<Reply>(c, request, std::move(read));
  co_return reply;
}

Async<Result<model::ObjectReply<model::Allocation>>> get(Context& c, model::ObjectRequest request) {
  using Reply = model::ObjectReply<model::Allocation>;
  if (auto valid = check_uuid("alloc", request.id); !valid) co_return fail(valid.error());
  std::function<Result<Reply>(const Snapshot&, WatchSet&)> read = [&request](const Snapshot& s, WatchSet& watch) -> Result<Reply> {
    Reply reply;
    reply.item = s.alloc(request.id);
    if (reply.item) watch.add(Table::allocs, Scope::key, request.id);
    else watch.add(Table::allocs, Scope::all);
    reply.index = reply.item ? reply.item->modify_index : s.index_of(Table::allocs);
    return reply;
  };
  auto reply = co_await query<Reply>(c, request, std::move(read));
  co_return reply;
}

// The allocations a client lacks. Those that are gone meanwhile are left out.
Async<Result<model::ListReply<AllocPtr>>> get_many(Context& c, model::AllocGetRequest request) {
  const auto snapshot = c.fsm.store().snapshot();
  model::ListReply<AllocPtr> reply;
  for (const auto& id : request.alloc_ids) {
    if (AllocPtr alloc = snapshot->alloc(id)) reply.items.push_back(std::move(alloc));
  }
  reply.index = snapshot->index_of(Table::allocs);
  reply.known_leader = true;
  co_return reply;
}

Async<Result<model::AllocStopResponse>> stop(Context& c, model::AllocStopRequest request) {
  const AllocPtr alloc = c.fsm.store().snapshot()->alloc(request.alloc_id);
  if (!alloc) co_return fail(Error(Code::not_found, "allocation not found").with_http_status(404));
  model::Job job;
  if (alloc->job) job = *alloc->job;
  job.namespace_ = alloc->namespace_;
  job.id = alloc->job_id;
  auto eval = new_eval(c, job, "alloc-stop");
  model::AllocStopResponse reply;
  reply.eval_id = eval->id;
  fsm::AllocDesiredTransition message;
  message.now = c.clock.unix_nanos();
  model::DesiredTransition transition;
  if (request.reschedule) transition.reschedule = true;
  else transition.migrate = true;
  if (request.no_shutdown_delay) transition.no_shutdown_delay = true;
  message.transitions[alloc->id] = transition;
  message.evals.push_back(std::move(eval));
  auto index = co_await c.writer.write(std::move(message));
  if (!index) co_return fail(index.error());
  reply.index = *index;
  co_return reply;
}

}  // namespace

void add_alloc_handlers(Context& c, wire::Registry& registry) {
  namespace e = wire::endpoints;
  registry.add(e::alloc_list, std::function([&c](model::ListRequest r) { return list(c, std::move(r)); }));
  registry.add(e::alloc_get, std::function([&c](model::ObjectRequest r) { return get(c, std::move(r)); }));
  registry.add(e::alloc_get_many, std::function([&c](model::AllocGetRequest r) { return get_many(c, std::move(r)); }));
  registry.add(e::alloc_stop, std::function([&c](model::AllocStopRequest r) { return stop(c, std::move(r)); }));
}

}  // namespace drover::rpc
