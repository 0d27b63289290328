#include "server/rpc/context.h"

namespace drover::rpc {
namespace {

Async<Result<model::WriteMeta>> collect_garbage(Context& c) {
  auto index = co_await gc::collect(c.writer, c.fsm, *c.files, c.gc, c.clock.unix_nanos(), gc::everything_at_once);
  if (!index) co_return fail(index.error());
  model::WriteMeta reply;
  reply.index = *index;
  co_return reply;
}

Async<Result<model::WriteMeta>> reconcile(Context& c) {
  auto index = co_await c.writer.write(fsm::ReconcileSummaries{});
  if (!index) co_return fail(index.error());
  model::WriteMeta reply;
  reply.index = *index;
  co_return reply;
}

Async<Result<model::SchedulerConfigurationResponse>> scheduler_config(Context& c) {
  const auto snapshot = c.fsm.store().snapshot();
  model::SchedulerConfigurationResponse reply;
  reply.scheduler_config = snapshot->scheduler_config();
  reply.index = snapshot->index_of(state::Table::scheduler_config);
  reply.known_leader = c.writer.is_leader();
  co_return reply;
}

Async<Result<model::SchedulerSetConfigurationResponse>> set_scheduler_config(Context& c, model::SchedulerSetConfigurationRequest request) {
  const std::string& algorithm = request.config.scheduler_algorithm;
  if (!algorithm.empty() && algorithm != "binpack" && algorithm != "spread") {
    co_return fail(Code::invalid_argument, "invalid scheduler algorithm: {}", algorithm);
  }
  fsm::SchedulerConfig message;
  message.config = std::move(request.config);
  if (message.config.scheduler_algorithm.empty()) message.config.scheduler_algorithm = "binpack";
  message.check_index = request.check_index;
  model::SchedulerSetConfigurationResponse reply;
  auto index = co_await c.writer.write(std::move(message));
  if (!index && index.error().code() != Code::conflict) co_return fail(index.error());
  // A check that failed is an answer, not an error.
  reply.updated = index.has_value();
  reply.index = index ? *index : c.fsm.store().tables().index;
  co_return reply;
}

}  // namespace

void add_operator_handlers(Context& c, wire::Registry& registry) {
  namespace e = wire::endpoints;
  registry.add(e::system_gc, std::function([&c](model::EmptyRequest) { return collect_garbage(c); }));
  registry.add(e::system_reconcile, std::function([&c](model::EmptyRequest) { return reconcile(c); }));
  registry.add(e::scheduler_config_get, std::function([&c](model::EmptyRequest) { return scheduler_config(c); }));
  registry.add(e::scheduler_config_set, std::function([&c](model::SchedulerSetConfigurationRequest r) { return set_scheduler_config(c, std::move(r)); }));
}

}  // namespace drover::rpc
