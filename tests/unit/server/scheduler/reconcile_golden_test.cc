#include <doctest/doctest.h>

#include "tests/unit/server/scheduler/answer.h"

namespace drover::scheduler {

TEST_CASE("golden reconcile: whole evaluations") {
  replay("reconcile", {"aimed", "random-service", "random-batch", "random-system"},
         [](Case& c) { return comparable(c, run_evaluation(c)); });
}

}  // namespace drover::scheduler
