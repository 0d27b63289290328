#include "sdk/conformance/bench.h"

#include <hclspec.pb.h>

#include <nlohmann/json.hpp>

#include "sdk/base/text.h"
#include "sdk/plugin/config.h"
#include "sdk/plugin/handshake.h"
#include "sdk/plugin/schema_proto.h"

namespace drover::conformance {
using namespace std::chrono_literals;

base::NomadConfig full_nomad_config() {
  base::NomadConfig out;
  auto& driver = *out.mutable_driver();
  driver.set_clientmaxport(14512);
  driver.set_clientminport(14000);
  auto& topology = *driver.mutable_topology();
  for (const std::uint32_t node : {0U, 1U}) {
    topology.add_node_ids(node);
    auto& core = *topology.add_cores();
    core.set_node_id(node);
    core.set_core_id(node);
    core.set_base_speed(2400);
    core.set_max_speed(3000);
    core.set_guess_speed(2400);
  }
  topology.mutable_distances()->set_dimension(2);
  for (const std::uint32_t value : {10U, 20U, 20U, 10U}) topology.mutable_distances()->add_values(value);
  return out;
}

Bench::Bench(Executor executor, const Settings& settings, TempDir directory)
    : executor_(executor), settings_(settings), directory_(std::move(directory)), vigil_over_(executor), scope_(executor) {}

Bench::~Bench() = default;

std::string Bench::new_directory(const char* name) { return fmt::format("{}/{}{}", directory_.path(), name, ++next_directory_); }

Result<RunPtr> Bench::spawn(const std::function<void(Start&)>& change, const std::string& executable) {
  Start start{.executable = executable.empty() ? settings_.executable : executable, .arguments = settings_.arguments, .directory = new_directory("p"), .environment = settings_.environment};
  if (change) change(start);
  auto run = Run::spawn(executor_, std::move(start));
  if (run) logs_.push_back((*run)->stderr_text());
  return run;
}

Async<RunPtr> Bench::fresh(Check& check, std::function<void(Start&)> change) {
  auto run = spawn(change);
  if (!run) {
    check.expect(false, "the plugin starts", run.error().message());
    co_return nullptr;
  }
  const bool shaken = co_await (*run)->handshake(60s);
  const auto target = (*run)->target();
  if (!shaken || !target) {
    check.expect(false, "a handshake line within 60 s", shaken ? target.error().message() : fmt::format("none; the process: {}", (*run)->epitaph()));
    co_return nullptr;
  }
  co_return *run;
}

Async<Result<>> Bench::configure(Run& run) {
  auto bytes = co_await config_bytes(run);
  if (!bytes) co_return fail(bytes.error());
  base::SetConfigRequest request;
  request.set_msgpack_config(std::move(*bytes));
  *request.mutable_nomad_config() = full_nomad_config();
  request.set_plugin_api_version(plugin::api_version);
  const auto set = co_await run.call<base::SetConfigResponse>(base_service + "SetConfig", request);
  if (!set) co_return fail(set.error(), "SetConfig");
  const auto init = co_await run.call<pb::InitResponse>(driver_service + "Init", pb::InitRequest(), 60s);
  if (!init && init.error().code() != Code::unimplemented) co_return fail(init.error(), "Init");
  co_return Result<>{};
}

Async<RunPtr> Bench::configured(Check& check, std::function<void(Start&)> change) {
  RunPtr run = co_await fresh(check, std::move(change));
  if (!run) co_return nullptr;
  const auto done = co_await configure(*run);
  if (check.expect(done.has_value(), "the plugin accepts its configuration", done ? "" : fmt::format("{}; the process: {}", done.error().message(), run->epitaph()))) co_return run;
  co_return nullptr;
}

Async<RunPtr> Bench::ready(Check& check) {
  if (!shared_ || !shared_->alive()) shared_ = co_await configured(check);
  co_return shared_;
}

Async<Result<std::string>> Bench::config_bytes(Run& run) {
  const auto answer = co_await run.call<base::ConfigSchemaResponse>(base_service + "ConfigSchema", base::ConfigSchemaRequest());
  if (!answer) co_return fail(answer.error(), "ConfigSchema");
  if (!answer->has_spec()) co_return std::string();
  const auto schema = plugin::from_proto(answer->spec());
  if (!schema) co_return fail(schema.error(), "the schema of the plugin's configuration");
  auto encoded = plugin::encode_config(*schema, nlohmann::json::parse(settings_.config_json, nullptr, false), nlohmann::json::object());
  if (!encoded) co_return fail(encoded.error(), "evaluating the plugin's configuration (--config)");
  co_return std::move(*encoded);
}

Async<Result<plugin::Spec>> Bench::task_schema(Run& run) {
  if (!task_schema_) {
    const auto answer = co_await run.call<pb::TaskConfigSchemaResponse>(driver_service + "TaskConfigSchema", pb::TaskConfigSchemaRequest());
    if (!answer) co_return fail(answer.error(), "TaskConfigSchema");
    auto schema = plugin::from_proto(answer->spec());
    if (!schema) co_return fail(schema.error(), "the schema of the task's configuration");
    task_schema_ = std::move(*schema);
  }
  co_return *task_schema_;
}

Async<Result<pb::DriverCapabilities>> Bench::capabilities(Run& run) {
  if (!capabilities_) {
    auto answer = co_await run.call<pb::CapabilitiesResponse>(driver_service + "Capabilities", pb::CapabilitiesRequest());
    if (!answer) co_return fail(answer.error(), "Capabilities");
    capabilities_ = answer->capabilities();
  }
  co_return *capabilities_;
}

void Bench::begin_vigil(bool driver) {
  if (vigil_begun_) return;
  vigil_begun_ = true;
  scope_.spawn(keep_vigil(driver));
}

Async<> Bench::keep_vigil(bool driver) {
  Check check(Level::required);
  const RunPtr idle = co_await configured(check);
  const RunPtr busy = idle ? co_await configured(check) : nullptr;
  if (!busy) {
    vigil_.problem = "the plugin does not start";
    const auto result = std::move(check).result(0, 0);
    if (!result.findings.empty()) vigil_.problem = result.findings.front().seen;
    vigil_over_.set();
    co_return;
  }
  Watch stdio(executor_, busy->client(), "/plugin.GRPCStdio/StreamStdio", "");
  std::optional<Watch> fingerprint, events;
  if (driver) {
    fingerprint.emplace(executor_, busy->client(), driver_service + "Fingerprint", "");
    events.emplace(executor_, busy->client(), driver_service + "TaskEvents", "");
  }
  co_await sleep_for(settings_.idle);
  vigil_.stdio = stdio.status_text();
  vigil_.has_stdio = !stdio.unimplemented();
  if (driver) {
    vigil_.fingerprint = fingerprint->status_text();
    vigil_.events = events->status_text();
    vigil_.has_events = !events->unimplemented();
  }
  vigil_.epitaph = busy->epitaph();
  const auto answer = co_await idle->call<base::PluginInfoResponse>(base_service + "PluginInfo", base::PluginInfoRequest(), 10s);
  if (!answer) vigil_.idle = fmt::format("PluginInfo: {}; the process: {}", answer.error().message(), idle->epitaph());
  fingerprint.reset();
  events.reset();
  [[maybe_unused]] const bool first = co_await busy->shut_down(2s);
  [[maybe_unused]] const bool second = co_await idle->shut_down(2s);
  vigil_over_.set();
}

Async<const Vigil*> Bench::vigil() {
  co_await vigil_over_.wait();
  co_return &vigil_;
}

Async<> Bench::close() {
  co_await scope_.close();
  if (shared_ && shared_->alive()) {
    [[maybe_unused]] const bool orderly = co_await shared_->shut_down(2s);
  }
  shared_.reset();
}

}  // namespace drover::conformance
