#include "tests/sim/history.h"

#include <doctest/doctest.h>

using namespace drover::sim;

namespace {
constexpr auto never = Operation::never;
Operation write(std::uint64_t value, std::uint64_t asked, std::uint64_t answered) {
  return {.kind = Operation::Kind::write, .key = "x", .value = value, .asked = asked, .answered = answered};
}
Operation read(std::uint64_t value, std::uint64_t asked, std::uint64_t answered) {
  return {.kind = Operation::Kind::read, .key = "x", .value = value, .asked = asked, .answered = answered};
}
Operation swap(std::uint64_t expected, std::uint64_t value, bool swapped, std::uint64_t asked, std::uint64_t answered) {
  return {.kind = Operation::Kind::swap, .key = "x", .value = value, .expected = expected, .swapped = swapped, .asked = asked, .answered = answered};
}
}  // namespace

TEST_CASE("history: what one register could have done is accepted") {
  CHECK(find_anomaly({}).empty());
  CHECK(find_anomaly({write(1, 0, 10), read(1, 20, 30)}).empty());
  // Concurrent: before or after.
  CHECK(find_anomaly({write(1, 0, 10), read(0, 5, 8)}).empty());
  CHECK(find_anomaly({write(1, 0, 10), read(1, 5, 8)}).empty());
  CHECK(find_anomaly({swap(0, 1, true, 0, 10), swap(0, 2, false, 5, 20), read(1, 30, 40)}).empty());
}

TEST_CASE("history: a stale read, a lost write and two winners are found") {
  CHECK(!find_anomaly({write(1, 0, 10), read(0, 20, 30)}).empty());
  CHECK(!find_anomaly({write(1, 0, 10), write(2, 20, 30), read(1, 40, 50)}).empty());
  CHECK(!find_anomaly({write(1, 0, 100), read(1, 10, 20), read(0, 30, 40)}).empty());
  CHECK(!find_anomaly({swap(0, 1, true, 0, 10), swap(0, 2, true, 0, 10)}).empty());
}

TEST_CASE("history: a write without an answer may have happened late or never") {
  CHECK(find_anomaly({write(1, 0, never), read(0, 20, 30)}).empty());
  CHECK(find_anomaly({write(1, 0, never), read(0, 20, 30), read(1, 40, 50)}).empty());
  CHECK(!find_anomaly({write(1, 0, never), read(1, 20, 30), read(0, 40, 50)}).empty());
}
