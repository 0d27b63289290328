#include "server/broker/worker.h"

namespace drover::broker {

Async<> Worker::run() {
  while (!retired_) {
    auto delivery = c_.broker.dequeue(types_);
    if (!delivery) {
      co_await c_.ready.wait();
      continue;
    }
    const std::string id = delivery->eval->id;
    auto done = co_await process(delivery->eval, delivery->token);
    if (done) {
      // Refused when the evaluation was redelivered meanwhile: the other worker answers for it.
      (void)c_.broker.ack(id, delivery->token);
    } else {
      c_.log.warn("evaluation failed, it will be tried again", "eval_id", id, "error", done.error());
      (void)c_.broker.nack(id, delivery->token);
    }
  }
}

Async<scheduler::Step> Worker::step(std::function<scheduler::Step()> work, std::size_t nodes) {
  if (nodes <= c_.pool_above_nodes) co_return work();
  auto out = co_await run_blocking(c_.pool, std::move(work));
  co_return out;
}

Async<Result<>> Worker::write_evals(const scheduler::Step& step, std::uint64_t snapshot_index) {
  fsm::EvalUpdate message;
  const std::int64_t now = c_.clock.unix_nanos();
  const auto add = [&](model::Evaluation eval, bool fresh) {
    if (fresh || eval.create_time == 0) eval.create_time = now;
    eval.modify_time = now;
    eval.snapshot_index = snapshot_index;
    message.evals.push_back(std::make_shared<const model::Evaluation>(std::move(eval)));
  };
  for (const auto& eval : step.create_evals) add(eval, true);
  if (step.update) add(*step.update, false);
  if (!message.evals.empty()) {
    auto written = co_await c_.writer.write(std::move(message));
    if (!written) co_return fail(written.error(), "storing evaluations");
  }
  if (step.reblock) {
    // Not stored: after a restart the stored form is as good.
    model::Evaluation eval = *step.reblock;
    eval.snapshot_index = snapshot_index;
    c_.blocked.block(std::make_shared<const model::Evaluation>(std::move(eval)));
  }
  co_return Result<>{};
}

Async<Result<>> Worker::process(EvalPtr eval, std::string token) {
  if (eval->type == "_core") {
    auto done = co_await c_.run_core(eval);
    co_return done;
  }
  auto snapshot = c_.fsm.store().snapshot();
  std::shared_ptr<scheduler::EvalRun> run = c_.make_run(*eval, rng_, &table_);
  auto begin = [run, snapshot, now = c_.clock.unix_nanos()] { return run->begin(snapshot, now); };
  auto step_done = co_await step(std::move(begin), snapshot->node_count());
  for (;;) {
    auto written = co_await write_evals(step_done, snapshot->index());
    if (!written) co_return written;
    if (!step_done.plan) co_return Result<>{};
    auto plan = std::make_shared<model::Plan>(std::move(*step_done.plan));
    plan->eval_id = eval->id;
    plan->eval_token = token;
    plan->snapshot_index = snapshot->index();
    auto result = co_await c_.applier.submit(std::move(plan));
    if (!result) co_return fail(result.error());
    std::shared_ptr<const state::Snapshot> newer;
    if (result->refresh_index != 0) {
      newer = c_.fsm.store().snapshot();
      snapshot = newer;
    }
    auto resume = [run, newer, answer = std::move(*result), now = c_.clock.unix_nanos()] { return run->resume(answer, newer, now); };
    step_done = co_await step(std::move(resume), snapshot->node_count());
  }
}

}  // namespace drover::broker
