// mock_driver's answers to each option, driven as the plugin's service drives it.
#include "tests/mock-driver/driver.h"
#include "tests/unit/plugins/support.h"

using namespace drover;
using namespace drover::testing;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

struct Bench {
  Allocation alloc;
  asio::io_context loop;
  ManualClock clock{1'700'000'000'000'000'000};
  mock::MockDriver driver{loop.get_executor(), Logger(), clock};

  ~Bench() { wait_for(loop, driver.shutdown()); }
  driver::TaskConfig task(const json& options, const std::string& start = "00000001") {
    const auto encoded = plugin::encode_config(mock::task_config_schema(), options, json::object());
    REQUIRE_MESSAGE(encoded, (encoded ? "" : encoded.error().message()));
    auto out = alloc.config(json::object(), start);
    out.driver_config = *encoded;
    out.stdout_path = alloc.directory.path() + "/out";
    out.stderr_path = alloc.directory.path() + "/err";
    REQUIRE(write_file(out.stdout_path, ""));
    REQUIRE(write_file(out.stderr_path, ""));
    return out;
  }
  Result<driver::StartedTask> start(const driver::TaskConfig& config) { return wait_for(loop, driver.start_task(config)); }
};

}  // namespace

TEST_CASE("mock_driver: a task ends with the exit its configuration names, after all of its output") {
  Bench bench;
  const auto config = bench.task({{"run_for", "1ms"}, {"exit_code", 3}, {"exit_signal", 9}, {"exit_err_msg", "boom"}, {"stdout_string", "tick "},
                                  {"stdout_repeat", 2}, {"stdout_repeat_duration", "3ms"}, {"stderr_string", "err"}});
  REQUIRE(bench.start(config));
  CHECK(bench.start(config).error().message() == "task with ID \"" + config.id + "\" already started");
  const auto ended = wait_for(bench.loop, bench.driver.wait_task(config.id));
  REQUIRE(ended);
  CHECK(*ended == driver::ExitResult{.exit_code = 3, .signal = 9, .oom_killed = false, .error = "boom"});
  CHECK(read_file(config.stdout_path) == Result<std::string>("tick tick tick "));
  CHECK(read_file(config.stderr_path) == Result<std::string>("err"));
  const auto status = wait_for(bench.loop, bench.driver.inspect_task(config.id));
  REQUIRE(status);
  CHECK(status->state == driver::TaskState::exited);
  CHECK(wait_for(bench.loop, bench.driver.destroy_task(config.id, false)));
  CHECK(wait_for(bench.loop, bench.driver.wait_task(config.id)).error().message() == driver::task_not_found().message());
}

TEST_CASE("mock_driver: a start fails as told, recoverable or not") {
  Bench bench;
  auto refused = bench.start(bench.task({{"start_error", "no luck"}, {"start_block_for", "1ms"}}));
  REQUIRE(!refused);
  CHECK(refused.error().message() == "no luck");
  CHECK(!refused.error().recoverable());
  refused = bench.start(bench.task({{"start_error", "later"}, {"start_error_recoverable", true}}));
  REQUIRE(!refused);
  CHECK(refused.error().recoverable());
  CHECK(bench.start(bench.task({{"driver_port_map", "web"}})).error().message() == "malformed port map: \"web\"");
  CHECK(bench.start(bench.task({{"run_for", "soon"}})).error().message() == "run_for \"soon\" not a valid duration");
}

TEST_CASE("mock_driver: stop, signal and a forced destroy end what would run for long") {
  Bench bench;
  const auto stopped = bench.task({{"run_for", "1h"}, {"kill_after", "1ms"}, {"signal_error", "deaf"}, {"driver_ip", "10.0.0.7"}, {"driver_port_map", "web:80"}});
  const auto started = bench.start(stopped);
  REQUIRE(started);
  REQUIRE(started->network);
  CHECK(started->network->ip == "10.0.0.7");
  CHECK(started->network->port_map == std::map<std::string, std::int32_t>{{"web", 80}});
  CHECK(wait_for(bench.loop, bench.driver.signal_task(stopped.id, "SIGHUP")).error().message() == "deaf");
  CHECK(wait_for(bench.loop, bench.driver.destroy_task(stopped.id, false)).error().message() == "cannot destroy running task");
  CHECK(wait_for(bench.loop, bench.driver.exec_task(stopped.id, {"ls", "-l"}, 1s))->stdout_data == "Exec(\"web\", [\"ls\" \"-l\"])");
  CHECK(wait_for(bench.loop, bench.driver.stop_task(stopped.id, 1s, "SIGINT")));
  CHECK(wait_for(bench.loop, bench.driver.wait_task(stopped.id)) == Result<driver::ExitResult>(driver::ExitResult{}));

  const auto forced = bench.task({{"run_for", "1h"}}, "00000002");
  REQUIRE(bench.start(forced));
  CHECK(wait_for(bench.loop, bench.driver.signal_task(forced.id, "SIGHUP")));
  CHECK(wait_for(bench.loop, bench.driver.destroy_task(forced.id, true)));
}

TEST_CASE("mock_driver: a recovered task has run already for as long as it did, and writes nothing twice") {
  Bench first;
  const auto config = first.task({{"run_for", "1h"}, {"exit_code", 7}, {"stdout_string", "once"}});
  const auto started = first.start(config);
  REQUIRE(started);
  first.loop.restart();
  while (read_file(config.stdout_path) != Result<std::string>("once")) first.loop.run_one_for(10ms);

  Bench second;
  second.clock.advance(2h);
  REQUIRE(write_file(config.stdout_path, ""));
  REQUIRE(wait_for(second.loop, second.driver.recover_task(started->handle)));
  CHECK(wait_for(second.loop, second.driver.recover_task(started->handle)));
  CHECK(wait_for(second.loop, second.driver.wait_task(config.id))->exit_code == 7);
  CHECK(read_file(config.stdout_path) == Result<std::string>(""));

  driver::TaskHandle strange = started->handle;
  strange.config.id = "other";
  strange.driver_state = "?";
  CHECK(!wait_for(second.loop, second.driver.recover_task(strange)));
}

TEST_CASE("mock_driver: plugin_exit_after ends the wait as a lost plugin does") {
  Bench bench;
  const auto config = bench.task({{"run_for", "1h"}, {"plugin_exit_after", "1ms"}});
  REQUIRE(bench.start(config));
  CHECK(wait_for(bench.loop, bench.driver.wait_task(config.id))->error == "plugin is shut down");
}

TEST_CASE("mock_driver: an exec session runs the exec_command block") {
  Bench bench;
  const auto config = bench.task({{"run_for", "1h"}, {"exec_command", {{"run_for", "1ms"}, {"exit_code", 4}, {"stdout_string", "hi"}}}});
  REQUIRE(bench.start(config));
  Channel<driver::ExecInput> input(bench.loop.get_executor(), 4);
  Channel<driver::ExecOutput> output(bench.loop.get_executor(), 16);
  REQUIRE(wait_for(bench.loop, bench.driver.exec_task_streaming(config.id, {.command = {"x"}, .tty = false}, input, output)));
  CHECK(output.try_receive()->stdout_data == "hi");
  CHECK(output.try_receive()->exit_code == 4);

  const auto without = bench.task({{"run_for", "1h"}}, "00000002");
  REQUIRE(bench.start(without));
  CHECK(wait_for(bench.loop, bench.driver.exec_task_streaming(without.id, {}, input, output)).error().message() == "no exec command is configured");
}

TEST_CASE("mock_driver: the plugin's own configuration") {
  CHECK(mock::decode_config(plugin::to_msgpack({{"fs_isolation", "image"}}))->fs_isolation == driver::FsIsolation::image);
  CHECK(!mock::decode_config(plugin::to_msgpack({{"fs_isolation", "glass"}})));
  CHECK(!mock::decode_config(plugin::to_msgpack({{"shutdown_periodic_after", true}})));
}
