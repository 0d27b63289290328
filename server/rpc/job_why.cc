// Every node with every reason: `job why`.
#include "server/rpc/query.h"
#include "server/scheduler/why.h"

namespace drover::rpc {
namespace {

using Reply = model::ObjectReply<model::JobWhy>;

Async<Result<Reply>> why(Context& c, model::ObjectRequest request) {
  // Never parks: the answer depends on more tables than can be watched.
  const auto snapshot = c.fsm.store().snapshot();
  Reply reply;
  reply.index = snapshot->index();
  reply.known_leader = true;
  const auto job = snapshot->job(namespace_or_default(request.namespace_), request.id);
  if (job) reply.item = std::make_shared<const model::JobWhy>(scheduler::explain(*snapshot, *job, c.rng));
  co_return reply;
}

}  // namespace

void add_job_why(Context& c, wire::Registry& registry) {
  registry.add(wire::endpoints::job_why, std::function([&c](model::ObjectRequest r) { return why(c, std::move(r)); }));
}

}  // namespace drover::rpc
