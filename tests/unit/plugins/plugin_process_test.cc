// The drivers as a host meets them: separate processes, launched, configured and re-launched over the plugin protocol.
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "sdk/driver/client.h"
#include "sdk/plugin/launch.h"
#include "tests/unit/plugins/support.h"

using namespace drover;
using namespace drover::testing;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

struct Host {
  Allocation alloc;
  TempDir directory = *TempDir::make();
  asio::io_context loop;
  std::unique_ptr<plugin::PluginProcess> process;
  driver::DriverClient client;
  plugin::Spec task_schema;
  int launches = 0;

  void launch(const std::string& executable, const json& config) {
    const plugin::LaunchOptions options{
        .executable = executable,
        .arguments = {},
        .environment = {{"PATH", "/usr/bin:/bin"}, {"DROVER_STATE_DIR", directory.path() + "/state"}, {"DROVER_EXECUTOR", DROVER_EXECUTOR_PATH}},
        .directory = directory.path() + "/p" + std::to_string(++launches)};
    auto launched = wait_for(loop, plugin::launch(loop.get_executor(), Logger(), options));
    REQUIRE_MESSAGE(launched, (launched ? "" : launched.error().message()));
    process = std::move(*launched);
    client.connect(process->client());
    const auto schema = wait_for(loop, client.config_schema());
    REQUIRE(schema);
    const auto encoded = plugin::encode_config(*schema, config, json::object());
    REQUIRE_MESSAGE(encoded, (encoded ? "" : encoded.error().message()));
    REQUIRE(wait_for(loop, client.set_config(*encoded, "v0.1.0", {})));
    const auto task = wait_for(loop, client.task_config_schema());
    REQUIRE(task);
    task_schema = *task;
  }
  void kill_plugin() {
    REQUIRE(::kill(process->pid(), SIGKILL) == 0);
    wait_for(loop, process->wait());
    client.connect(nullptr);
    process.reset();
  }
  driver::TaskConfig task(const json& options) {
    auto out = alloc.config(json::object());
    const auto encoded = plugin::encode_config(task_schema, options, json::object());
    REQUIRE_MESSAGE(encoded, (encoded ? "" : encoded.error().message()));
    out.driver_config = *encoded;
    return out;
  }
};

void survives_kill(const std::string& executable, const std::string& name, const json& config, const std::string& gate, const std::string& gate_in_task) {
  Host host;
  host.launch(executable, config);
  const auto info = wait_for(host.loop, host.client.plugin_info());
  REQUIRE(info);
  CHECK(info->name == name);
  CHECK(wait_for(host.loop, host.client.capabilities())->exec);

  const std::string go = host.alloc.directory.path() + gate;
  REQUIRE(::mkfifo(go.c_str(), 0666) == 0);
  REQUIRE(::chmod(go.c_str(), 0666) == 0);
  const std::string path = gate_in_task.empty() ? go : gate_in_task;
  const auto task = host.task({{"command", "/bin/sh"}, {"args", {"-c", "echo one; read x < " + path + "; echo two; exit 12"}}});
  const auto started = wait_for(host.loop, host.client.start_task(task));
  REQUIRE_MESSAGE(started, (started ? "" : started.error().message()));
  host.kill_plugin();

  host.launch(executable, config);
  CHECK(wait_for(host.loop, host.client.wait_task(task.id)).error().message() == driver::task_not_found().message());
  const auto recovered = wait_for(host.loop, host.client.recover_task(started->handle.encoded));
  REQUIRE_MESSAGE(recovered, (recovered ? "" : recovered.error().message()));
  const auto executed = wait_for(host.loop, host.client.exec_task(task.id, {"sh", "-c", "echo in; exit 3"}, 10s));
  REQUIRE(executed);
  CHECK(executed->stdout_data == "in\n");
  CHECK(executed->exit.exit_code == 3);
  REQUIRE(write_file(go, "on\n"));
  const auto ended = wait_for(host.loop, host.client.wait_task(task.id));
  REQUIRE(ended);
  CHECK(ended->exit_code == 12);
  CHECK(host.alloc.stdout_text() == "one\ntwo\n");

  // The plugin dies again, the task has ended meanwhile: its end is still known.
  host.kill_plugin();
  host.launch(executable, config);
  REQUIRE(wait_for(host.loop, host.client.recover_task(started->handle.encoded)));
  CHECK(wait_for(host.loop, host.client.wait_task(task.id))->exit_code == 12);
  CHECK(wait_for(host.loop, host.client.destroy_task(task.id, false)));
  wait_for(host.loop, host.process->stop());
}

}  // namespace

TEST_CASE("raw_exec plugin: L-01 kill -9 of the plugin loses nothing of its task") {
  survives_kill(DROVER_RAW_EXEC, "raw_exec", {{"enabled", true}}, "/go", "");
}

TEST_CASE("exec plugin: L-01 kill -9 of the plugin loses nothing of its task" * doctest::skip(::geteuid() != 0)) {
  survives_kill(DROVER_EXEC, "exec", {{"allow_degraded", true}}, "/web/local/go", "/local/go");
}
