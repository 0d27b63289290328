#include "agent/conformance/host_bench.h"

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "sdk/base/clock.h"
#include "sdk/plugin/config.h"

namespace drover::conformance {
using namespace std::chrono_literals;
using pluginhost::Phase;

Node::Node(Executor executor, const std::string& chaos_plugin, const std::string& directory, const std::string& behaviour, const std::string& config_json)
    : executor_(std::move(executor)), directory_(directory), behaviour_path_(directory + "/behaviour.json"), sink_(std::make_shared<CountingSink>()) {
  DROVER_CHECK(make_directories(directory + "/plugins").has_value());
  DROVER_CHECK(::symlink(chaos_plugin.c_str(), (directory + "/plugins/chaos").c_str()) == 0);
  behave(behaviour);
  pluginhost::Options options;
  options.directories = {.third_party = directory + "/plugins", .first_party = directory + "/none"};
  options.blocks = {{"chaos", {.args = {behaviour_path_}, .config_json = config_json}}};
  options.socket_dir = directory + "/run";
  options.environment = {{"PATH", "/usr/bin:/bin"}};
  options.topology.cores = {{.core = 0, .base_mhz = 2000, .max_mhz = 2000, .guess_mhz = 2000}};
  manager_ = std::make_unique<pluginhost::DriverManager>(executor_, Logger("host", sink_, LogLevel::trace), system_clock(), options);
}

Node::~Node() = default;

Async<> Node::start(std::string reattach_json) { return manager_->start(std::move(reattach_json)); }
Async<> Node::stop() { return manager_->shutdown(); }

void Node::behave(const std::string& behaviour) const {
  // At once: the plugin may read it at any time.
  DROVER_CHECK(replace_file_durably(behaviour_path_, behaviour).has_value());
}

pluginhost::PluginStatus Node::status() const {
  for (auto& status : manager_->plugins()) {
    if (status.file.ends_with("/chaos")) return status;
  }
  return {};
}

driver::DriverClient* Node::client() {
  auto found = manager_->driver("chaos");
  return found ? *found : nullptr;
}

Async<bool> Node::running_within(int restarts, std::chrono::nanoseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  for (;;) {
    const auto now = status();
    if (now.phase == Phase::running && now.restarts >= restarts) co_return true;
    if (std::chrono::steady_clock::now() > deadline) co_return false;
    co_await sleep_for(20ms);
  }
}

driver::TaskConfig Node::task(const std::string& name, const std::string& run_for) const {
  driver::TaskConfig out;
  out.id = "00000000-0000-4000-8000-000000000000/" + name + "/01234567";
  out.name = name;
  out.alloc_id = "00000000-0000-4000-8000-000000000000";
  out.alloc_dir = directory_;
  out.driver_config = plugin::to_msgpack({{"run_for", run_for}, {"exit_code", 0}});
  out.resources.emplace();
  return out;
}

std::unique_ptr<Node> HostBench::node(const std::string& behaviour, const std::string& config_json) {
  return std::make_unique<Node>(executor, chaos_plugin, directory + "/n" + std::to_string(++next), behaviour, config_json);
}

}  // namespace drover::conformance
