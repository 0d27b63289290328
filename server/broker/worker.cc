#include "server/broker/worker.h"

namespace drover::broker {

Async<> Worker::run() {
  auto waiting_since = c_.clock.monotonic();
  while (!retired_) {
    auto delivery = c_.broker.dequeue(types_);
    if (!delivery) {
      co_await c_.ready.wait();
      continue;
    }
    const auto start = c_.clock.monotonic();
    c_.meter.since("nomad.worker.dequeue_eval", waiting_since);
    const std::string id = delivery->eval->id;
    auto done = co_await process(delivery->eval, delivery->token);
    if (done) {
      // Refused when the evaluation was redelivered meanwhile: the other worker answers for it.
      const auto done_at = c_.clock.monotonic();
      (void)c_.broker.ack(id, delivery->token);
      c_.meter.since("nomad.worker.send_ack", done_at);
    } else {
      c_.log.warn("evaluation failed, it will be tried again", "eval_id", id, "error", done.error());
      (void)c_.broker.nack(id, delivery->token);
    }
    measure(*delivery->eval, start);
    waiting_since = c_.clock.monotonic();
  }
}

// From the broker's view: how long it took from the evaluation's creation to now, and how much of that a worker had it.
void Worker::measure(const model::Evaluation& eval, std::chrono::steady_clock::time_point start) const {
  if (!c_.meter) return;
  const auto milliseconds = [](nanoseconds t) { return std::chrono::duration<double, std::milli>(t).count(); };
  const metrics::Labels labels{{"job", eval.job_id}, {"namespace", eval.namespace_}, {"eval_type", eval.type}, {"triggered_by", eval.triggered_by}};
  const nanoseconds worked = c_.clock.monotonic() - start;
  const nanoseconds answered = std::max(worked, nanoseconds(c_.clock.unix_nanos() - eval.create_time));
  c_.meter.sample("nomad.broker.process_time", milliseconds(worked), labels);
  c_.meter.sample("nomad.broker.response_time", milliseconds(answered), labels);
  c_.meter.sample("nomad.broker.wait_time", milliseconds(answered - worked), labels);
}

Async<scheduler::Step> Worker::step(std::string type, std::function<scheduler::Step()> work, std::size_t nodes) {
  const auto start = c_.clock.monotonic();
  scheduler::Step out;
  if (nodes <= c_.pool_above_nodes) out = work();
  else out = co_await run_blocking(c_.pool, std::move(work));
  c_.meter.since("nomad.worker.invoke_scheduler." + type, start);
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
    const auto start = c_.clock.monotonic();
    auto written = co_await c_.writer.write(std::move(message));
    if (!written) co_return fail(written.error(), "storing evaluations");
    if (step.update) c_.meter.since("nomad.worker.update_eval", start);
    if (!step.create_evals.empty()) c_.meter.since("nomad.worker.create_eval", start);
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
  auto snapshot = c_.fsm.store().snapshot();
  std::shared_ptr<scheduler::EvalRun> run = c_.make_run(*eval, rng_, &table_);
  auto begin = [run, snapshot, now = c_.clock.unix_nanos()] { return run->begin(snapshot, now); };
  auto step_done = co_await step(eval->type, std::move(begin), snapshot->node_count());
  for (;;) {
    auto written = co_await write_evals(step_done, snapshot->index());
    if (!written) co_return written;
    if (!step_done.plan) co_return Result<>{};
    auto plan = std::make_shared<model::Plan>(std::move(*step_done.plan));
    plan->eval_id = eval->id;
    plan->eval_token = token;
    plan->snapshot_index = snapshot->index();
    const auto submitted = c_.clock.monotonic();
    auto result = co_await c_.applier.submit(std::move(plan));
    c_.meter.since("nomad.worker.submit_plan", submitted);
    if (!result) co_return fail(result.error());
    std::shared_ptr<const state::Snapshot> newer;
    if (result->refresh_index != 0) {
      newer = c_.fsm.store().snapshot();
      snapshot = newer;
    }
    auto resume = [run, newer, answer = std::move(*result), now = c_.clock.unix_nanos()] { return run->resume(answer, newer, now); };
    step_done = co_await step(eval->type, std::move(resume), snapshot->node_count());
  }
}

}  // namespace drover::broker
