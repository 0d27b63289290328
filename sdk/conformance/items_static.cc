// Items 51 to 59: what a driver says of itself, and its long-lived streams.
#include <filesystem>
#include <set>

#include "sdk/base/text.h"
#include "sdk/conformance/bench.h"
#include "sdk/conformance/footprint.h"
#include "sdk/conformance/schema_check.h"
#include "sdk/plugin/schema_proto.h"

namespace drover::conformance {
namespace {
using namespace std::chrono_literals;

Async<Result<std::string>> bytes_of(Run& run, std::string method) {
  std::string empty;
  auto answer = co_await run.client().call(method, std::move(empty), 30s);
  co_return answer;
}

Async<> item_51(Bench& bench, Check& check) {
  const RunPtr before = co_await bench.fresh(check);
  const RunPtr after = before ? co_await bench.ready(check) : nullptr;
  if (!after) co_return;
  std::optional<plugin::Spec> first;
  for (const RunPtr& run : {before, after, after}) {
    const auto answer = co_await run->call<pb::TaskConfigSchemaResponse>(driver_service + "TaskConfigSchema", pb::TaskConfigSchemaRequest());
    const char* when = run == before ? "before SetConfig" : "after SetConfig";
    if (!check.expect(answer.has_value(), fmt::format("an answer to TaskConfigSchema {}", when), answer ? "" : answer.error().message())) co_return;
    if (!check.expect(answer->has_spec(), "a spec; without one no task can run", "none")) co_return;
    const auto schema = plugin::from_proto(answer->spec());
    if (!check.expect(schema.has_value(), "a schema that follows the rules", schema ? "" : schema.error().message())) co_return;
    if (!first) {
      first = *schema;
      for (const std::string& wrong : check_defaults(*schema)) check.should(false, "defaults of the type of what they replace", wrong);
    }
    check.expect(*schema == *first, "the same schema each time", fmt::format("another one {}", when));
  }
}

Async<> item_52(Bench& bench, Check& check) {
  const RunPtr run = co_await bench.ready(check);
  if (!run) co_return;
  const auto answer = co_await run->call<pb::CapabilitiesResponse>(driver_service + "Capabilities", pb::CapabilitiesRequest());
  if (!check.expect(answer.has_value(), "an answer to Capabilities", answer ? "" : answer.error().message())) co_return;
  if (!check.expect(answer->has_capabilities(), "capabilities; without them all count as false", "an empty answer")) co_return;
  const auto& said = answer->capabilities();
  check.expect(pb::FSIsolation_IsValid(said.fs_isolation()), "fs_isolation 0 to 3", std::to_string(said.fs_isolation()));
  check.expect(pb::MountConfigs_IsValid(said.mount_configs()), "mount_configs 0 or 1", std::to_string(said.mount_configs()));
  std::set<int> modes;
  for (const int mode : said.network_isolation_modes()) {
    check.expect(mode >= 0 && mode <= 3, "network_isolation_modes of 0 to 3", std::to_string(mode));
    check.expect(modes.insert(mode).second, "each network isolation mode once", fmt::format("{} twice", mode));
  }
}

Async<> item_53(Bench& bench, Check& check) {
  const RunPtr run = co_await bench.ready(check);
  if (!run) co_return;
  const auto began = std::chrono::steady_clock::now();
  Watch one(bench.executor(), run->client(), driver_service + "Fingerprint", "");
  const bool came = co_await one.messages_within(1, 50s);
  if (!check.expect(came, "a fingerprint within 50 s", one.status_text())) co_return;
  const auto took = one.times().front() - began;
  check.should(took <= 5s, "the first fingerprint within 5 s", format_duration(took));
  Watch two(bench.executor(), run->client(), driver_service + "Fingerprint", "");
  const bool also = co_await two.messages_within(1, 50s);
  check.expect(also, "a fingerprint on a second stream beside the first", two.status_text());
  const Vigil* vigil = co_await bench.vigil();
  if (vigil->problem.empty()) check.expect(vigil->fingerprint == "open", fmt::format("a stream that is open after {}", format_duration(bench.settings().idle)), vigil->fingerprint);
}

void check_attribute(const std::string& name, const hashicorp::nomad::plugins::shared::structs::Attribute& value, const std::string& driver, Check& check) {
  using A = hashicorp::nomad::plugins::shared::structs::Attribute;
  if (!check.expect(value.value_case() != A::VALUE_NOT_SET, "a value in each attribute", fmt::format("none in \"{}\"", name))) return;
  const bool number = value.value_case() == A::kFloatVal || value.value_case() == A::kIntVal;
  if (!value.unit().empty()) {
    check.expect(number, "units on numbers only", fmt::format("\"{}\" has the unit \"{}\"", name, value.unit()));
    check.expect(is_unit(value.unit()), "one of the known units", fmt::format("\"{}\" has the unit \"{}\"", name, value.unit()));
  }
  check.should(name == "driver." + driver || name.starts_with("driver." + driver + "."), fmt::format("names that begin with driver.{}", driver), name);
}

Async<> item_54(Bench& bench, Check& check) {
  const RunPtr run = co_await bench.ready(check);
  if (!run) co_return;
  Watch stream(bench.executor(), run->client(), driver_service + "Fingerprint", "");
  const bool came = co_await stream.messages_within(1, 50s);
  if (!check.expect(came, "a fingerprint", stream.status_text())) co_return;
  pb::FingerprintResponse first;
  if (!check.expect(first.ParseFromString(stream.messages().front()), "a well-formed message", "another one")) co_return;
  check.expect(pb::HealthState_IsValid(first.health()), "health 0 to 2", std::to_string(first.health()));
  if (first.health() != pb::HEALTHY) check.should(!trim(first.health_description()).empty(), "a description that says why the driver is not healthy", "none");
  const auto info = co_await run->call<base::PluginInfoResponse>(base_service + "PluginInfo", base::PluginInfoRequest());
  const std::string driver = info ? info->name() : "";
  for (const auto& [name, value] : first.attributes()) check_attribute(name, value, driver, check);
  check.note(fmt::format("health {}: {}", static_cast<int>(first.health()), first.health_description()));
}

Async<> item_55(Bench& bench, Check& check) {
  const RunPtr run = co_await bench.configured(check);
  if (!run) co_return;
  Footprint before;
  for (int i = 0; i < 250; ++i) {
    // What is made once is there after a while.
    if (i == 50) before = footprint_of(run->pid());
    Watch stream(bench.executor(), run->client(), driver_service + "Fingerprint", "");
    const bool came = co_await stream.messages_within(1, 50s);
    if (!check.expect(came, "a fingerprint on each stream", fmt::format("none on stream {}: {}; the process: {}", i + 1, stream.status_text(), run->epitaph()))) co_return;
  }
  const std::string grown = co_await grown_since(run->pid(), before);
  check.expect(grown.empty(), "no growth over 200 streams that were opened and cancelled", grown);
}

Async<> item_56(Bench& bench, Check& check) {
  const RunPtr run = co_await bench.ready(check);
  if (!run) co_return;
  Watch one(bench.executor(), run->client(), driver_service + "TaskEvents", "");
  Watch two(bench.executor(), run->client(), driver_service + "TaskEvents", "");
  const bool over = co_await two.ended_within(500ms);
  check.expect(!over && !one.ended(), "two streams of task events that stay open", over ? two.status_text() : one.status_text());
  const Vigil* vigil = co_await bench.vigil();
  if (vigil->problem.empty()) check.expect(vigil->events == "open", fmt::format("a stream that is open after {}", format_duration(bench.settings().idle)), vigil->events);
}

// The call works or is not there, and says the same the second time.
Async<> optional_twice(Bench& bench, Check& check, const char* method) {
  const RunPtr run = co_await bench.configured(check);
  if (!run) co_return;
  for (const char* which : {"", " again"}) {
    const auto answer = co_await bytes_of(*run, driver_service + method);
    check.expect(answer || answer.error().code() == Code::unimplemented, fmt::format("success or UNIMPLEMENTED for {}{}", method, which), answer ? "" : answer.error().message());
  }
  const auto info = co_await bytes_of(*run, base_service + "PluginInfo");
  check.expect(info.has_value(), fmt::format("the plugin answers after {}", method), info ? "" : fmt::format("{}; the process: {}", info.error().message(), run->epitaph()));
}
Async<> item_57(Bench& bench, Check& check) { return optional_twice(bench, check, "Init"); }
Async<> item_58(Bench& bench, Check& check) { return optional_twice(bench, check, "Shutdown"); }

Async<> item_59(Bench& bench, Check& check) {
  const RunPtr run = co_await bench.ready(check);
  if (!run) co_return;
  for (const std::string& method : {base_service + "Unheard", driver_service + "Unheard", std::string("/no.such.Service/Call")}) {
    const auto answer = co_await bytes_of(*run, method);
    check.expect(!answer && answer.error().code() == Code::unimplemented, fmt::format("UNIMPLEMENTED for {}", method), answer ? "success" : answer.error().message());
  }
}
}  // namespace

std::vector<ItemCheck> static_checks() {
  return {{51, item_51}, {52, item_52}, {53, item_53}, {54, item_54}, {55, item_55}, {56, item_56}, {57, item_57}, {58, item_58}, {59, item_59}};
}

}  // namespace drover::conformance
