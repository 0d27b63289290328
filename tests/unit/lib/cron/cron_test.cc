// Recorded launches, an oracle that tries every minute, and the edges of time zones.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

#include "lib/cron/civil.h"
#include "lib/cron/launch.h"
#include "lib/cron/schedule.h"
#include "lib/cron/zone_file.h"
#include "lib/jobspec/validate.h"
#include "sdk/base/clock.h"
#include "tests/unit/support/golden.h"

using namespace drover;
using namespace drover::cron;

namespace {

std::int64_t instant(const std::string& text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  REQUIRE(std::sscanf(text.c_str(), "%d-%d-%dT%d:%d:%d", &year, &month, &day, &hour, &minute, &second) == 6);
  return days_from({year, month, day}) * seconds_per_day + hour * 3600 + minute * 60 + second;
}

std::string show(std::int64_t at, const TimeZone& zone) {
  const std::int64_t offset = zone.stretch_at(at).offset;
  const std::int64_t clock = at + offset;
  const std::int64_t days = floor_div(clock, seconds_per_day);
  const Date date = date_of(days);
  const int second = static_cast<int>(clock - days * seconds_per_day);
  std::string out = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", date.year, date.month, date.day, second / 3600, second / 60 % 60, second % 60);
  if (offset == 0) return out + "Z";
  return out + fmt::format("{}{:02}:{:02}", offset < 0 ? '-' : '+', std::abs(offset) / 3600, std::abs(offset) / 60 % 60);
}

// What the validator says of a periodic block, cut down to that block.
std::string refusal(const std::vector<std::string>& specs, const std::string& zone) {
  model::Job job;
  auto& periodic = job.periodic.ensure();
  periodic.enabled = true;
  periodic.spec_type = "cron";
  periodic.time_zone = zone;
  if (specs.size() == 1) periodic.spec = specs[0];
  else periodic.specs = specs;
  jobspec::ValidateOptions options;
  options.check_cron = [](const std::string& text) -> Result<> {
    auto schedule = Schedule::parse(text);
    if (!schedule) return fail(schedule.error());
    return {};
  };
  options.check_time_zone = [](const std::string& name) -> Result<> {
    auto loaded = load_zone(name);
    if (!loaded) return fail(loaded.error());
    return {};
  };
  for (const std::string& error : jobspec::validate(job, options).errors) {
    if (error.find("spec") != std::string::npos || error.find("time zone") != std::string::npos) return error;
  }
  return "";
}

nlohmann::json launches(const std::vector<std::string>& specs, const std::string& zone_name, std::int64_t from) {
  const auto zone = load_zone(zone_name);
  REQUIRE(zone);
  nlohmann::json out = nlohmann::json::array();
  for (int i = 0; i < 5; i++) {
    const auto next = next_launch(specs, zone_name, from);
    REQUIRE(next);
    if (!*next) {
      out.push_back("never");
      break;
    }
    out.push_back(show(**next, *zone));
    from = **next;
  }
  return out;
}

Schedule parse(const char* text) {
  auto out = Schedule::parse(text);
  REQUIRE(out);
  return std::move(*out);
}

TimeZone zone_of(const std::string& footer) {
  // A table without a change and the rule behind it.
  std::string block = std::string("TZif2") + std::string(15, '\0');
  const auto number = [&](int value) { block += std::string(3, '\0') + static_cast<char>(value); };
  for (const int count : {0, 0, 0, 0, 1, 4}) number(count);
  block += std::string(6, '\0') + std::string("UTC\0", 4);
  auto out = TimeZone::parse(block + block + "\n" + footer + "\n");
  REQUIRE(out);
  return std::move(*out);
}

}  // namespace

TEST_CASE("cron: recorded launches and refusals") {
  if (!golden::has("cron")) return;
  setenv("TZ", "UTC", 1);  // what `Local` was when the rows were recorded
  golden::Tally tally("cron");
  int number = 0;
  for (const auto& row : golden::read_json(golden::topic("cron") / "next.json")) {
    const std::vector<std::string> specs = row["specs"];
    const std::string zone = row["time_zone"];
    const std::string name = fmt::format("{} {} {}", ++number, fmt::join(specs, "|"), zone);
    if (row.contains("error")) {
      tally.report(name, golden::differences(refusal(specs, zone), row["error"]));
    } else {
      tally.report(name, golden::differences(launches(specs, zone, instant(row["from"])), row["next"]));
    }
  }
}

TEST_CASE("cron: Z-09 the next launch is later, and the first that fits") {
  Rng rng(11);
  const TimeZone zone = zone_of("CET-1CEST,M3.5.0,M10.5.0/3");
  const auto pick = [&](std::initializer_list<const char*> choices) { return std::string(*(choices.begin() + static_cast<std::ptrdiff_t>(rng.below(choices.size())))); };
  for (int round = 0; round < 200; round++) {
    const std::string text = fmt::format("{} {} {} {} {}", pick({"*", "0", "*/7", "15-40/5", "59", "3,30"}), pick({"*", "2", "1-3", "*/5", "23"}),
                                         pick({"*", "1", "L", "15W", "28-31", "LW"}), pick({"*", "3", "oct", "2-4", "*/3"}),
                                         pick({"*", "0", "7", "5L", "2#1", "fri-sun", "1-5/2"}));
    CAPTURE(text);
    const Schedule schedule = parse(text.c_str());
    const std::int64_t from = instant("2024-01-01T00:00:00") + static_cast<std::int64_t>(rng.below(400)) * 86400 + static_cast<std::int64_t>(rng.below(86400));
    const auto found = schedule.next(from, zone);
    if (!found) continue;
    REQUIRE(*found > from);
    CHECK(*found % 60 == 0);
    // Every instant before it is refused, and the found one is accepted, when asked for alone.
    CHECK(schedule.next(*found - 1, zone) == found);
    for (int i = 0; i < 50; i++) {
      const std::int64_t between = from + static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(*found - from)));
      CHECK(schedule.next(between, zone) == found);
    }
  }
}

TEST_CASE("cron: F-52 a clock that is set forward has no launch in the gap, one set back has it twice") {
  const TimeZone zone = zone_of("CET-1CEST,M3.5.0,M10.5.0/3");
  const Schedule schedule = parse("30 2 * * *");
  CHECK(show(*schedule.next(instant("2024-03-30T12:00:00"), zone), zone) == "2024-04-01T02:30:00+02:00");
  const auto first = schedule.next(instant("2024-10-26T12:00:00"), zone);
  CHECK(show(*first, zone) == "2024-10-27T02:30:00+02:00");
  CHECK(show(*schedule.next(*first, zone), zone) == "2024-10-27T02:30:00+01:00");
  const Schedule every = parse("* * * * *");
  std::int64_t at = instant("2024-10-27T00:00:00");
  for (int i = 0; i < 180; i++) {
    const auto next = every.next(at, zone);
    CHECK(*next == at + 60);
    at = *next;
  }
}

TEST_CASE("cron: rules of the far future, of the south and of half hours") {
  const Schedule noon = parse("0 12 1 * *");
  const TimeZone sydney = zone_of("AEST-10AEDT,M10.1.0,M4.1.0/3");
  CHECK(show(*noon.next(instant("2090-06-15T00:00:00"), sydney), sydney) == "2090-07-01T12:00:00+10:00");
  CHECK(show(*noon.next(instant("2090-12-15T00:00:00"), sydney), sydney) == "2091-01-01T12:00:00+11:00");
  const TimeZone lord_howe = zone_of("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0");
  CHECK(show(*noon.next(instant("2090-06-15T00:00:00"), lord_howe), lord_howe) == "2090-07-01T12:00:00+10:30");
  const TimeZone days = zone_of("XST3XDT,J60/0,300/0");
  CHECK(show(*noon.next(instant("2028-03-15T00:00:00"), days), days) == "2028-04-01T12:00:00-02:00");
}

TEST_CASE("cron: Sunday ends a week as well as it begins one") {
  const TimeZone utc;
  const std::int64_t friday = instant("2024-03-01T00:00:00");
  for (const char* text : {"0 0 * * 6-7", "0 0 * * sat-sun", "0 0 * * 0,6", "0 0 * * 7,SAT"}) {
    CAPTURE(text);
    const Schedule schedule = parse(text);
    const auto first = schedule.next(friday, utc);
    CHECK(show(*first, utc) == "2024-03-02T00:00:00Z");
    CHECK(show(*schedule.next(*first, utc), utc) == "2024-03-03T00:00:00Z");
  }
  CHECK(show(*parse("0 0 * * 01").next(friday, utc), utc) == "2024-03-04T00:00:00Z");
}

TEST_CASE("cron: hostile expressions and zone files are refused") {
  CHECK_FALSE(Schedule::parse(std::string(600, '*')));
  for (const char* text : {"", "    ", "* * * *", "1-  * * * *", "*/ * * * *", "*/99999999999 * * * *", ", * * * *", "1/2/3 * * * *", "* * W * *",
                           "* * * * 5#6", "* * * * #1", "* * * * * 19700", "* * * jann *"}) {
    CAPTURE(text);
    CHECK_FALSE(Schedule::parse(text));
  }
  for (const char* name : {"../etc/passwd", "/etc/localtime", "\\x", "Europe/../Europe/Paris", "No/Such"}) {
    CAPTURE(name);
    CHECK_FALSE(load_zone(name));
  }
  std::string file = std::string("TZif2") + std::string(39, '\xff');
  CHECK_FALSE(TimeZone::parse(file));
  CHECK_FALSE(TimeZone::parse("TZif"));
  CHECK_FALSE(TimeZone::parse(""));
}
