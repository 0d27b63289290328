#include "tests/unit/server/scheduler/world.h"

#include "sdk/base/error.h"

namespace drover::scheduler {

std::string node_id(int number) { return fmt::format("0a{:06x}-0000-4000-8000-{:012x}", number, number); }

model::Node make_node(int number) {
  model::Node node;
  node.id = node_id(number);
  node.name = fmt::format("n{}", number);
  node.datacenter = "dc1";
  node.node_pool = "default";
  node.node_class = "m";
  node.computed_class = "v1:1";
  node.status = "ready";
  node.scheduling_eligibility = "eligible";
  node.attributes["kernel.name"] = "linux";
  node.attributes["driver.raw_exec"] = "1";
  auto& resources = node.node_resources.ensure();
  resources.cpu.cpu_shares = 4000;
  resources.memory.memory_mb = 8192;
  resources.disk.disk_mb = 102400;
  resources.networks.push_back({.mode = "host", .device = "eth0", .ip = "10.0.0.1"});
  resources.node_networks.push_back({.mode = "host", .device = "eth0", .addresses = {{.alias = "default", .address = "10.0.0.1"}}});
  return node;
}

model::Job make_job(const char* type, std::int64_t count) {
  model::Job job;
  job.id = "j";
  job.name = "j";
  job.namespace_ = "default";
  job.type = type;
  job.priority = 50;
  job.datacenters = {"dc1"};
  job.node_pool = "default";
  job.job_modify_index = 10;
  model::TaskGroup group;
  group.name = "web";
  group.count = count;
  group.ephemeral_disk.ensure().size_mb = 150;
  model::Task task;
  task.name = "t";
  task.driver = "raw_exec";
  task.resources = model::Resources{.cpu = 500, .memory_mb = 256};
  group.tasks.push_back(std::move(task));
  job.task_groups.push_back(std::move(group));
  return job;
}

model::Evaluation make_eval(const char* type) {
  model::Evaluation eval;
  eval.id = "0d000001-0000-4000-8000-000000000001";
  eval.namespace_ = "default";
  eval.job_id = "j";
  eval.type = type;
  eval.triggered_by = "job-register";
  eval.status = "pending";
  eval.priority = 50;
  return eval;
}

World::World(const char* type, int nodes, std::int64_t count) : view(std::make_shared<MemoryView>()), eval(make_eval(type)) {
  for (int i = 0; i < nodes; ++i) view->add_node(make_node(i));
  view->add_job(make_job(type, count));
}

World::World(const World& other)
    : view(std::make_shared<MemoryView>(*other.view)), eval(other.eval), plans(other.plans), created(other.created), last(other.last) {}

Step World::run(UnixNanos at) {
  Rng rng(seed);
  plans.clear();
  created.clear();
  const auto evaluation = make_run(eval, rng);
  auto step = evaluation->begin(view, at);
  for (;;) {
    created.insert(created.end(), step.create_evals.begin(), step.create_evals.end());
    if (!step.plan) break;
    plans.push_back(*step.plan);
    auto next = std::make_shared<MemoryView>(*view);
    next->commit(*step.plan);
    view = next;
    step = evaluation->resume({.node_update = step.plan->node_update, .node_allocation = step.plan->node_allocation}, nullptr, at);
  }
  last = step;
  return step;
}

void World::add_running(int count) {
  const auto job = view->jobs.at("j");
  for (int i = 0; i < count; ++i) {
    model::Allocation alloc;
    alloc.id = fmt::format("0b{:06x}-0000-4000-8000-{:012x}", i, i);
    alloc.namespace_ = "default";
    alloc.job_id = "j";
    alloc.job = job;
    alloc.task_group = "web";
    alloc.name = fmt::format("j.web[{}]", i);
    alloc.node_id = node_id(i);
    alloc.desired_status = "run";
    alloc.client_status = "running";
    alloc.create_index = 100 + static_cast<std::uint64_t>(i);
    alloc.modify_time = now - 600 * second;
    auto& task = alloc.allocated_resources.ensure().tasks["t"];
    task.cpu.cpu_shares = 500;
    task.memory.memory_mb = 256;
    alloc.allocated_resources->shared.disk_mb = 150;
    view->add_alloc(std::move(alloc));
  }
}

AllocPtr World::find(const std::string& name) const {
  for (const auto& [id, alloc] : view->allocs) {
    if (alloc->name == name && alloc->desired_status == "run") return alloc;
  }
  return nullptr;
}

std::vector<AllocPtr> World::placed() const {
  std::vector<AllocPtr> out;
  for (const auto& plan : plans) {
    for (const auto& [node, allocs] : plan.node_allocation) {
      for (const auto& alloc : allocs) {
        if (alloc->create_index == 0) out.push_back(alloc);
      }
    }
  }
  return out;
}

std::vector<AllocPtr> World::stopped() const {
  std::vector<AllocPtr> out;
  for (const auto& plan : plans) {
    for (const auto& [node, allocs] : plan.node_update) out.insert(out.end(), allocs.begin(), allocs.end());
  }
  return out;
}

}  // namespace drover::scheduler
