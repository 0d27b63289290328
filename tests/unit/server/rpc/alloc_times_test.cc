#include <doctest/doctest.h>

#include "server/rpc/alloc_updates.h"

using namespace drover;

namespace {

constexpr std::int64_t second = 1'000'000'000, year = 365 * 86400 * second;
constexpr std::int64_t created = 1'700'000'000 * second, now = created + 600 * second;

std::shared_ptr<const model::Allocation> report(std::int64_t ended, std::int64_t healthy) {
  auto out = std::make_shared<model::Allocation>();
  out->task_states["t"].finished_at = model::Time(ended);
  out->deployment_status.ensure().timestamp = model::Time(healthy);
  return out;
}

}  // namespace

TEST_CASE("F-50: reports of a node: an end that is still to come, or was before the allocation, is now") {
  for (const std::int64_t wrong : {now + 10 * year, now + 5 * second, created - 5 * second, created - 10 * year}) {
    const auto out = rpc::in_our_time(report(wrong, wrong), created, now);
    CHECK(out->task_states.at("t").finished_at == model::Time(now));
    CHECK(out->deployment_status->timestamp == model::Time(now));
  }
}

TEST_CASE("F-50: reports of a node: what can be so is taken as it is") {
  for (const std::int64_t right : {created, now - 60 * second, now, now + second / 2}) {
    const auto given = report(right, right);
    CHECK(rpc::in_our_time(given, created, now) == given);
  }
  // A task that has not ended has no such time.
  auto running = std::make_shared<model::Allocation>();
  running->task_states["t"].state = "running";
  const std::shared_ptr<const model::Allocation> given = running;
  CHECK(rpc::in_our_time(given, created, now) == given);
  const auto mixed = rpc::in_our_time(report(now - second, now + year), created, now);
  CHECK(mixed->task_states.at("t").finished_at == model::Time(now - second));
  CHECK(mixed->deployment_status->timestamp == model::Time(now));
}
