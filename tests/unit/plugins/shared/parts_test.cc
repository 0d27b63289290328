#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "plugins/shared/capabilities.h"
#include "sdk/executor/cgroups.h"
#include "plugins/shared/device_program.h"
#include "sdk/executor/limits.h"
#include "sdk/executor/process_stats.h"
#include "plugins/shared/seccomp.h"
#include "sdk/executor/users.h"
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
  const auto without = parse_process("12 (a) S 1 12 12 0 -1 4194560 1 0 0 0 150 50 0 0 20 0 1 0 100 1 3", "");
  REQUIRE(without);
  CHECK(without->rss_bytes == 3 * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)));
  CHECK(without->swap_bytes == 0);
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

TEST_CASE("stats: streams of many tasks wake together") {
  using namespace std::chrono_literals;
  CHECK(until_next_sample(10'000ms, 1s) == 1s);
  CHECK(until_next_sample(10'070ms, 1s) == 930ms);
  CHECK(until_next_sample(10'999ms, 1s) == 901ms);
  for (const auto start : {3ms, 27ms, 64ms, 99ms}) CHECK(start + until_next_sample(start, 1s) == 1s);
  CHECK(until_next_sample(5ns, 7ns) == 7ns);
}

TEST_CASE("stats: each task about once an interval, new ones at once, and those that came together part") {
  using namespace std::chrono_literals;
  StatsRound round(1s);
  std::map<int, int> turns;
  std::map<int, nanoseconds> next;
  std::map<nanoseconds, int> together;
  const auto look = [&](nanoseconds now, int tasks) {
    nanoseconds earliest = nanoseconds::max();
    for (int i = 0; i < tasks; ++i) {
      if (round.take(next[i], now)) {
        ++turns[i];
        ++together[now];
      }
      earliest = std::min(earliest, next[i]);
    }
    return round.pause(earliest, now);
  };
  nanoseconds now = 10'030ms;
  CHECK(look(now, 10) == 670ms);  // the quickest of them, at the end of its tenth
  CHECK(together.at(now) == 10);
  nanoseconds pause = look(now + 100ms, 11);
  CHECK(turns.at(10) == 1);
  CHECK(together.at(now + 100ms) == 1);
  now += 100ms;
  while (now < 20s) {
    now += pause;
    pause = look(now, 11);
  }
  for (const auto& [task, count] : turns) CHECK((count >= 10 && count <= 11));
  for (const auto& [at, count] : together) CHECK((at == 10'030ms || count <= 5));
}

TEST_CASE("stats: a file that is kept open says what is in it now, and of a process that has ended nothing") {
  const TempDir directory = *TempDir::make();
  const std::string path = directory.path() + "/memory.current";
  KeptFile file(path);
  CHECK_FALSE(file.read());
  REQUIRE(write_file(path, "1"));
  CHECK(file.read() == "1");
  REQUIRE(write_file(path, std::string(10'000, '2')));
  CHECK(file.read() == std::string(10'000, '2'));
  const pid_t child = ::fork();
  if (child == 0) {
    ::pause();
    ::_exit(0);
  }
  KeptFile stat(fmt::format("/proc/{}/stat", child));
  REQUIRE(stat.read());
  CHECK(stat.read()->starts_with(std::to_string(child)));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  CHECK_FALSE(stat.read());
}

TEST_CASE("stats: what the kernel counts of a cgroup comes from its files") {
  const TempDir directory = *TempDir::make();
  const auto put = [&](const char* name, const char* text) { REQUIRE(write_file(directory.path() + "/" + name, text)); };
  put("cgroup.procs", std::to_string(::getpid()).c_str());
  put("cpu.stat", "usage_usec 30\nuser_usec 1000000\nsystem_usec 500000\nnr_periods 4\nnr_throttled 3\nthrottled_usec 7\n");
  put("memory.stat", "anon 4096\nfile 8192\nfile_mapped 100\n");
  put("memory.current", "12288\n");
  put("memory.peak", "20480\n");
  put("memory.swap.current", "1\n");
  ManualClock clock(10'000'000'000);
  StatsSampler sampler("id", directory.path(), 0, 1000);
  auto stats = sampler.sample(clock);
  CHECK(stats.by_pid.size() == 1);
  CHECK(stats.total.memory.rss == 4096);
  CHECK(stats.total.memory.usage == 12288);
  CHECK(stats.total.memory.max_usage == 20480);
  CHECK(stats.total.cpu.throttled_periods == 3);
  put("cpu.stat", "usage_usec 30\nuser_usec 1500000\nsystem_usec 500000\nnr_throttled 3\nthrottled_usec 7\n");
  clock.advance(std::chrono::seconds(1));
  stats = sampler.sample(clock);
  CHECK(stats.total.cpu.percent == doctest::Approx(50));
}

TEST_CASE("limits: cpu.weight follows the table") {
  const std::pair<std::int64_t, int> table[] = {{2, 1}, {10, 4}, {20, 6}, {50, 10}, {100, 17}, {200, 29}, {250, 34}, {500, 58}, {1000, 99},
                                                {1024, 100}, {2000, 170}, {4000, 297}, {8000, 522}, {20000, 1112}, {100000, 4340}, {262144, 10000}};
  for (const auto& [shares, weight] : table) {
    CAPTURE(shares);
    CHECK(cpu_weight(shares) == weight);
  }
  CHECK(scaled_shares(1000, 200000) == 1000);
  CHECK(scaled_shares(1000, 524288) == 500);
  CHECK(scaled_shares(1, 0) == 2);
}

TEST_CASE("limits: files of a task in the order in which they are written") {
  driver::Resources resources;
  resources.cpu_shares = 500;
  resources.memory_mb = 100;
  using Files = std::vector<LimitFile>;
  CHECK(limit_files(resources, {}, 2) == Files{{"cpu.weight", "58"}, {"memory.max", "104857600"}});
  resources.memory_max_mb = 200;
  CHECK(limit_files(resources, {}, 2) == Files{{"cpu.weight", "58"}, {"memory.low", "104857600"}, {"memory.max", "209715200"}});
  resources.memory_max_mb = -1;
  CHECK(limit_files(resources, {}, 2).back() == LimitFile{"memory.max", "max"});
  resources.linux_resources.cpuset_cpus = "0,1";
  resources.linux_resources.percent_ticks = 0.25;
  const LimitOptions all{.cpu_hard_limit = true, .disable_swap = true, .memory_oom_group = true, .pids_limit = 64};
  CHECK(limit_files(resources, all, 4) == Files{{"cpuset.cpus", "0,1"}, {"cpu.weight", "58"}, {"cpu.max", "100000 100000"}, {"memory.low", "104857600"},
                                                {"memory.max", "max"}, {"memory.swap.max", "0"}, {"memory.oom.group", "1"}, {"pids.max", "64"}});
}

TEST_CASE("limits: N_030 a limit that was not taken is an error, one that was rounded to the same is not") {
  const TempDir directory = *TempDir::make();
  REQUIRE(write_file(directory.path() + "/pids.max", "00"));
  CHECK(write_limits(directory.path(), {{"pids.max", "64"}}));
  const auto missing = write_limits(directory.path(), {{"memory.max", "64"}});
  REQUIRE_FALSE(missing);
  CHECK(missing.error().message().find("cgroup.subtree_control") != std::string::npos);
  // A file that takes everything and holds something else.
  CHECK_FALSE(write_limits("/dev", {{"null", "64"}}));
  CHECK(*parse_cpu_list("0-2,5") == std::set<unsigned>{0, 1, 2, 5});
  CHECK(format_cpu_list({0, 1, 2, 5, 7, 8}) == "0-2,5,7-8");
  CHECK_FALSE(parse_cpu_list("2-1"));
  CHECK_FALSE(parse_cpu_list("x"));
}

TEST_CASE("cgroups: a slice gets the controllers it lacks, told apart by whole words" * doctest::skip(::geteuid() != 0)) {
  const TempDir mount = *TempDir::make();
  const CgroupHost host{.mode = CgroupMode::unified, .mount = mount.path(), .slice = mount.path() + "/nomad.slice", .missing_controllers = {}};
  REQUIRE(make_directories(host.slice));
  REQUIRE(write_file(mount.path() + "/cgroup.subtree_control", "cpuset cpu io memory pids\n"));
  REQUIRE(write_file(host.slice + "/cgroup.subtree_control", "cpuset io memory pids\n"));
  const auto made = task_cgroup(host, "", "a.t.scope");
  REQUIRE(made);
  CHECK(made->path == host.slice + "/share.slice/a.t.scope");
  CHECK(*read_file(mount.path() + "/cgroup.subtree_control") == "cpuset cpu io memory pids\n");
  // A directory keeps what was written last; that anything was is what counts.
  CHECK(*read_file(host.slice + "/cgroup.subtree_control") != "cpuset io memory pids\n");
}

TEST_CASE("capabilities: names in any form, and what a task gets") {
  CHECK(*parse_capability("CAP_NET_ADMIN") == *parse_capability("net_admin"));
  CHECK_FALSE(parse_capability("cap_no_such"));
  CHECK(capability_names(0x23) == std::vector<std::string>{"chown", "dac_override", "kill"});
  CapabilityRequest request{.allowed = default_allowed_capabilities()};
  CHECK(*task_capabilities(request) == 0);
  request.add = {"mknod"};
  request.drop = {"all"};
  CHECK(*task_capabilities(request) == *parse_capability("mknod"));
  request.add = {"all"};
  CHECK(task_capabilities(request).error().message() == "driver does not allow the following capabilities: all");
  // Root has what it always had, unless the operator draws a line.
  CHECK(*task_capabilities({.is_root = true, .allowed = default_allowed_capabilities()}) == 0x3fffffffffu);
  CHECK(*task_capabilities({.is_root = true, .allowed = 1, .is_allowed_explicitly = true}) == 1);
}

TEST_CASE("device program: ends each path, and knows the usual devices") {
  const std::string program = device_program(default_device_rules());
  CHECK(program.size() % 8 == 0);
  CHECK(static_cast<unsigned char>(program[program.size() - 8]) == 0x95);  // exit
  CHECK(device_rule("/dev/null", "rw")->access == (DeviceRule::read | DeviceRule::write));
  CHECK_FALSE(device_rule("/dev/null", "rwx"));
  CHECK_FALSE(device_rule("/etc/passwd", "r"));
}

TEST_CASE("seccomp: a profile is compiled once, and one for other capabilities is another") {
  SeccompCache cache;
  CHECK(cache.compile({.profile = "unconfined"})->empty());
  const auto program = cache.compile({.profile = "default"});
  REQUIRE(program);
  CHECK(program->size() % 8 == 0);
  CHECK(program->size() < executor::max_spec_bytes);
  CHECK(*cache.compile({.profile = "default"}) == *program);
  CHECK(*cache.compile({.profile = "default", .capabilities = *parse_capability("chown")}) == *program);
  CHECK(*cache.compile({.profile = "default", .capabilities = *parse_capability("sys_admin")}) != *program);
  CHECK_FALSE(cache.compile({.profile = "relative"}));
}
