#include "agent/client/usage.h"

#include <doctest/doctest.h>

using namespace drover;
using namespace drover::agent;

namespace {
const char* const earlier = "cpu  300 0 100 1600 0 0 0 0 0 0\ncpu0 100 50 50 800 0 0 0 0 0 0\ncpu1 150 0 50 790 10 0 0 0 0 0\nintr 1 2\n";
const char* const later = "cpu  400 0 150 1750 0 0 0 0 0 0\ncpu0 150 50 75 825 0 0 0 0 0 0\ncpu1 150 0 50 890 10 0 0 0 0 0\nintr 1 2\n";
}  // namespace

TEST_CASE("host usage: cores are read without their sum") {
  const auto cores = read_core_times(earlier);
  REQUIRE(cores.size() == 2);
  CHECK(cores[0].name == "cpu0");
  CHECK(cores[0].user == 150);
  CHECK(cores[0].system == 50);
  CHECK(cores[0].idle == 800);
  CHECK(cores[0].total == 1000);
  CHECK(cores[1].idle == 800);
  CHECK(read_core_times("").empty());
  CHECK(read_core_times("cpu0 1 2\n").empty());
}

TEST_CASE("host usage: percentages are of the time between two readings") {
  const auto usage = core_usage(read_core_times(earlier), read_core_times(later), 2000);
  REQUIRE(usage.size() == 2);
  CHECK(usage[0].cpu == "cpu0");
  CHECK(usage[0].user == 50);
  CHECK(usage[0].system == 25);
  CHECK(usage[0].idle == 25);
  CHECK(usage[0].total_percent == 75);
  CHECK(usage[0].total_ticks == 1500);
  CHECK(usage[1].idle == 100);
  CHECK(usage[1].total_percent == 0);
}

TEST_CASE("host usage: a first reading counts from the machine's start, a second within a tick says nothing") {
  const auto cores = read_core_times(earlier);
  CHECK(core_usage({}, cores, 1000)[0].total_percent == 20);
  CHECK(core_usage(cores, cores, 1000)[0].total_percent == 0);
  CHECK(core_usage(cores, cores, 1000)[0].idle == 0);
}

TEST_CASE("host usage: waiting time that the kernel takes back is not negative") {
  const auto usage = core_usage(read_core_times("cpu0 0 0 0 100 50 0 0 0\n"), read_core_times("cpu0 10 0 0 100 45 0 0 0\n"), 1000);
  CHECK(usage[0].idle == 0);
  CHECK(usage[0].total_percent == 100);
}
