#include <unistd.h>

#include "plugins/shared/cgroups.h"
#include "plugins/shared/process_stats.h"
#include "plugins/shared/users.h"
#include "tests/unit/plugins/support.h"

using namespace drover;

TEST_CASE("cgroups: hosts are told apart and every complaint says what to change") {
  const auto unified = classify_cgroups("30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n", "cpuset cpu io memory hugetlb pids\n");
  CHECK(unified.mode == CgroupMode::unified);
  CHECK(unified.mount == "/sys/fs/cgroup");
  CHECK(cgroup_complaint(unified).empty());

  const auto missing = classify_cgroups("30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", "cpuset cpu pids\n");
  CHECK(missing.mode == CgroupMode::missing_controllers);
  CHECK(cgroup_complaint(missing).find("missing: io, memory;") != std::string::npos);

  const auto hybrid = classify_cgroups(
      "30 23 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n31 30 0:27 / /sys/fs/cgroup/unified rw,relatime shared:5 - cgroup2 cgroup2 rw\n", "");
  CHECK(hybrid.mode == CgroupMode::hybrid);
  CHECK(hybrid.mount == "/sys/fs/cgroup/unified");
  CHECK(cgroup_complaint(hybrid) ==
        "cgroup v1/hybrid found at /sys/fs/cgroup; boot with systemd.unified_cgroup_hierarchy=1 (or cgroup_no_v1=all)");

  CHECK(classify_cgroups("", "").mode == CgroupMode::off);
  CHECK(cgroup_complaint(classify_cgroups("", "")) == "Failed to discover cgroup mount point");
}

TEST_CASE("users: R-031 ids are whole numbers in range or refused") {
  CHECK(find_account("0")->ids.uid == 0);
  CHECK(find_account("4294967294")->ids.uid == 4294967294u);
  for (const char* wrong : {"4294967295", "4294967296", "-1", "0x0", " 0", "+1", "nobody:", "0:-1", ""}) {
    CAPTURE(wrong);
    CHECK_FALSE(find_account(wrong));
  }
  CHECK(find_account("12:34")->ids == UserIds{12, 34, {34}});
  CHECK(find_account("nomad-80001")->ids == UserIds{80001, 80001, {80001}});
  const auto nobody = find_account("nobody");
  REQUIRE(nobody);
  CHECK(nobody->ids.uid == 65534);
  CHECK_FALSE(nobody->ids.groups.empty());
}

TEST_CASE("users: forbidden ids") {
  const auto ranges = parse_id_ranges("1,5-9");
  REQUIRE(ranges);
  CHECK(*ranges == std::vector<IdRange>{{1, 1}, {5, 9}});
  CHECK(parse_id_ranges("")->empty());
  CHECK_FALSE(parse_id_ranges("9-5"));
  CHECK_FALSE(parse_id_ranges("a"));
  CHECK(check_ids({7, 100, {}}, *ranges, {}).error().message() == "running as uid 7 is disallowed");
  CHECK(check_ids({100, 100, {3, 8}}, {}, *ranges).error().message() == "running as gid 8 is disallowed");
  CHECK(check_ids({100, 100, {}}, *ranges, *ranges));
}

TEST_CASE("signals: by name with and without prefix, by number, never by guess") {
  CHECK(*parse_signal("SIGHUP", 0) == 1);
  CHECK(*parse_signal("usr1", 0) == 10);
  CHECK(*parse_signal("9", 0) == 9);
  CHECK(*parse_signal("", 2) == 2);
  CHECK_FALSE(parse_signal("SIGNONE", 0));
  CHECK_FALSE(parse_signal("0", 0));
}

TEST_CASE("stats: rates come from differences, a new process has none yet") {
  const auto sample = parse_process("12 (a b) c) S 1 12 12 0 -1 4194560 1 0 0 0 150 50 0 0 20 0 1 0 100 1 1", "VmRSS:\t    2048 kB\nVmSwap:\t 4 kB\n");
  REQUIRE(sample);
  CHECK(sample->user_ticks == 150);
  CHECK(sample->system_ticks == 50);
  CHECK(sample->rss_bytes == 2048 * 1024);
  CHECK(sample->swap_bytes == 4096);
  StatsSampler sampler("id", "", 0, 2000);
  CHECK(sampler.combine({{12, *sample}}, 1'000'000'000).total.cpu.percent == 0);
  auto later = *sample;
  later.user_ticks += static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  const auto stats = sampler.combine({{12, later}, {13, *sample}}, 3'000'000'000);
  CHECK(stats.total.cpu.percent == doctest::Approx(50));
  CHECK(stats.total.cpu.total_ticks == doctest::Approx(1000));
  CHECK(stats.total.memory.rss == 4096 * 1024);
  CHECK(stats.by_pid.at("13").cpu.percent == 0);
}
