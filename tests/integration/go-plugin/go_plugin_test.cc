// Our host against a driver on the genuine go-plugin library (DROVER_GO_PLUGIN names the executable).
#include <doctest/doctest.h>

#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <csignal>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "agent/pluginhost/driver_manager.h"
#include "agent/pluginhost/reattach_record.h"
#include "sdk/async/scope.h"
#include "sdk/base/file.h"
#include "sdk/plugin/config.h"

using namespace drover;
using namespace drover::pluginhost;
using namespace std::chrono_literals;

namespace {
// Collects what the plugin logged, as the agent would show it.
class Collect final : public LogSink {
 public:
  void write(const LogRecord& record) override { text_ += format_text(record) + "\n"; }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

Async<> use_go_plugin(Executor executor, std::string directory, std::string program, std::shared_ptr<Collect> sink, bool& finished) {
  REQUIRE(make_directories(directory + "/plugins"));
  REQUIRE(::symlink(program.c_str(), (directory + "/plugins/go-file").c_str()) == 0);
  Options options;
  options.directories = {directory + "/plugins", ""};
  options.blocks = {{"go-file", {}}};
  options.socket_dir = directory + "/run";
  options.environment = {{"PATH", "/usr/bin:/bin"}};
  std::string stored;
  driver::TaskConfig task;
  task.id = "a/b/1";
  std::string handle;
  {
    DriverManager manager(executor, Logger("agent", sink, LogLevel::trace), system_clock(), options);
    co_await manager.start("");
    const auto fingerprint = co_await manager.wait_fingerprint("gotest", 30s);
    REQUIRE_MESSAGE(fingerprint, (fingerprint ? "" : fingerprint.error().message() + manager.plugins().front().reason));
    CHECK(fingerprint->health == driver::Health::healthy);
    CHECK(fingerprint->attributes.at("driver.gotest") == driver::Attribute{true, ""});
    CHECK(manager.capabilities("gotest")->fs_isolation == driver::FsIsolation::chroot);
    const auto config = plugin::encode_config(*manager.schema("gotest"), {{"text", "x"}}, nlohmann::json::object());
    REQUIRE(config);
    task.driver_config = *config;
    driver::DriverClient* client = *manager.driver("gotest");
    const auto started = co_await client->start_task(task);
    REQUIRE_MESSAGE(started, (started ? "" : started.error().message()));
    CHECK(started->handle.state == driver::TaskState::running);
    CHECK(started->handle.driver_state == "state");
    handle = started->handle.encoded;
    driver::TaskConfig large = task;
    large.env["BIG"] = std::string(5 << 20, 'x');
    const auto refused = co_await client->start_task(large);
    CHECK(refused.error().code() == Code::too_large);
    const auto unknown = co_await client->wait_task("other");
    CHECK(unknown.error() == driver::task_not_found());
    const auto executed = co_await client->exec_task("a/b/1", {"x"}, 1s);
    CHECK(executed.error().code() == Code::unimplemented);
    stored = manager.reattach_json();
    co_await manager.detach();
  }
  DriverManager manager(executor, Logger("agent", sink, LogLevel::trace), system_clock(), options);
  co_await manager.start(stored);
  CHECK(manager.reattach_json() == stored);
  driver::DriverClient* client = *manager.driver("gotest");
  const auto recovered = co_await client->recover_task(handle);
  CHECK(recovered);
  const auto exit = co_await client->wait_task("a/b/1");
  CHECK(exit == Result<driver::ExitResult>(driver::ExitResult{.exit_code = 137, .signal = 9}));
  co_await manager.shutdown();
  CHECK(sink->text().find("plugin address") != std::string::npos);
  finished = true;
}

// P-12: the certificates of both, the calls behind them, and the record that finds the process again.
Async<> use_tls(Executor executor, std::string directory, std::string program, std::shared_ptr<Collect> sink, bool& finished) {
  const Logger log("agent", sink, LogLevel::trace);
  plugin::Reattach tuple;
  {
    const auto process = co_await plugin::launch(executor, log, {.executable = program, .arguments = {}, .environment = {{"PATH", "/usr/bin:/bin"}}, .directory = directory + "/run", .tls = true});
    REQUIRE_MESSAGE(process, (process ? "" : process.error().message()));
    tuple = (*process)->reattach();
    CHECK(tuple.certificate.starts_with("-----BEGIN CERTIFICATE-----"));
    CHECK(tuple.own.key.find("PRIVATE KEY") != std::string::npos);
    driver::DriverClient client;
    client.connect((*process)->client());
    const auto info = co_await client.plugin_info();
    REQUIRE_MESSAGE(info, (info ? "" : info.error().message()));
    CHECK(info->name == "gotest");
    // A megabyte both ways: many records of TLS.
    driver::TaskConfig task;
    task.id = "a/b/2";
    task.env["BIG"] = std::string(1 << 20, 'x');
    const auto started = co_await client.start_task(task);
    REQUIRE_MESSAGE(started, (started ? "" : started.error().message()));
    CHECK(started->handle.config.env.at("BIG").size() == std::size_t{1} << 20);
    co_await (*process)->detach();
  }
  // Somebody who reaches the socket but has not the key.
  plugin::Reattach stranger = tuple;
  const auto other = plugin::make_identity();
  REQUIRE(other);
  stranger.own = *other;
  {
    const auto process = co_await plugin::reattach(executor, log, stranger);
    REQUIRE(process);
    driver::DriverClient client;
    client.connect((*process)->client());
    const auto info = co_await client.plugin_info();
    CHECK_FALSE(info.has_value());
    co_await (*process)->detach();
  }
  const auto again = pluginhost::decode_reattach(pluginhost::encode_reattach({tuple}));
  REQUIRE(again.size() == 1);
  CHECK(again.front() == tuple);
  const auto process = co_await plugin::reattach(executor, log, again.front());
  REQUIRE_MESSAGE(process, (process ? "" : process.error().message()));
  driver::DriverClient client;
  client.connect((*process)->client());
  const auto info = co_await client.plugin_info();
  CHECK(info);
  co_await (*process)->stop();
  finished = true;
}

// Runs one of the above to its end, and returns what the plugin has logged.
template <class Use>
std::string run(Use use) {
  const char* program = std::getenv("DROVER_GO_PLUGIN");
  REQUIRE(program != nullptr);
  asio::io_context loop;
  const auto directory = TempDir::make();
  REQUIRE(directory);
  Scope scope(loop.get_executor());
  const auto sink = std::make_shared<Collect>();
  bool finished = false;
  scope.spawn(use(loop.get_executor(), directory->path(), program, sink, finished));
  loop.run();
  CAPTURE(sink->text());
  CHECK(finished);
  return sink->text();
}
}  // namespace

TEST_CASE("P_12 go-plugin: TLS with the genuine library, also after re-attaching, and not with a stranger's key") {
  std::signal(SIGPIPE, SIG_IGN);  // as every agent does
  run(use_tls);
}

TEST_CASE("go-plugin: a driver on the genuine library works, survives the agent and stops in order") {
  const std::string text = run(use_go_plugin);
  CAPTURE(text);
  CHECK(text.find("printed by the driver") != std::string::npos);
}
