// The cluster of the test vectors: equal nodes, one job "j" with group "web", and a planner that commits everything.
#pragma once

#include "server/scheduler/scheduler.h"
#include "tests/unit/server/scheduler/memory_view.h"

namespace drover::scheduler {

inline constexpr UnixNanos now = 1'776'159'000'000'000'000;
inline constexpr UnixNanos second = 1'000'000'000;

[[nodiscard]] std::string node_id(int number);
[[nodiscard]] model::Node make_node(int number);
[[nodiscard]] model::Job make_job(const char* type, std::int64_t count);
[[nodiscard]] model::Evaluation make_eval(const char* type);

struct World {
  World(const char* type, int nodes, std::int64_t count);
  World(World&&) = default;
  // A world of its own.
  World(const World& other);
  // Runs the evaluation and commits everything.
  Step run(UnixNanos at = now);
  // A version of the job that differs by what `change` does to it.
  template <class F>
  void update_job(const F& change) {
    auto next = *view->jobs.at("j");
    ++next.version;
    next.job_modify_index += 10;
    next.modify_index = next.job_modify_index;
    change(next);
    view->add_job(std::move(next));
  }
  template <class F>
  void change_alloc(const std::string& name, const F& change) {
    auto alloc = *find(name);
    change(alloc);
    view->add_alloc(std::move(alloc));
  }
  // A[0] to A[n-1]: running allocations of the current job, the i-th on node i.
  void add_running(int count);
  // The allocation of this name that is to run.
  [[nodiscard]] AllocPtr find(const std::string& name) const;
  [[nodiscard]] const model::DesiredUpdates& desired() const { return last.update->plan_annotations->desired_tg_updates.at("web"); }
  [[nodiscard]] std::vector<AllocPtr> placed() const;
  [[nodiscard]] std::vector<AllocPtr> stopped() const;

  std::shared_ptr<MemoryView> view;
  model::Evaluation eval;
  std::vector<model::Plan> plans;  // of the last run
  std::vector<model::Evaluation> created;
  Step last;
  std::uint64_t seed = 5;  // of the run: new ids come from it
};

}  // namespace drover::scheduler
