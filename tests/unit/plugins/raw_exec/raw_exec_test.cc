#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <csignal>

#include "plugins/raw_exec/driver.h"
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
  std::optional<raw_exec::RawExecDriver> driver;

  explicit Bench(const json& config = {{"enabled", true}}) { restart(config); }
  ~Bench() { wait_for(loop, driver->close()); }

  // A new plugin process, as far as the driver can tell.
  void restart(const json& config = {{"enabled", true}}) {
    if (driver) wait_for(loop, driver->close());
    driver.emplace(loop.get_executor(), Logger(), ExecutorHost{DROVER_EXECUTOR_PATH, state.path() + "/executor"}, system_clock());
    REQUIRE(wait_for(loop, driver->set_config(plugin::to_msgpack(config), "v0.1.0")));
  }
  Result<driver::StartedTask> start(const driver::TaskConfig& config) { return wait_for(loop, driver->start_task(config)); }
  driver::ExitResult finish(const std::string& id) {
    const auto result = wait_for(loop, driver->wait_task(id));
    REQUIRE(result);
    return *result;
  }
  void destroy(const std::string& id) { CHECK(wait_for(loop, driver->destroy_task(id, true))); }
};

json shell(const std::string& script) { return {{"command", "/bin/sh"}, {"args", {"-c", script}}}; }

Async<> take(Channel<driver::Fingerprint>& channel, driver::Fingerprint& out) {
  out = *co_await channel.receive();
}

}  // namespace

TEST_CASE("raw_exec: N-026 is off unless enabled, in the fingerprint and at start") {
  Bench bench(json::object());
  Channel<driver::Fingerprint> channel(bench.loop.get_executor(), 1);
  driver::Fingerprint print;
  Scope scope(bench.loop.get_executor());
  scope.spawn(bench.driver->fingerprint(channel));
  wait_for(bench.loop, take(channel, print));
  CHECK(print.health == driver::Health::undetected);
  CHECK(print.attributes.empty());
  const auto started = bench.start(bench.alloc.config(shell("true")));
  REQUIRE_FALSE(started);
  CHECK(started.error().message().find("raw_exec is disabled") != std::string::npos);
  wait_for(bench.loop, scope.close());
}

TEST_CASE("raw_exec: a task from start to destroy") {
  Bench bench;
  const auto config = bench.alloc.config(shell("echo $GREETING; pwd; exit 3"));
  const auto started = bench.start(config);
  REQUIRE(started);
  CHECK(started->handle.config.id == config.id);
  CHECK(started->handle.version >= 1);
  CHECK(bench.finish(config.id) == driver::ExitResult{.exit_code = 3});
  CHECK(bench.finish(config.id) == driver::ExitResult{.exit_code = 3});
  CHECK(bench.alloc.stdout_text() == "hello\n" + bench.alloc.directory.path() + "/web\n");
  const auto status = wait_for(bench.loop, bench.driver->inspect_task(config.id));
  REQUIRE(status);
  CHECK(status->state == driver::TaskState::exited);
  CHECK(status->started_at > 0);
  CHECK(status->completed_at >= status->started_at);
  bench.destroy(config.id);
  CHECK(wait_for(bench.loop, bench.driver->wait_task(config.id)).error() == driver::task_not_found());
  CHECK(wait_for(bench.loop, bench.driver->destroy_task(config.id, true)).error() == driver::task_not_found());
}

TEST_CASE("raw_exec: commands are looked for in the task's directory and then in PATH") {
  Bench bench;
  REQUIRE(write_file(bench.alloc.directory.path() + "/web/local/mine", "#!/bin/sh\necho mine\n", 0755));
  REQUIRE(::chmod((bench.alloc.directory.path() + "/web/local/mine").c_str(), 0755) == 0);
  const auto config = bench.alloc.config({{"command", "mine"}});
  REQUIRE(bench.start(config));
  CHECK(bench.finish(config.id).exit_code == 0);
  CHECK(bench.alloc.stdout_text() == "mine\n");
  bench.destroy(config.id);
  const auto missing = bench.start(bench.alloc.config({{"command", "no-such-command"}}, "00000002"));
  REQUIRE_FALSE(missing);
  CHECK(missing.error().message().find("\"no-such-command\" was found neither") != std::string::npos);
}

TEST_CASE("raw_exec: L-01 a new plugin instance recovers the task, its end and its output") {
  Bench bench;
  const std::string go = bench.alloc.directory.path() + "/go";
  REQUIRE(::mkfifo(go.c_str(), 0600) == 0);
  const auto config = bench.alloc.config(shell("echo before; read x < " + go + "; echo after; exit 8"));
  const auto started = bench.start(config);
  REQUIRE(started);
  bench.restart();
  CHECK(wait_for(bench.loop, bench.driver->wait_task(config.id)).error() == driver::task_not_found());
  REQUIRE(wait_for(bench.loop, bench.driver->recover_task(started->handle)));
  REQUIRE(wait_for(bench.loop, bench.driver->recover_task(started->handle)));
  CHECK(wait_for(bench.loop, bench.driver->inspect_task(config.id))->state == driver::TaskState::running);
  REQUIRE(write_file(go, "on\n"));
  CHECK(bench.finish(config.id).exit_code == 8);
  CHECK(bench.alloc.stdout_text() == "before\nafter\n");
  bench.destroy(config.id);
  bench.restart();
  CHECK_FALSE(wait_for(bench.loop, bench.driver->recover_task(started->handle)));
}

TEST_CASE("raw_exec: L-03 a task whose handle was lost is gone before its next start runs") {
  Bench bench;
  const auto first = bench.start(bench.alloc.config(shell("exec sleep 1000")));
  REQUIRE(first);
  const auto before = wait_for(bench.loop, bench.driver->inspect_task(first->handle.config.id));
  const auto process = Process::open(std::atoi(before->driver_attributes.at("pid").c_str()));
  REQUIRE(process);
  bench.restart();
  const auto config = bench.alloc.config(shell("exit 0"), "00000002");
  REQUIRE(bench.start(config));
  CHECK_FALSE(process->alive());
  bench.finish(config.id);
  bench.destroy(config.id);
}

TEST_CASE("raw_exec: L-03 a start that the host has given up ends before the next one of the task runs") {
  Bench bench;
  const auto first = bench.start(bench.alloc.config(shell("exec sleep 1000")));
  REQUIRE(first);
  const auto before = wait_for(bench.loop, bench.driver->inspect_task(first->handle.config.id));
  const auto process = Process::open(std::atoi(before->driver_attributes.at("pid").c_str()));
  REQUIRE(process);
  const auto config = bench.alloc.config(shell("exit 0"), "00000002");
  REQUIRE(bench.start(config));
  CHECK_FALSE(process->alive());
  CHECK(wait_for(bench.loop, bench.driver->wait_task(first->handle.config.id)).error() == driver::task_not_found());
  // Another task of the allocation is none of its starts.
  auto other = bench.alloc.config(shell("exec sleep 1000"), "00000003");
  other.id = other.alloc_id + "/web2/00000001";
  REQUIRE(bench.start(other));
  bench.finish(config.id);
  bench.destroy(config.id);
  CHECK(wait_for(bench.loop, bench.driver->inspect_task(other.id))->state == driver::TaskState::running);
  bench.destroy(other.id);
  for (const auto& entry : std::filesystem::directory_iterator(bench.state.path() + "/executor")) FAIL("left: ", entry.path().string());
}

namespace {
Async<> start_into(driver::Driver& driver, driver::TaskConfig config, std::optional<Result<driver::StartedTask>>& out) { out = co_await driver.start_task(std::move(config)); }
}  // namespace

TEST_CASE("raw_exec: L-03 a start that is destroyed or superseded while it is under way comes to an end first") {
  Bench bench;
  Scope scope(bench.loop.get_executor());
  const auto config = bench.alloc.config(shell("exec sleep 1000"));
  std::optional<Result<driver::StartedTask>> started;
  bench.loop.restart();
  scope.spawn(start_into(*bench.driver, config, started));
  // Known as soon as the call has begun, long before the task runs.
  Result<> destroyed = fail(driver::task_not_found());
  while (!destroyed && !started) destroyed = wait_for(bench.loop, bench.driver->destroy_task(config.id, true));
  CHECK(destroyed);
  while (!started) bench.loop.run_one();
  REQUIRE(*started);
  CHECK(wait_for(bench.loop, bench.driver->inspect_task(config.id)).error() == driver::task_not_found());
  std::optional<Result<driver::StartedTask>> first, second;
  bench.loop.restart();
  scope.spawn(start_into(*bench.driver, config, first));
  scope.spawn(start_into(*bench.driver, bench.alloc.config(shell("exec sleep 1000"), "00000002"), second));
  while (!first || !second) bench.loop.run_one();
  REQUIRE(*second);
  CHECK(wait_for(bench.loop, bench.driver->inspect_task(config.id)).error() == driver::task_not_found());
  bench.destroy((*second)->handle.config.id);
  wait_for(bench.loop, scope.close());
}

TEST_CASE("raw_exec: stop, signal and destroy of a running task") {
  Bench bench;
  const auto config = bench.alloc.config(shell("trap 'echo hup' HUP; trap 'echo int; exit 0' INT; echo ready; while :; do sleep 0.01; done"));
  REQUIRE(bench.start(config));
  while (bench.alloc.stdout_text() != "ready\n") bench.loop.run_one_for(1ms);
  CHECK(wait_for(bench.loop, bench.driver->destroy_task(config.id, false)).error().message() == "cannot destroy running task");
  CHECK(wait_for(bench.loop, bench.driver->start_task(config)).error().code() == Code::already_exists);
  CHECK_FALSE(wait_for(bench.loop, bench.driver->signal_task(config.id, "SIGNONE")));
  REQUIRE(wait_for(bench.loop, bench.driver->signal_task(config.id, "SIGHUP")));
  while (bench.alloc.stdout_text() != "ready\nhup\n") bench.loop.run_one_for(1ms);
  REQUIRE(wait_for(bench.loop, bench.driver->stop_task(config.id, 1h, "")));
  CHECK(bench.alloc.stdout_text() == "ready\nhup\nint\n");
  CHECK(bench.finish(config.id).exit_code == 0);
  bench.destroy(config.id);
}

TEST_CASE("raw_exec: user, denied users and denied variables") {
  Bench bench(json{{"enabled", true}, {"denied_host_uids", "0"}, {"denied_envvars", {"GREET*"}}});
  auto config = bench.alloc.config(shell("true"));
  CHECK(bench.start(config).error().message() == "running as uid 0 is disallowed");
  config.user = "nobody";
  config.driver_config = plugin::to_msgpack(shell("id -u; echo \"[$GREETING]\""));
  REQUIRE(bench.start(config));
  bench.finish(config.id);
  CHECK(bench.alloc.stdout_text() == "65534\n[]\n");
  bench.destroy(config.id);
}

TEST_CASE("raw_exec: log settings of the host bound the files, and disabled means none") {
  Bench bench;
  const std::string logs = bench.alloc.directory.path() + "/alloc/logs";
  SUBCASE("limits") {
    REQUIRE(write_file(logs + "/.web.logs.json", R"({"max_files":2,"max_file_size_mb":1,"disabled":false})"));
    const auto config = bench.alloc.config(shell("head -c 5000000 /dev/zero | tr '\\0' '\\n'"));
    REQUIRE(bench.start(config));
    bench.finish(config.id);
    std::vector<std::string> names;
    for (int i = 0; i < 10; ++i) {
      if (::access((logs + "/web.stdout." + std::to_string(i)).c_str(), F_OK) == 0) names.push_back(std::to_string(i));
    }
    CHECK(names == std::vector<std::string>{"3", "4"});
    bench.destroy(config.id);
  }
  SUBCASE("disabled") {
    REQUIRE(write_file(logs + "/.web.logs.json", R"({"disabled":true})"));
    const auto config = bench.alloc.config(shell("echo x"));
    REQUIRE(bench.start(config));
    bench.finish(config.id);
    CHECK(::access((logs + "/web.stdout.0").c_str(), F_OK) != 0);
    bench.destroy(config.id);
  }
}

TEST_CASE("raw_exec: a host that collects logs itself gets them in its FIFO") {
  Bench bench;
  auto config = bench.alloc.config(shell("echo through the fifo"));
  config.stdout_path = bench.alloc.directory.path() + "/alloc/logs/.web.stdout.fifo";
  config.stderr_path = "/dev/null";
  REQUIRE(::mkfifo(config.stdout_path.c_str(), 0600) == 0);
  const auto reader = open_file(config.stdout_path, O_RDWR | O_NONBLOCK);
  REQUIRE(reader);
  REQUIRE(bench.start(config));
  bench.finish(config.id);
  char text[64];
  const auto size = ::read(reader->get(), text, sizeof text);
  CHECK(std::string(text, size > 0 ? static_cast<std::size_t>(size) : 0) == "through the fifo\n");
  CHECK(::access((bench.alloc.directory.path() + "/alloc/logs/web.stdout.0").c_str(), F_OK) != 0);
  bench.destroy(config.id);
}

namespace {
Async<> first_sample(Channel<driver::TaskStats>& channel, driver::TaskStats& out) {
  out = *co_await channel.receive();
}
Async<> run_stats(driver::Driver& driver, std::string id, Channel<driver::TaskStats>& channel) {
  const auto result = co_await driver.task_stats(id, 1h, channel);
  CHECK(result);
}
Async<> run_all_stats(driver::Driver& driver, Channel<std::vector<driver::TaskStats>>& channel) {
  const auto result = co_await driver.all_task_stats(100ms, channel);
  CHECK(result);
}
Async<> next_samples(Channel<std::vector<driver::TaskStats>>& channel, std::vector<driver::TaskStats>& out) {
  out = *co_await channel.receive();
}
}  // namespace

TEST_CASE("raw_exec: statistics count the processes of the task, exec runs beside it") {
  Bench bench;
  const auto config = bench.alloc.config(shell("sleep 1000 & echo up; wait"));
  REQUIRE(bench.start(config));
  while (bench.alloc.stdout_text() != "up\n") bench.loop.run_one_for(1ms);
  Channel<driver::TaskStats> channel(bench.loop.get_executor(), 1);
  driver::TaskStats stats;
  Scope scope(bench.loop.get_executor());
  scope.spawn(run_stats(*bench.driver, config.id, channel));
  wait_for(bench.loop, first_sample(channel, stats));
  CHECK(stats.by_pid.size() == 2);
  CHECK(stats.total.memory.rss > 0);
  const auto result = wait_for(bench.loop, bench.driver->exec_task(config.id, {"sh", "-c", "echo $GREETING; exit 2"}, 10s));
  REQUIRE(result);
  CHECK(result->stdout_data == "hello\n");
  CHECK(result->exit.exit_code == 2);
  bench.destroy(config.id);
  wait_for(bench.loop, scope.close());
}

TEST_CASE("raw_exec: statistics of all tasks come in one stream, which begins at once and follows them") {
  Bench bench;
  Channel<std::vector<driver::TaskStats>> channel(bench.loop.get_executor(), 1);
  Scope scope(bench.loop.get_executor());
  scope.spawn(run_all_stats(*bench.driver, channel));
  std::vector<driver::TaskStats> samples;
  wait_for(bench.loop, next_samples(channel, samples));
  CHECK(samples.empty());
  const auto config = bench.alloc.config(shell("sleep 1000 & echo up; wait"));
  REQUIRE(bench.start(config));
  while (bench.alloc.stdout_text() != "up\n") bench.loop.run_one_for(1ms);
  for (int round = 0; round < 3; ++round) {
    wait_for(bench.loop, next_samples(channel, samples));
    REQUIRE(samples.size() == 1);
    CHECK(samples[0].id == config.id);
    CHECK(samples[0].total.memory.rss > 0);
  }
  CHECK(samples[0].by_pid.size() == 2);
  bench.destroy(config.id);
  REQUIRE(bench.start(bench.alloc.config(shell("exec sleep 1000"), "00000002")));
  do wait_for(bench.loop, next_samples(channel, samples));
  while (samples.empty() || samples[0].id == config.id);
  CHECK(samples[0].by_pid.size() == 1);
  bench.destroy(samples[0].id);
  wait_for(bench.loop, scope.close());
}

TEST_CASE("raw_exec: configuration is checked before anything is started") {
  CHECK_FALSE(raw_exec::decode_task(plugin::to_msgpack(json::object())));
  CHECK_FALSE(raw_exec::decode_task(plugin::to_msgpack({{"command", "x"}, {"work_dir", "relative"}})));
  CHECK_FALSE(raw_exec::decode_task(plugin::to_msgpack({{"command", "x"}, {"oom_score_adj", -1}})));
  CHECK_FALSE(raw_exec::decode_task(
      plugin::to_msgpack({{"command", "x"}, {"cgroup_v2_override", "a"}, {"cgroup_v1_override", {{{"cpu", "b"}}}}})));
  CHECK(raw_exec::decode_task(plugin::to_msgpack({{"command", "x"}, {"args", {"1"}}}))->args == std::vector<std::string>{"1"});
  CHECK_FALSE(raw_exec::decode_config(plugin::to_msgpack({{"denied_host_uids", "x"}})));
}

TEST_CASE("raw_exec: F-38 a host that has lost id and handle takes the running task over under a new id") {
  Bench bench;
  const auto config = bench.alloc.config(shell("echo $$; while [ ! -e stop ]; do sleep 0.01; done; exit 7"));
  REQUIRE(bench.start(config));
  const auto known = wait_for(bench.loop, bench.driver->inspect_task(config.id));
  SUBCASE("by the plugin that started it") {}
  SUBCASE("by a new one") { bench.restart(); }
  driver::TaskHandle handle;
  handle.version = 1;
  handle.config = bench.alloc.config(shell("true"), "00000002");
  REQUIRE(wait_for(bench.loop, bench.driver->recover_task(handle)));
  const auto status = wait_for(bench.loop, bench.driver->inspect_task(handle.config.id));
  REQUIRE(status);
  CHECK(status->driver_attributes.at("pid") == known->driver_attributes.at("pid"));
  CHECK_FALSE(wait_for(bench.loop, bench.driver->inspect_task(config.id)));
  REQUIRE(write_file(bench.alloc.directory.path() + "/web/stop", ""));
  CHECK(bench.finish(handle.config.id) == driver::ExitResult{.exit_code = 7});
  bench.destroy(handle.config.id);
  CHECK(std::filesystem::is_empty(bench.state.path() + "/executor"));
}

TEST_CASE("raw_exec: F-02 a start goes on when its caller is gone, and the next caller recovers it") {
  Bench bench;
  const auto config = bench.alloc.config(shell("sleep 1000"));
  Scope caller(bench.loop.get_executor());
  std::optional<Result<driver::StartedTask>> answer;
  caller.spawn(keep(bench.driver->start_task(config), answer));
  bench.loop.restart();
  bench.loop.run_one();  // as far as its first wait
  // Before the loop can see that the executor has answered; on the loop, as everywhere: from outside, Asio may reach a coroutine that is gone.
  asio::post(bench.loop, [&caller] { caller.cancel(); });
  wait_for(bench.loop, caller.join());
  CHECK_FALSE(answer);
  driver::TaskHandle handle;
  handle.config = config;
  REQUIRE(wait_for(bench.loop, bench.driver->recover_task(handle)));
  CHECK(wait_for(bench.loop, bench.driver->inspect_task(config.id))->state == driver::TaskState::running);
  bench.destroy(config.id);
}

TEST_CASE("raw_exec: L-03 a start that had not come to its record can never run once it was given up") {
  Bench bench;
  const auto config = bench.alloc.config(shell("true"));
  const auto place = state_directory(bench.state.path() + "/executor", config.id);
  REQUIRE(make_directories(place.path, 0700));
  driver::TaskHandle handle;
  handle.config = config;
  const auto recovered = wait_for(bench.loop, bench.driver->recover_task(handle));
  REQUIRE_FALSE(recovered);
  CHECK(recovered.error().code() == Code::not_found);
  CHECK(::access(place.slot.c_str(), F_OK) != 0);
}

TEST_CASE("raw_exec: a driver without its executor is unhealthy and says what to do") {
  Bench bench;
  const std::string path = bench.state.path() + "/drover-executor";
  if (bench.driver) wait_for(bench.loop, bench.driver->close());
  bench.driver.emplace(bench.loop.get_executor(), Logger(), ExecutorHost{path, bench.state.path() + "/executor"}, system_clock());
  REQUIRE(wait_for(bench.loop, bench.driver->set_config(plugin::to_msgpack({{"enabled", true}}), "v0.1.0")));
  const auto print = [&] {
    Channel<driver::Fingerprint> channel(bench.loop.get_executor(), 1);
    driver::Fingerprint out;
    Scope scope(bench.loop.get_executor());
    scope.spawn(bench.driver->fingerprint(channel));
    wait_for(bench.loop, take(channel, out));
    wait_for(bench.loop, scope.close());
    return out;
  };
  CHECK(print().health == driver::Health::unhealthy);
  CHECK(print().description == "\"" + path + "\" is missing: install it there, or name it in DROVER_EXECUTOR");
  REQUIRE(write_file(path, "", 0644));
  CHECK(print().description == "\"" + path + "\" is not executable: chmod 0755 it");
  REQUIRE(::chmod(path.c_str(), 0755) == 0);
  CHECK(print().health == driver::Health::healthy);
}
