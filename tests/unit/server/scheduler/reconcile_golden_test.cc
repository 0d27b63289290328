#include <doctest/doctest.h>

#include <algorithm>

#include "tests/unit/server/scheduler/answer.h"

namespace drover::scheduler {

TEST_CASE("golden reconcile: whole evaluations") {
  replay("reconcile", {"aimed", "random-service", "random-batch", "random-system"},
         [](Case& c) { return comparable(c, run_evaluation(c)); });
}

TEST_CASE("golden preempt: whole evaluations") {
  replay("preempt", {"evaluation"}, [](Case& c) { return comparable(c, run_evaluation(c)); });
}

TEST_CASE("golden feasibility: datacenters and pools choose the candidate nodes") {
  replay("feasibility", {"datacenters-and-pools"}, [](Case& c) {
    const auto nodes = [](const Json& answer) {
      Json out = Json::array();
      for (const auto& placement : answer.at("placements")) out.push_back(placement.at("node"));
      std::sort(out.begin(), out.end());
      return out;
    };
    return Answers{nodes(run_evaluation(c)), nodes(c.output())};
  });
}

}  // namespace drover::scheduler
