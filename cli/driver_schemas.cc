#include "cli/driver_schemas.h"

#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "lib/model/driver_schema.h"
#include "lib/model/node.h"
#include "sdk/async/scope.h"
#include "sdk/base/text.h"
#include "sdk/driver/inspect.h"
#include "sdk/plugin/schema_json.h"

extern char** environ;

namespace drover::cli {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t most_plugins = 64;
constexpr auto start_limit = std::chrono::seconds(10);

// A ready node that has the driver; empty when there is none, an error when the cluster does not answer that.
Result<std::string> node_with(ApiClient& api, const std::string& driver) {
  auto nodes = api.read<model::List<model::NodeListStub>>(
      "/v1/nodes", {{"filter", fmt::format("Status == \"ready\" and {0} in Drivers and Drivers[{0}].Healthy == true", quote(driver))}, {"per_page", "1"}});
  if (!nodes) return fail(nodes.error());
  return nodes->empty() ? "" : nodes->front().id;
}

void add_published(ApiClient& api, const std::string& node, FoundSchemas& out) {
  auto published = api.read<model::List<model::DriverSchema>>("/v1/client/drivers", {{"node_id", node}});
  if (!published) return;
  for (const model::DriverSchema& one : *published) {
    auto spec = plugin::schema_from_json(nlohmann::json::parse(one.task_config.json().dump(), nullptr, false));
    if (spec && *spec) out.schemas.emplace(one.name, std::move(*spec));
  }
}

std::vector<std::string> executables(const std::string& directory) {
  std::vector<std::string> out;
  if (directory.empty()) return out;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    const std::string path = entry.path().string();
    if (entry.is_regular_file(error) && ::access(path.c_str(), X_OK) == 0) out.push_back(path);
  }
  std::sort(out.begin(), out.end());
  return out;
}

Async<> ask_all(Executor executor, std::vector<std::string> files, FoundSchemas& out) {
  std::vector<std::pair<std::string, std::string>> environment;
  for (char** at = environ; *at != nullptr; ++at) {
    const auto [key, value] = split_once(*at, '=');
    environment.emplace_back(key, value);
  }
  for (const std::string& file : files) {
    driver::InspectOptions options{.executable = file, .arguments = {}, .environment = environment, .start_timeout = start_limit};
    auto found = co_await driver::inspect_plugin(executor, Logger(), std::move(options));
    if (!found || found->info.type != driver::PluginType::driver) continue;
    out.asked = true;
    out.schemas.emplace(found->info.name, std::move(found->task_schema));
  }
}

}  // namespace

FoundSchemas cluster_schemas(ApiClient& api, const std::set<std::string>& drivers) {
  FoundSchemas out;
  std::set<std::string> nodes;
  for (const std::string& driver : drivers) {
    if (out.schemas.contains(driver)) continue;
    auto node = node_with(api, driver);
    if (!node) return out;
    out.asked = true;
    if (node->empty()) out.nowhere.insert(driver);
    else if (nodes.insert(*node).second) add_published(api, *node, out);
  }
  return out;
}

FoundSchemas installed_schemas(const std::set<std::string>& drivers, const std::string& libexec, const std::string& plugin_dir) {
  FoundSchemas out;
  std::vector<std::string> files;
  for (const std::string& file : executables(libexec)) {
    const std::string name = fs::path(file).filename().string();
    const bool wanted = std::any_of(drivers.begin(), drivers.end(), [&](const std::string& driver) { return name == "drover-driver-" + replace_all(driver, "_", "-"); });
    if (wanted || (drivers.empty() && name.starts_with("drover-driver-"))) files.push_back(file);
  }
  for (const std::string& file : executables(plugin_dir)) files.push_back(file);
  if (files.size() > most_plugins) files.resize(most_plugins);
  if (files.empty()) return out;
  asio::io_context loop{1};
  bool done = false;
  Scope scope(loop.get_executor());
  const auto work = [](Executor executor, std::vector<std::string> all, FoundSchemas& found, bool& ended) -> Async<> {
    co_await ask_all(executor, std::move(all), found);
    ended = true;
  };
  scope.spawn(work(loop.get_executor(), std::move(files), out, done));
  while (!done && loop.run_one() != 0) {}
  return out;
}

}  // namespace drover::cli
