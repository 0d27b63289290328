// Properties of the codecs that hold of any value: JSON and MessagePack give back what they were given.
#include <doctest/doctest.h>

#include "lib/model/api_job.h"
#include "lib/model/codec.h"
#include "lib/model/config.h"
#include "lib/model/job_summary.h"
#include "lib/model/node.h"
#include "lib/model/plan.h"
#include "tests/unit/support/random_value.h"

using namespace drover;

namespace {

template <class T>
void check_round_trips(const char* name) {
  Rng rng(5);
  for (int i = 0; i < 60; i++) {
    const T value = random_value::make<T>(rng);
    INFO(std::string(name) << " number " << i);
    T read;
    const std::string json = model::to_json(value);
    const auto from_json = model::from_json(json, read);
    REQUIRE_MESSAGE(from_json, json);
    // Texts are compared: values that share an object compare its address.
    CHECK(model::to_json(read) == json);
    T unpacked;
    REQUIRE(model::from_msgpack(model::to_msgpack(value), unpacked));
    CHECK(model::to_json(unpacked) == json);
    CHECK(model::to_msgpack(unpacked) == model::to_msgpack(value));
  }
}

}  // namespace

TEST_CASE("codec: any job, node, allocation and what goes with them survives JSON and MessagePack") {
  check_round_trips<model::Job>("Job");
  check_round_trips<model::Node>("Node");
  check_round_trips<model::Allocation>("Allocation");
  check_round_trips<model::Evaluation>("Evaluation");
  check_round_trips<model::Deployment>("Deployment");
  check_round_trips<model::JobSubmission>("JobSubmission");
  check_round_trips<model::JobSummary>("JobSummary");
  check_round_trips<model::JobPlanResponse>("JobPlanResponse");
  check_round_trips<model::SchedulerConfiguration>("SchedulerConfiguration");
}

TEST_CASE("codec: a text cut off anywhere is refused or understood, never worse") {
  Rng rng(9);
  for (int i = 0; i < 10; i++) {
    const auto job = random_value::make<model::Job>(rng);
    const std::string packed = model::to_msgpack(job);
    for (int cut = 0; cut < 40; cut++) {
      model::Job read;
      const std::string part = packed.substr(0, rng.below(packed.size()));
      CHECK_FALSE(model::from_msgpack(part, read));
    }
  }
}
