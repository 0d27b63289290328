// Starting, changing and ending the drain of a node.
#include "server/rpc/context.h"

namespace drover::rpc {
namespace {

using Reply = model::NodeDrainUpdateResponse;

Async<Result<Reply>> update_drain(Context& c, model::NodeUpdateDrainRequest request) {
  const auto snapshot = c.fsm.store().snapshot();
  const auto node = snapshot->node(request.node_id);
  if (!node) co_return fail(Code::internal, "node not found");
  const UnixNanos now = c.clock.unix_nanos();
  fsm::NodeDrain message;
  message.node_id = request.node_id;
  message.mark_eligible = request.mark_eligible;
  message.updated_at = now / 1'000'000'000;
  message.meta = request.meta;
  message.accessor_id = "token:acls-disabled";
  model::NodeEvent event;
  event.subsystem = "Drain";
  event.timestamp = model::Time(now);
  if (request.drain_spec) {
    model::DrainStrategy strategy;
    strategy.deadline = request.drain_spec->deadline;
    strategy.ignore_system_jobs = request.drain_spec->ignore_system_jobs;
    // A changed drain keeps when it began.
    strategy.started_at = node->drain_strategy ? node->drain_strategy->started_at : model::Time(now);
    if (strategy.deadline.count() > 0) strategy.force_deadline = model::Time(now + strategy.deadline.count());
    message.strategy = strategy;
    event.message = node->drain_strategy ? "Node drain strategy updated" : "Node drain strategy set";
  } else {
    message.status = "canceled";
    event.message = "Node drain disabled";
    // An open node is worth a look to everything that wants one.
    if (node->scheduling_eligibility == "ineligible" && request.mark_eligible) {
      message.evals = nodes::node_evals(*snapshot, *node, now, c.rng);
    }
  }
  message.event = std::move(event);
  Reply reply;
  for (const auto& eval : message.evals) reply.eval_ids.push_back(eval->id);
  auto index = co_await c.writer.write(std::move(message));
  if (!index) co_return fail(index.error());
  reply.index = reply.node_modify_index = *index;
  if (!reply.eval_ids.empty()) reply.eval_create_index = *index;
  co_return reply;
}

}  // namespace

void add_node_drain(Context& c, wire::Registry& registry) {
  registry.add(wire::endpoints::node_update_drain, std::function([&c](model::NodeUpdateDrainRequest r) { return update_drain(c, std::move(r)); }));
}

}  // namespace drover::rpc
