// What many allocations cost the servers' state: memory, and processor time of each step of their lives, without log and network.
// Jobs are registered, evaluated by the real scheduler, their plans checked as the applier does it, and every log entry is encoded,
// decoded and applied by the real state machine; then each node reports its allocations running, with the events a client sends.
// Usage: state-bench [jobs] [allocations of a job] [nodes] (100, 1000, 1000). Heap is what the allocator has given out (mallinfo2), less what it had when
// the nodes were registered.
#include <fmt/format.h>
#include <malloc.h>

#include <cstdlib>
#include <ctime>

#include "bench/many_tasks.h"
#include "lib/model/codec.h"
#include "sdk/base/uuid.h"
#include "server/broker/node_use.h"
#include "server/broker/plan_check.h"
#include "server/fsm/fsm.h"
#include "server/scheduler/fit/allocs_fit.h"
#include "server/scheduler/scheduler.h"

namespace {

using namespace drover;

double now_us() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

double heap_bytes() {
  const auto info = ::mallinfo2();
  return static_cast<double>(info.uordblks) + static_cast<double>(info.hblkhd);
}

model::Node make_node(int number, Rng& rng) {
  model::Node node;
  node.id = make_uuid(rng);
  node.secret_id = make_uuid(rng);
  node.name = fmt::format("node-{}", number);
  node.datacenter = "dc1";
  node.node_pool = "default";
  node.status = "ready";
  node.scheduling_eligibility = "eligible";
  node.computed_class = "v1:bench";
  node.attributes["kernel.name"] = "linux";
  node.attributes["driver.mock_driver"] = "1";
  node.drivers["mock_driver"] = {.detected = true, .healthy = true};
  auto& resources = node.node_resources.ensure();
  resources.cpu.cpu_shares = 4000;  // room for 200 allocations
  resources.cpu.total_cpu_cores = 4;
  resources.memory.memory_mb = 8000;
  resources.disk.disk_mb = 100'000;
  resources.networks.push_back({.mode = "host", .device = "eth0", .cidr = "192.168.0.100/32", .ip = "192.168.0.100", .m_bits = 1000});
  return node;
}

class Bench {
 public:
  Bench(int jobs, std::int64_t count, int nodes) : jobs_(jobs), count_(count), nodes_(nodes) {}

  void run() {
    for (int i = 0; i < nodes_; ++i) {
      fsm::NodeRegister message;
      message.node = std::make_shared<const model::Node>(make_node(i, rng_));
      apply(message);
    }
    const double before = heap_bytes();
    for (int i = 0; i < jobs_; ++i) submit(i);
    const double placed = heap_bytes();
    report_running();
    const double running = heap_bytes();
    const auto n = static_cast<double>(fsm_.store().tables().allocs.size());
    fmt::print("{} allocations of {} jobs on {} nodes\n", fsm_.store().tables().allocs.size(), jobs_, nodes_);
    fmt::print("heap of an allocation: placed {:.0f} bytes, running {:.0f} bytes\n", (placed - before) / n, (running - before) / n);
    fmt::print("processor time of an allocation: schedule {:.2f}, check {:.2f}, encode {:.2f}, apply {:.2f} us; update: encode {:.2f}, apply {:.2f} us\n",
               schedule_ / n, check_ / n, plan_encode_ / n, plan_apply_ / n, update_encode_ / n, update_apply_ / n);
    fmt::print("bytes of the log of an allocation: plan {:.0f}, update {:.0f}\n", plan_bytes_ / n, update_bytes_ / n);
  }

 private:
  template <class Message>
  void apply(const Message& message, double* encode_us = nullptr, double* apply_us = nullptr, double* bytes = nullptr) {
    const double start = now_us();
    const std::string entry = fsm::encode(message);
    const double encoded = now_us();
    if (auto done = fsm_.apply(++index_, entry); !done) {
      fmt::print(stderr, "{}\n", done.error().message());
      std::exit(1);
    }
    if (encode_us == nullptr) return;
    *encode_us += encoded - start;
    *apply_us += now_us() - encoded;
    *bytes += static_cast<double>(entry.size());
  }

  void submit(int number) {
    model::Evaluation eval;
    eval.id = make_uuid(rng_);
    eval.namespace_ = "default";
    eval.job_id = fmt::format("job-{}", number);
    eval.type = "service";
    eval.priority = 50;
    eval.triggered_by = "job-register";
    eval.status = "pending";
    eval.create_time = eval.modify_time = now_;
    fsm::JobRegister message;
    message.job = std::make_shared<const model::Job>(many_tasks(number, "service", count_));
    message.eval = std::make_shared<const model::Evaluation>(eval);
    message.tracked_versions = 6;
    apply(message);
    const auto run = scheduler::make_run(eval, rng_, &table_);
    double start = now_us();
    auto step = run->begin(fsm_.store().snapshot(), now_);
    schedule_ += now_us() - start;
    while (step.plan) {
      step.plan->eval_id = eval.id;
      start = now_us();
      const auto snapshot = fsm_.store().snapshot();
      const auto live = [&](std::string_view node) { return snapshot->live_allocs_by_node(node); };
      const auto fits = [](const model::Node& node, const std::vector<state::AllocPtr>& allocs) {
        return scheduler::allocs_fit(node, allocs, true).dimension;
      };
      use_.sync(snapshot);
      const auto quick = [&](const model::Node& node, const model::List<state::AllocPtr>& placed) {
        return use_.surely_fit(node, placed, step.plan->job.get(), {});
      };
      auto checked = broker::check_plan(*step.plan, *snapshot, live, fits, quick);
      const auto entry = broker::plan_entry(*step.plan, checked.result, {}, now_, *snapshot);
      check_ += now_us() - start;
      apply(entry, &plan_encode_, &plan_apply_, &plan_bytes_);
      checked.result.alloc_index = index_;
      start = now_us();
      step = run->resume(checked.result, nullptr, now_);
      schedule_ += now_us() - start;
    }
    if (!step.update) return;
    if (!step.update->failed_tg_allocs.empty() || fsm_.store().tables().allocs.empty()) {
      fmt::print(stderr, "an evaluation placed too little: {}\n", model::to_json(*step.update));
      std::exit(1);
    }
    fsm::EvalUpdate done;
    done.evals.push_back(std::make_shared<const model::Evaluation>(std::move(*step.update)));
    apply(done);
  }

  void report_running() {
    std::vector<std::string> ids;
    fsm_.store().tables().nodes.scan([&](const state::NodePtr& node) { ids.push_back(node->id); return true; });
    for (const auto& id : ids) {
      fsm::AllocClientUpdate message;
      message.now = now_;
      for (const auto& alloc : fsm_.store().snapshot()->live_allocs_by_node(id)) {
        auto update = std::make_shared<model::Allocation>();
        update->id = alloc->id;
        update->client_status = "running";
        update->client_description = "Tasks are running";
        update->task_states["task"] = running_task(now_);
        message.allocs.push_back(std::move(update));
      }
      apply(message, &update_encode_, &update_apply_, &update_bytes_);
    }
  }

  int jobs_;
  std::int64_t count_;
  int nodes_;
  Rng rng_{1};
  std::int64_t now_ = 1'700'000'000'000'000'000;
  fsm::Fsm fsm_;
  scheduler::NodeTable table_;
  broker::NodeUse use_;
  std::uint64_t index_ = 0;
  double schedule_ = 0, check_ = 0, plan_encode_ = 0, plan_apply_ = 0, update_encode_ = 0, update_apply_ = 0;
  double plan_bytes_ = 0, update_bytes_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const int jobs = argc > 1 ? std::atoi(argv[1]) : 100;
  const std::int64_t count = argc > 2 ? std::atoll(argv[2]) : 1000;
  const int nodes = argc > 3 ? std::atoi(argv[3]) : 1000;
  Bench(jobs, count, nodes).run();
  return 0;
}
