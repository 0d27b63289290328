// Our host with the answers of genuine third-party drivers (tests/golden/plugin-answers), given again by the chaos plugin: each is
// coped with, which means no crash, no hang, and the right class of error.
#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>
#include <csignal>

#include <driver.pb.h>
#include <hclspec.pb.h>

#include "agent/conformance/host_bench.h"
#include "sdk/async/scope.h"
#include "sdk/base/encoding.h"
#include "sdk/base/text.h"
#include "sdk/plugin/config.h"
#include "sdk/plugin/schema_proto.h"
#include "tests/unit/support/golden.h"

using namespace drover;
using namespace drover::conformance;
using namespace std::chrono_literals;
using nlohmann::json;
namespace hclspec = hashicorp::nomad::plugins::shared::hclspec;
namespace pb = hashicorp::nomad::plugins::drivers::proto;

namespace {
// The JSON form of a schema, as protobuf writes it.
void fill(const json& from, hclspec::Spec& to) {
  const auto text = [](const json& value, const char* key) { return value.value(key, std::string()); };
  const auto nested = [](const json& value, hclspec::Spec& spec) {
    if (value.contains("nested")) fill(value["nested"], spec);
  };
  for (const auto& [kind, value] : from.items()) {
    if (kind == "object") {
      to.mutable_object();
      const json attributes = value.value("attributes", json::object());
      for (const auto& [name, child] : attributes.items()) fill(child, (*to.mutable_object()->mutable_attributes())[name]);
    } else if (kind == "array") {
      const json values = value.value("values", json::array());
      for (const json& child : values) fill(child, *to.mutable_array()->add_values());
    } else if (kind == "Attr") {
      to.mutable_attr()->set_name(text(value, "name"));
      to.mutable_attr()->set_type(text(value, "type"));
      to.mutable_attr()->set_required(value.value("required", false));
    } else if (kind == "block_value") {
      to.mutable_block_value()->set_name(text(value, "name"));
      to.mutable_block_value()->set_required(value.value("required", false));
      nested(value, *to.mutable_block_value()->mutable_nested());
    } else if (kind == "block_attrs") {
      to.mutable_block_attrs()->set_name(text(value, "name"));
      to.mutable_block_attrs()->set_type(text(value, "type"));
    } else if (kind == "block_list") {
      to.mutable_block_list()->set_name(text(value, "name"));
      nested(value, *to.mutable_block_list()->mutable_nested());
    } else if (kind == "block_set") {
      to.mutable_block_set()->set_name(text(value, "name"));
      nested(value, *to.mutable_block_set()->mutable_nested());
    } else if (kind == "block_map") {
      to.mutable_block_map()->set_name(text(value, "name"));
      const json labels = value.value("labels", json::array());
      for (const json& label : labels) to.mutable_block_map()->add_labels(label.get<std::string>());
      nested(value, *to.mutable_block_map()->mutable_nested());
    } else if (kind == "default") {
      fill(value.at("primary"), *to.mutable_default_()->mutable_primary());
      fill(value.at("default"), *to.mutable_default_()->mutable_default_());
    } else if (kind == "literal") {
      to.mutable_literal()->set_value(text(value, "value"));
    } else {
      FAIL("a kind of schema that is not known here: " << kind);
    }
  }
}

json answer_of(const std::string& bytes) { return {{"do", "answer"}, {"hex", hex_encode(bytes)}}; }

json schema_answer(const json& recorded) {
  if (!recorded.value("spec_present", false)) return answer_of("");
  hclspec::Spec spec;
  fill(recorded.at("spec"), spec);
  // TaskConfigSchemaResponse and ConfigSchemaResponse both hold the spec as field 1.
  pb::TaskConfigSchemaResponse out;
  *out.mutable_spec() = spec;
  return answer_of(out.SerializeAsString());
}

std::string fingerprint_bytes(const json& message) {
  pb::FingerprintResponse out;
  const json attributes = message.value("attributes", json::object());
  for (const auto& [name, value] : attributes.items()) {
    auto& attribute = (*out.mutable_attributes())[name];
    if (value.contains("bool_val")) attribute.set_bool_val(value["bool_val"]);
    if (value.contains("string_val")) attribute.set_string_val(value["string_val"].get<std::string>());
    attribute.set_unit(value.value("unit", ""));
  }
  const std::string health = message.value("health", "UNDETECTED");
  out.set_health(health == "HEALTHY" ? pb::HEALTHY : health == "UNHEALTHY" ? pb::UNHEALTHY : pb::UNDETECTED);
  out.set_health_description(message.value("health_description", ""));
  return out.SerializeAsString();
}

struct Replay {
  const json& plugin;
  std::string name;
  Node& node;
  golden::Tally& tally;
  json calls;  // what the plugin always answers

  void report(const std::string& what, const std::string& difference) const { tally.report(name + "/" + replace_all(what, " ", "-"), difference); }
  void behave(const std::string& method, json fault) const {
    json all = calls;
    all[method] = std::move(fault);
    node.behave(json{{"scripted", 1}, {"calls", all}}.dump());
  }
};

json fault_of(const json& row) {
  if (!row.value("survived", true)) return {{"do", "error"}, {"text", "Stream removed (Socket closed)"}, {"code", "unavailable"}};
  if (row.at("code") == "OK") return answer_of("");
  return {{"do", "error"}, {"text", row.value("message", "")}, {"code", row.at("code") == "RESOURCE_EXHAUSTED" ? "resource_exhausted" : ""}};
}

// The class a host acts on (protocol 5.1); `internal` is an error that is shown as it is.
Code expected(const json& row) {
  const std::string text = row.value("message", "");
  if (!row.value("survived", true)) return Code::unavailable;
  if (row.at("code") == "RESOURCE_EXHAUSTED") return Code::too_large;
  for (const char* gone : {"task not found for given id", "task does not exist"}) {
    if (text.find(gone) != std::string::npos) return Code::not_found;
  }
  for (const char* absent : {"not supported by driver", "does not support exec", "is not yet implemented"}) {
    if (text.find(absent) != std::string::npos) return Code::unimplemented;
  }
  return Code::internal;
}

template <class T>
std::string judge(const json& row, const Result<T>& result) {
  if (row.at("code") == "OK" && row.value("survived", true)) return result ? "" : "error: " + result.error().message();
  if (result) return "success";
  if (result.error().code() != expected(row)) return fmt::format("{} ({})", to_string(result.error().code()), result.error().message());
  if (expected(row) == Code::internal && result.error().message() != row.value("message", "")) return "text " + result.error().message();
  return {};
}

Async<std::string> call(driver::DriverClient& client, std::string method, const json& row) {
  if (method == "WaitTask") {
    const auto result = co_await client.wait_task("x");
    co_return row.at("code") == "OK" ? (result && !result->error.empty() ? "" : "an end out of nothing") : judge(row, result);
  }
  if (method == "StopTask") {
    const auto result = co_await client.stop_task("x", 1s, "");
    co_return judge(row, result);
  }
  if (method == "DestroyTask") {
    const auto result = co_await client.destroy_task("x", true);
    co_return judge(row, result);
  }
  if (method == "InspectTask") {
    const auto result = co_await client.inspect_task("x");
    co_return judge(row, result);
  }
  if (method == "SignalTask") {
    const auto result = co_await client.signal_task("x", "SIGHUP");
    co_return judge(row, result);
  }
  if (method == "ExecTask") {
    const auto result = co_await client.exec_task("x", {"true"}, 1s);
    co_return judge(row, result);
  }
  if (method == "RecoverTask") {
    pb::TaskHandle handle;
    handle.mutable_config()->set_id("x");
    std::string bytes = handle.SerializeAsString();
    const auto result = co_await client.recover_task(std::move(bytes));
    co_return judge(row, result);
  }
  if (method == "CreateNetwork") {
    const auto result = co_await client.create_network("x", "");
    co_return judge(row, result);
  }
  if (method == "DestroyNetwork") {
    const auto result = co_await client.destroy_network("x", {});
    co_return judge(row, result);
  }
  driver::TaskConfig config;
  config.id = "x";
  const auto result = co_await client.start_task(std::move(config));
  co_return row.at("code") == "OK" ? (result ? "success without a handle" : "") : judge(row, result);
}

Async<> replay_calls(const Replay& replay) {
  driver::DriverClient& client = **replay.node.manager().driver("recorded");
  for (const char* section : {"unknown_task", "network", "start_task"}) {
    const json rows = replay.plugin.value(section, json::object());
    for (const auto& [name, row] : rows.items()) {
      const std::string method = section == std::string_view("start_task") ? "StartTask" : name.substr(0, name.find(','));
      if (!row.contains("code") || method == "ExecTaskStreaming" || method == "TaskStats") continue;
      replay.behave(method, fault_of(row));
      const std::string difference = co_await call(client, method, row);
      replay.report(std::string(section) + ":" + name, difference);
    }
  }
}

// The least that satisfies a schema: the recordings leave out what is required, and null stands for it.
json least_config(const plugin::Spec& schema) {
  json out = json::object();
  for (;;) {
    const auto value = plugin::evaluate_config(schema, out, json::object());
    if (value || !value.error().message().starts_with("Missing required argument: The argument \"")) return out;
    out[split(value.error().message(), '"')[1]] = nullptr;
  }
}

// Whether the configuration that the schema makes of nothing is what the genuine packages make of it.
void replay_schema(const Replay& replay, const char* section) {
  const json& recorded = replay.plugin.at(section);
  if (!recorded.contains("empty_input_evaluates_to")) return;
  const auto schema = section == std::string_view("task_config_schema") ? replay.node.manager().schema("recorded") : Result<plugin::Spec>(fail(Code::not_found, ""));
  if (!schema) return;
  const auto value = plugin::evaluate_config(*schema, least_config(*schema), json::object());
  replay.report(std::string(section) + ":empty", value ? golden::differences(*value, recorded["empty_input_evaluates_to"]) : value.error().message());
}

Async<> replay_plugin(HostBench& bench, const std::string& file, golden::Tally& tally) {
  const json recorded = golden::read_json(golden::topic("plugin-answers") / (file + ".json"));
  if (!recorded.contains("capabilities")) co_return;  // a device plugin
  json calls = {{"ConfigSchema", schema_answer(recorded["config_schema"])},
                {"TaskConfigSchema", schema_answer(recorded["task_config_schema"])},
                {"Capabilities", {{"do", "answer"}, {"hex", recorded["capabilities"]["hex"]}}}};
  std::string config;
  if (recorded["config_schema"].value("spec_present", false)) {
    hclspec::Spec spec;
    fill(recorded["config_schema"]["spec"], spec);
    const auto schema = plugin::from_proto(spec);
    REQUIRE(schema);
    config = least_config(*schema).dump();
  }
  const auto node = bench.node(json{{"scripted", 1}, {"name", "recorded"}, {"calls", calls}}.dump(), config);
  for (const json& message : recorded["fingerprint"]["first"]["messages"]) {
    REQUIRE(write_file(node->directory() + "/behaviour.json.fingerprint", hex_encode(fingerprint_bytes(message)) + "\n"));
  }
  co_await node->start();
  const auto status = node->status();
  const Replay replay{recorded, file, *node, tally, calls};
  replay.report("launch", status.phase == pluginhost::Phase::running ? "" : status.reason);
  if (status.phase != pluginhost::Phase::running) co_return;
  replay_schema(replay, "task_config_schema");
  const auto seen = co_await node->manager().wait_fingerprint("recorded", 10s);
  const json first = recorded["fingerprint"]["first"]["messages"][0];
  const bool healthy = first.value("health", "") == "HEALTHY";
  replay.report("fingerprint", !seen ? seen.error().message() : (seen->health == driver::Health::healthy) != healthy ? "another health" : seen->description == first.value("health_description", "") ? "" : seen->description);
  co_await replay_calls(replay);
  const auto info = co_await node->manager().driver("recorded").value()->plugin_info();
  replay.report("alive", info ? "" : info.error().message());
  co_await node->stop();
}

Async<> replay_all(HostBench& bench, golden::Tally& tally, bool& done) {
  for (const auto& stem : golden::stems(golden::topic("plugin-answers"), ".json")) co_await replay_plugin(bench, stem.filename().string(), tally);
  done = true;
}
}  // namespace

TEST_CASE("plugin host: answers of genuine drivers are coped with") {
  if (!golden::has("plugin-answers")) return;
  auto directory = TempDir::make("a-");
  REQUIRE(directory);
  std::signal(SIGPIPE, SIG_IGN);  // as every agent does
  asio::io_context loop(1);
  bool done = false;
  golden::Tally tally("plugin-answers");
  {
    HostBench bench{.executor = loop.get_executor(), .chaos_plugin = DROVER_CHAOS_PLUGIN, .directory = directory->path()};
    Scope scope(loop.get_executor());
    scope.spawn(replay_all(bench, tally, done));
    loop.run();
  }
  CHECK(done);
}
