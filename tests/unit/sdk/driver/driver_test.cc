#include <doctest/doctest.h>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <csignal>
#include <nlohmann/json.hpp>

#include "sdk/async/scope.h"
#include "sdk/base/file.h"
#include "sdk/driver/client.h"
#include "sdk/plugin/config.h"
#include "sdk/plugin/launch.h"

using namespace drover;
using namespace drover::driver;
using namespace std::chrono_literals;

namespace {
plugin::LaunchOptions hello(const std::string& directory) {
  return {.executable = DROVER_HELLO_DRIVER, .arguments = {}, .environment = {{"PATH", "/usr/bin:/bin"}}, .directory = directory, .start_timeout = 30s};
}

Async<> exec_session(DriverClient& client, Executor executor, std::string id) {
  Channel<ExecInput> input(executor, 8);
  Channel<ExecOutput> output(executor, 64);
  REQUIRE(input.try_send({.stdin_data = std::string(100'000, 'z'), .stdin_eof = true}));
  const auto result = co_await client.exec_task_streaming(id, {.command = {"cat"}, .tty = false}, input, output);
  CHECK(result);
  std::string text;
  std::optional<int> code;
  for (auto piece = output.try_receive(); piece; piece = output.try_receive()) {
    text += piece->stdout_data;
    if (piece->exit_code) code = *piece->exit_code;
  }
  CHECK(text.size() == 100'000);
  CHECK(code == 4);
}

Async<> first_fingerprint(DriverClient& client, Executor executor) {
  Channel<Fingerprint> channel(executor, 4);
  using namespace asio::experimental::awaitable_operators;
  auto either = client.fingerprint(channel) || channel.receive();
  const auto first = co_await std::move(either);
  REQUIRE(first.index() == 1);
  const auto& fingerprint = std::get<1>(first);
  REQUIRE(fingerprint);
  CHECK(fingerprint->health == Health::healthy);
  CHECK(fingerprint->attributes.at("driver.hello.version") == Attribute{std::string("0.1.0"), ""});
}

Async<> first_sample(DriverClient& client, Executor executor, std::string id) {
  Channel<TaskStats> channel(executor, 4);
  using namespace asio::experimental::awaitable_operators;
  auto either = client.task_stats(id, 10ms, channel) || channel.receive();
  const auto first = co_await std::move(either);
  REQUIRE(first.index() == 1);
  REQUIRE(std::get<1>(first));
  CHECK(std::get<1>(first)->total.cpu.measured == std::vector<std::string>{"Percent"});
}

Async<> whole_life(Executor executor, std::string directory, bool& finished) {
  auto process = co_await plugin::launch(executor, Logger(), hello(directory + "/p"));
  REQUIRE_MESSAGE(process, (process ? "" : process.error().message()));
  DriverClient client;
  client.connect((*process)->client());
  const auto info = co_await client.plugin_info();
  REQUIRE(info);
  CHECK(info->name == "hello");
  CHECK(info->api_versions == std::vector<std::string>{"v0.1.0"});
  const auto schema = co_await client.config_schema();
  REQUIRE(schema);
  const auto agent_config = plugin::encode_config(*schema, {{"shout", "true"}}, nlohmann::json::object());
  REQUIRE(agent_config);
  auto done = co_await client.set_config(*agent_config, "v0.1.0", {});
  CHECK(done);
  done = co_await client.init();
  CHECK(done);
  const auto capabilities = co_await client.capabilities();
  REQUIRE(capabilities);
  CHECK(capabilities->exec);
  co_await first_fingerprint(client, executor);

  const auto task_schema = co_await client.task_config_schema();
  REQUIRE(task_schema);
  const auto config = plugin::encode_config(*task_schema, {{"greeting", "hi"}, {"seconds", 3600}}, nlohmann::json::object());
  REQUIRE(config);
  TaskConfig task;
  task.id = "a/web/1";
  task.name = "web";
  task.driver_config = *config;
  task.env = {{"A", "b"}};
  task.stdout_path = directory + "/log";
  REQUIRE(write_file(task.stdout_path, ""));
  const auto started = co_await client.start_task(task);
  REQUIRE_MESSAGE(started, (started ? "" : started.error().message()));
  CHECK(started->handle.config.id == "a/web/1");
  CHECK(started->handle.config.env == task.env);
  CHECK(started->handle.driver_state == "hello");
  CHECK(read_file(task.stdout_path) == Result<std::string>("hi!\n"));
  const auto twice = co_await client.start_task(task);
  REQUIRE(!twice);
  CHECK(twice.error().message() == "task with ID \"a/web/1\" already started");
  CHECK(!twice.error().recoverable());
  TaskConfig silent = task;
  silent.id = "b";
  silent.driver_config = plugin::to_msgpack({{"greeting", ""}});
  const auto refused = co_await client.start_task(silent);
  REQUIRE(!refused);
  CHECK(refused.error().recoverable());

  co_await first_sample(client, executor, task.id);
  Channel<std::vector<TaskStats>> all(executor, 4);
  done = co_await client.all_task_stats(10ms, all);
  CHECK(done.error().code() == Code::unimplemented);
  co_await exec_session(client, executor, task.id);
  const auto executed = co_await client.exec_task(task.id, {"x"}, 5s);
  REQUIRE(executed);
  CHECK(executed->stdout_data == "x");
  CHECK(executed->exit.exit_code == 3);
  done = co_await client.signal_task(task.id, "SIGHUP");
  CHECK(done.error().code() == Code::unimplemented);
  auto status = co_await client.inspect_task(task.id);
  REQUIRE(status);
  CHECK(status->state == TaskState::running);
  CHECK(status->completed_at == 0);
  const auto network = co_await client.create_network("a", "h");
  CHECK(network.error().code() == Code::unimplemented);
  done = co_await client.destroy_network("a", {});
  CHECK(done.error().code() == Code::unimplemented);

  // The host forgets the process and finds it again.
  const plugin::Reattach tuple = (*process)->reattach();
  co_await (*process)->detach();
  process->reset();
  plugin::Reattach wrong = tuple;
  wrong.start_ticks += 1;
  auto other = co_await plugin::reattach(executor, Logger(), wrong);
  CHECK(other.error().code() == Code::not_found);
  other = co_await plugin::reattach(executor, Logger(), tuple);
  REQUIRE_MESSAGE(other, (other ? "" : other.error().message()));
  client.connect((*other)->client());
  done = co_await client.recover_task(started->handle.encoded);
  CHECK(done);
  done = co_await client.stop_task(task.id, 1s, "SIGINT");
  CHECK(done);
  const auto exit = co_await client.wait_task(task.id);
  CHECK(exit == Result<ExitResult>(ExitResult{.exit_code = 130, .signal = 2}));
  done = co_await client.destroy_task(task.id, true);
  CHECK(done);
  const auto unknown = co_await client.wait_task(task.id);
  REQUIRE(!unknown);
  CHECK(unknown.error() == task_not_found());
  done = co_await client.shutdown();
  CHECK(done);
  co_await (*other)->stop();
  client.connect(nullptr);
  done = co_await client.init();
  CHECK(done.error() == Error(Code::unavailable, "plugin is shut down"));
  struct NoSocket {};
  CHECK(read_file(tuple.address).error().code() == Code::not_found);
  finished = true;
}

struct Failure {
  std::string script, expected;
};
Async<> failing(Executor executor, std::string directory, Failure row) {
  const std::string script = directory + "/bad";
  REQUIRE(write_file(script, "#!/bin/sh\n" + row.script, 0755));
  plugin::LaunchOptions options = hello(directory + "/p");
  options.executable = script;
  options.start_timeout = 300ms;
  const auto process = co_await plugin::launch(executor, Logger(), std::move(options));
  REQUIRE(!process);
  CHECK_MESSAGE(process.error().message().starts_with(row.expected), process.error().message());
  CHECK(process.error().message().find("/bad\" (mode 0755") != std::string::npos);
}
Async<> plugin_dies(Executor executor, std::string directory, bool& finished) {
  auto process = co_await plugin::launch(executor, Logger(), hello(directory + "/p"));
  REQUIRE(process);
  REQUIRE(Process::open((*process)->pid())->signal(SIGKILL));
  const auto text = co_await (*process)->wait();
  CHECK(text == "killed by signal 9 (Killed)");
  CHECK(read_file((*process)->reattach().address).error().code() == Code::not_found);
  DriverClient client;
  client.connect((*process)->client());
  const auto info = co_await client.plugin_info();
  CHECK(info.error().message() == "plugin is shut down");
  co_await (*process)->stop();
  finished = true;
}
}  // namespace

TEST_CASE("driver: every RPC over the real handshake, and a re-attach in the middle (P_13, F_10)") {
  asio::io_context loop;
  const auto directory = TempDir::make();
  REQUIRE(directory);
  Scope scope(loop.get_executor());
  bool finished = false;
  scope.spawn(whole_life(loop.get_executor(), directory->path(), finished));
  loop.run();
  CHECK(finished);
}

TEST_CASE("launch: a plugin that dies is reported with its signal, and its socket removed") {
  asio::io_context loop;
  const auto directory = TempDir::make();
  Scope scope(loop.get_executor());
  bool finished = false;
  scope.spawn(plugin_dies(loop.get_executor(), directory->path(), finished));
  loop.run();
  CHECK(finished);
}

TEST_CASE("P_10 P_14 launch: each way to fail begins with its phrase and names the file") {
  const Failure rows[] = {
      {"echo oops >&2; exit 3\n", "Unrecognized remote plugin message: Failed to read any lines from plugin's stdout"},
      {"echo hello; exec sleep 9\n", "Unrecognized remote plugin message: \"hello\""},
      {"echo '7|2|unix|/x|grpc|'; exec sleep 9\n", "incompatible core API version with plugin"},
      {"echo '1|9|unix|/x|grpc|'; exec sleep 9\n", "incompatible API version with plugin"},
      {"echo '1|2|udp|/x|grpc|'; exec sleep 9\n", "unknown address type: /x"},
      {"echo '1|2|unix|/x'; exec sleep 9\n", "unsupported plugin protocol"},
      {"echo '1|2|unix|/x|grpc|'; exec sleep 9\n", "the plugin's address \"/x\" is no socket"},
      {"echo '1|2|tcp|8.8.8.8:1|grpc|'; exec sleep 9\n", "the plugin listens on"},
      {"printf 1; exit 0\n", "plugin exited before we could connect"},
      {"exec sleep 9\n", "timeout while waiting for plugin to start"}};
  for (const Failure& row : rows) {
    asio::io_context loop;
    const auto directory = TempDir::make();
    Scope scope(loop.get_executor());
    scope.spawn(failing(loop.get_executor(), directory->path(), row));
    loop.run();
  }
}
