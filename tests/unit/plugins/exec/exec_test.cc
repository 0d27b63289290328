#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "plugins/exec/driver.h"
#include "sdk/base/text.h"
#include "tests/unit/plugins/support.h"

using namespace drover;
using namespace drover::testing;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

struct Bench {
  Allocation alloc;
  TempDir state = *TempDir::make();
  asio::io_context loop;
  exec::ExecDriver driver{loop.get_executor(), Logger(), ExecutorHost{DROVER_EXECUTOR_PATH, state.path() + "/executor"}, system_clock()};

  explicit Bench(const json& config = {{"allow_degraded", true}}) {
    REQUIRE(wait_for(loop, driver.set_config(plugin::to_msgpack(config), "v0.1.0")));
  }
  ~Bench() { wait_for(loop, driver.close()); }

  // Runs to the end and gives standard output; a failed start gives its message.
  std::string run(driver::TaskConfig config) {
    const auto started = wait_for(loop, driver.start_task(config));
    if (!started) return started.error().message();
    const auto result = wait_for(loop, driver.wait_task(config.id));
    REQUIRE(result);
    CHECK(wait_for(loop, driver.destroy_task(config.id, true)));
    const std::string errors = alloc.stderr_text();
    CHECK(errors == "");
    return alloc.stdout_text();
  }
  std::string run(const std::string& script) { return run(alloc.config({{"command", "/bin/sh"}, {"args", {"-c", script}}})); }
};

bool is_root() { return ::geteuid() == 0; }

}  // namespace

TEST_CASE("exec: hosts that cannot isolate fully are judged, degraded only on request") {
  using exec::judge_host;
  CHECK(judge_host(false, {}, true).health == driver::Health::undetected);
  CHECK(judge_host(false, {}, true).description == "Driver must run as root");
  CgroupHost unified{.mode = CgroupMode::unified, .mount = "/sys/fs/cgroup", .missing_controllers = {}};
  CHECK(judge_host(true, unified, false).health == driver::Health::healthy);
  CHECK(judge_host(true, unified, true).attributes.count("driver.exec.degraded") == 0);
  CgroupHost hybrid{.mode = CgroupMode::hybrid, .mount = {}, .missing_controllers = {}};
  CHECK(judge_host(true, hybrid, false).health == driver::Health::unhealthy);
  CHECK(judge_host(true, hybrid, false).attributes.empty());
  CHECK(judge_host(true, hybrid, false).description.find("systemd.unified_cgroup_hierarchy=1") != std::string::npos);
  CHECK(judge_host(true, hybrid, true).health == driver::Health::healthy);
  CHECK(judge_host(true, hybrid, true).attributes.at("driver.exec.degraded") == driver::Attribute{true, {}});
  CHECK(judge_host(true, {}, false).description == "Failed to discover cgroup mount point");
}

TEST_CASE("exec: the plan of a root binds what is read, overlays what is written") {
  RootPlanInput input;
  input.alloc_dir = "/a";
  input.task_dir = "/a/web";
  input.work_dir = "/a/.web.root";
  using Kind = ChrootEntry::Kind;
  input.entries = {{.host = "/bin", .task = "/bin", .kind = Kind::symlink, .link_text = "usr/bin"},
                   {.host = "/etc", .task = "/etc", .kind = Kind::directory},
                   {.host = "/opt/x", .task = "/opt/x", .kind = Kind::directory, .populated = true},
                   {.host = "/lib32", .task = "/lib32", .kind = Kind::missing},
                   {.host = "/usr", .task = "/usr", .kind = Kind::directory}};
  auto plan = plan_root(input);
  using executor::MountKind;
  CHECK(plan[0].kind == MountKind::symlink);
  CHECK(plan[1].kind == MountKind::overlay);
  CHECK(plan[1].work == "/a/.web.root/etc");
  CHECK(plan[2].kind == MountKind::overlay);
  CHECK(plan[2].work == "/a/.web.root/opt_x");
  CHECK(plan[3].kind == MountKind::bind);
  CHECK(plan[3].target == "/usr");
  CHECK((plan[3].flags & executor::mount_flag::read_only) != 0);
  // Whoever is root in the task would write through a bind.
  input.user_is_root = true;
  CHECK(plan_root(input)[3].kind == MountKind::overlay);
}

TEST_CASE("exec: configuration") {
  const exec::Config config = *exec::decode_config(plugin::to_msgpack(json::object()));
  CHECK(config.private_pid);
  CHECK(config.chroot_env == default_chroot_env());
  CHECK_FALSE(exec::decode_config(plugin::to_msgpack({{"default_pid_mode", "other"}})));
  CHECK_FALSE(exec::decode_task(plugin::to_msgpack(json::object()), config));
  CHECK_FALSE(exec::decode_task(plugin::to_msgpack({{"command", "x"}, {"work_dir", "rel"}}), config));
  CHECK(exec::decode_task(plugin::to_msgpack({{"command", "x"}, {"cap_add", {"net_admin", "CAP_CHOWN"}}}), config).error().message() ==
        "driver does not allow the following capabilities: net_admin");
  CHECK_FALSE(exec::decode_task(plugin::to_msgpack({{"command", "x"}, {"pid_mode", "host"}}), config)->private_pid);
}

TEST_CASE("exec: without cgroup v2 nothing is started unless the operator allows it" * doctest::skip(!is_root())) {
  if (cgroup_complaint(inspect_cgroups()).empty()) return;
  Bench bench(json::object());
  CHECK(bench.run("true").find("cgroup") != std::string::npos);
}

TEST_CASE("exec: N-023 the task is process 1 of its own namespaces, as nobody with nobody's groups" * doctest::skip(!is_root())) {
  Bench bench;
  const auto lines = split(bench.run("echo $$; id -u; id -g; echo $USER $HOME; ls /proc | grep -c '^[0-9]'; readlink /proc/self/ns/mnt; "
                                     "readlink /proc/self/ns/ipc; grep CapEff /proc/self/status; pwd"),
                           '\n');
  REQUIRE(lines.size() >= 9);
  CHECK(lines[0] == "1");
  CHECK(lines[1] == "65534");
  CHECK(lines[2] == "65534");
  CHECK(lines[3] == "nobody /nonexistent");
  CHECK(std::atoi(lines[4].c_str()) <= 3);
  CHECK(lines[5] != std::filesystem::read_symlink("/proc/self/ns/mnt").string());
  CHECK(lines[6] != std::filesystem::read_symlink("/proc/self/ns/ipc").string());
  // N-022: what an ordinary user has with this driver.
  CHECK(lines[7].find("0000000000000000") != std::string::npos);
  CHECK(lines[8] == "/");
}

TEST_CASE("exec: the root holds the task's directory and the chroot entries, and not the host's" * doctest::skip(!is_root())) {
  Bench bench;
  REQUIRE(write_file(bench.alloc.directory.path() + "/web/local/mine", "from the agent\n"));
  REQUIRE(write_file(bench.alloc.directory.path() + "/alloc/data/shared", "shared\n"));
  const std::string host_only = bench.state.path();
  CHECK(bench.run("cat /local/mine /alloc/data/shared; test -e " + host_only + " || echo absent; test -e /root || echo no root home; "
                  "touch /usr/x 2>/dev/null || echo read-only; touch /alloc/logs/x 2>/dev/null || echo logs read-only; "
                  "touch /local/written /tmp/written /alloc/data/written && echo writable; test -c /dev/null && echo x > /dev/null && echo null; "
                  "ls /private 2>/dev/null; cat /proc/kcore 2>/dev/null; test -s /etc/passwd && echo passwd") ==
        "from the agent\nshared\nabsent\nno root home\nread-only\nlogs read-only\nwritable\nnull\npasswd\n");
  CHECK(::access((bench.alloc.directory.path() + "/web/local/written").c_str(), F_OK) == 0);
}

TEST_CASE("exec: root in a task writes to the task's directory, never to the host's files" * doctest::skip(!is_root())) {
  Bench bench;
  REQUIRE(make_directories(bench.alloc.directory.path() + "/web/etc"));
  REQUIRE(write_file(bench.alloc.directory.path() + "/web/etc/from-template", "rendered\n"));
  auto config = bench.alloc.config({{"command", "/bin/sh"}, {"args", {"-c", "cat /etc/from-template; echo y > /etc/drover-test-file; echo z > /usr/drover-test-file; "
      "test -s /etc/passwd && id -u"}}});
  config.user = "root";
  CHECK(bench.run(config) == "rendered\n0\n");
  CHECK(*read_file(bench.alloc.directory.path() + "/web/etc/drover-test-file") == "y\n");
  CHECK(*read_file(bench.alloc.directory.path() + "/web/usr/drover-test-file") == "z\n");
  CHECK(::access("/etc/drover-test-file", F_OK) != 0);
  CHECK(::access("/usr/drover-test-file", F_OK) != 0);
}

TEST_CASE("exec: R-013 a link that an earlier run left in place of a directory is refused" * doctest::skip(!is_root())) {
  Bench bench;
  REQUIRE(::symlink("/etc", (bench.alloc.directory.path() + "/web/etc").c_str()) == 0);
  CHECK(bench.run("true").find("mounting the root") != std::string::npos);
  REQUIRE(::unlink((bench.alloc.directory.path() + "/web/etc").c_str()) == 0);
  REQUIRE(::symlink("/tmp", (bench.alloc.directory.path() + "/web/proc").c_str()) == 0);
  CHECK(bench.run("true").find("mounting the root") != std::string::npos);
}

TEST_CASE("exec: volumes and read-only volumes appear where the job wants them" * doctest::skip(!is_root())) {
  Bench bench;
  TempDir volume = *TempDir::make();
  std::filesystem::permissions(volume.path(), std::filesystem::perms::all);
  REQUIRE(write_file(volume.path() + "/data", "data\n"));
  auto config = bench.alloc.config({{"command", "/bin/sh"}, {"args", {"-c", "cat /srv/a/data /b/data; touch /b/new 2>/dev/null || echo ro; touch /srv/a/new && echo rw"}}});
  config.mounts = {{.task_path = "/srv/a", .host_path = volume.path()}, {.task_path = "/b", .host_path = volume.path(), .readonly = true}};
  CHECK(bench.run(config) == "data\ndata\nro\nrw\n");
  CHECK(::access((volume.path() + "/new").c_str(), F_OK) == 0);
}

TEST_CASE("exec: a resolver of the job's own is seen by the task only" * doctest::skip(!is_root())) {
  Bench bench;
  auto config = bench.alloc.config({{"command", "cat"}, {"args", {"/etc/resolv.conf"}}});
  config.dns = driver::DnsConfig{.servers = {"192.0.2.1"}, .searches = {"example.test"}, .options = {"ndots:2"}};
  CHECK(bench.run(config) == "search example.test\nnameserver 192.0.2.1\noptions ndots:2\n");
}

TEST_CASE("exec: sessions run in the task's namespaces as its user" * doctest::skip(!is_root())) {
  Bench bench;
  const auto config = bench.alloc.config({{"command", "/bin/sh"}, {"args", {"-c", "echo up; sleep 1000"}}});
  REQUIRE(wait_for(bench.loop, bench.driver.start_task(config)));
  while (bench.alloc.stdout_text() != "up\n") bench.loop.run_one_for(1ms);
  const auto result = wait_for(bench.loop, bench.driver.exec_task(config.id, {"sh", "-c", "id -u; id -g; cat /proc/1/comm; test -e /root || echo chroot"}, 10s));
  REQUIRE(result);
  CHECK(result->stdout_data == "65534\n65534\nsh\nchroot\n");
  CHECK(result->exit.exit_code == 0);
  // A signal death inside the namespace is told as one.
  const auto killed = wait_for(bench.loop, bench.driver.exec_task(config.id, {"sh", "-c", "kill -9 $$"}, 10s));
  REQUIRE(killed);
  CHECK(killed->exit.exit_code == 137);
  REQUIRE(wait_for(bench.loop, bench.driver.stop_task(config.id, 20ms, "")));
  CHECK(wait_for(bench.loop, bench.driver.wait_task(config.id))->signal == SIGKILL);
  CHECK(wait_for(bench.loop, bench.driver.destroy_task(config.id, false)));
}

// `make test-fresh` runs this and the test before it in a chroot, where the root of the task's mount namespace is the host's.
TEST_CASE("R_004_session_root: sessions are in the task's root also where it could not be pivoted into" * doctest::skip(!is_root())) {
  Bench bench({{"allow_degraded", true}, {"no_pivot_root", true}});
  const auto config = bench.alloc.config({{"command", "/bin/sh"}, {"args", {"-c", "touch /local/mine; echo up; sleep 1000"}}});
  REQUIRE(wait_for(bench.loop, bench.driver.start_task(config)));
  while (bench.alloc.stdout_text() != "up\n") bench.loop.run_one_for(1ms);
  const auto result = wait_for(bench.loop, bench.driver.exec_task(config.id, {"sh", "-c", "cat /proc/1/comm; ls /local; pwd; test -e /root || echo chroot"}, 10s));
  REQUIRE(result);
  CHECK(result->stdout_data == "sh\nmine\n/\nchroot\n");
  REQUIRE(wait_for(bench.loop, bench.driver.stop_task(config.id, 20ms, "")));
  CHECK(wait_for(bench.loop, bench.driver.wait_task(config.id))->signal == SIGKILL);
  CHECK(wait_for(bench.loop, bench.driver.destroy_task(config.id, false)));
}

TEST_CASE("exec: R-041 a terminal is made on the task's own devpts" * doctest::skip(!is_root())) {
  Bench bench;
  const auto config = bench.alloc.config({{"command", "/bin/sh"}, {"args", {"-c", "echo up; sleep 1000"}}});
  REQUIRE(wait_for(bench.loop, bench.driver.start_task(config)));
  Channel<driver::ExecInput> input(bench.loop.get_executor(), 8);
  Channel<driver::ExecOutput> output(bench.loop.get_executor(), 8);
  driver::ExecInput line;
  line.stdin_data = "tty; exit 5\n";
  REQUIRE(input.try_send(line));
  std::string text;
  std::optional<std::int32_t> code;
  Scope scope(bench.loop.get_executor());
  scope.spawn(collect(output, text, code));
  const driver::ExecOptions options{.command = {"/bin/sh"}, .tty = true};
  REQUIRE(wait_for(bench.loop, bench.driver.exec_task_streaming(config.id, options, input, output)));
  while (!code) bench.loop.run_one();
  CHECK(*code == 5);
  CHECK(text.find("/dev/pts/0") != std::string::npos);
  CHECK(wait_for(bench.loop, bench.driver.destroy_task(config.id, true)));
  wait_for(bench.loop, scope.close());
}

TEST_CASE("exec: F-11 the task dies with its executor and its end is unknown, not success" * doctest::skip(!is_root())) {
  Bench bench;
  const auto config = bench.alloc.config({{"command", "sleep"}, {"args", {"1000"}}});
  REQUIRE(wait_for(bench.loop, bench.driver.start_task(config)));
  const auto status = wait_for(bench.loop, bench.driver.inspect_task(config.id));
  const pid_t pid = std::atoi(status->driver_attributes.at("pid").c_str());
  const auto task = Process::open(pid);
  REQUIRE(task);
  // Field 4 of stat is the parent.
  const std::string stat = *read_file("/proc/" + std::to_string(pid) + "/stat");
  REQUIRE(::kill(std::atoi(split(stat.substr(stat.rfind(')') + 2), ' ')[1].c_str()), SIGKILL) == 0);
  const auto result = wait_for(bench.loop, bench.driver.wait_task(config.id));
  REQUIRE(result);
  CHECK(result->error.find("unknown") != std::string::npos);
  CHECK(wait_for(bench.loop, wait_readable(task->pidfd())));
  CHECK(wait_for(bench.loop, bench.driver.destroy_task(config.id, true)));
}

TEST_CASE("exec: nothing is left outside the task's directory, and no mount on the host" * doctest::skip(!is_root())) {
  Bench bench;
  CHECK(bench.run("echo x") == "x\n");
  // Others on this machine mount things too.
  CHECK(read_file("/proc/self/mountinfo")->find(bench.alloc.directory.path()) == std::string::npos);
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(bench.alloc.directory.path())) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  CHECK(names == std::vector<std::string>{".web.root", "alloc", "web"});
}
