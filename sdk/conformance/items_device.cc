// Items 101 to 107: device plugins.
#include <set>

#include <device.pb.h>

#include "sdk/base/text.h"
#include "sdk/conformance/bench.h"
#include "sdk/conformance/footprint.h"
#include "sdk/conformance/rig.h"
#include "sdk/conformance/schema_check.h"

namespace drover::conformance {
namespace {
namespace device = hashicorp::nomad::plugins::device;
using namespace std::chrono_literals;
using Attribute = hashicorp::nomad::plugins::shared::structs::Attribute;

// A plugin of its own with its first fingerprint: a stream that is opened again may stay silent.
struct Devices {
  RunPtr run;
  std::shared_ptr<Watch> stream;
  device::FingerprintResponse found;
  bool given = false;  // a list came
  [[nodiscard]] std::vector<std::string> ids() const {
    std::vector<std::string> out;
    for (const auto& group : found.device_group()) {
      for (const auto& one : group.devices()) out.push_back(one.id());
    }
    return out;
  }
};

Async<Devices> find_devices(Bench& bench, Check& check) {
  Devices out;
  out.run = co_await bench.configured(check);
  if (!out.run) co_return out;
  out.stream = std::make_shared<Watch>(bench.executor(), out.run->client(), device_service + "Fingerprint", "");
  out.given = co_await out.stream->messages_within(1, 30s);
  if (out.given) out.given = out.found.ParseFromString(out.stream->messages().front());
  co_return out;
}

void check_group(Check& check, const device::DeviceGroup& group) {
  const std::string name = fmt::format("{}/{}/{}", group.vendor(), group.device_type(), group.device_name());
  check.expect(!group.vendor().empty() && !group.device_type().empty() && !group.device_name().empty(), "vendor, type and name in each group", name);
  check.expect(group.vendor().find('/') == std::string::npos && group.device_type().find('/') == std::string::npos, "no / in vendor and type: jobs name devices as vendor/type/name", name);
  std::set<std::string> ids;
  for (const auto& one : group.devices()) {
    check.expect(!one.id().empty(), "an ID for each device", "an empty one in " + name);
    check.expect(ids.insert(one.id()).second, "each ID once in a group", one.id());
  }
  for (const auto& [key, value] : group.attributes()) {
    const bool number = value.value_case() == Attribute::kFloatVal || value.value_case() == Attribute::kIntVal;
    check.expect(value.value_case() != Attribute::VALUE_NOT_SET, "a value in each attribute", fmt::format("none in \"{}\" of {}", key, name));
    if (!value.unit().empty()) check.expect(number && is_unit(value.unit()), "units of the protocol, on numbers", fmt::format("\"{}\" has the unit \"{}\"", key, value.unit()));
  }
}

Async<> item_101(Bench& bench, Check& check) {
  const Devices devices = co_await find_devices(bench, check);
  if (!devices.run) co_return;
  if (!devices.given) {
    // A plugin that cannot find its library says so and stays.
    check.expect(devices.stream->ended() && devices.stream->status_text() != "ended without an error", "a list of devices within 30 s, or an error that names the cause", devices.stream->status_text());
    check.expect(devices.run->alive(), "the plugin keeps running", devices.run->epitaph());
    check.note(devices.stream->status_text());
    co_return;
  }
  for (const auto& group : devices.found.device_group()) check_group(check, group);
  const bool over = co_await devices.stream->ended_within(bench.settings().idle);
  check.expect(!over, fmt::format("a stream that is open after {}", format_duration(bench.settings().idle)), devices.stream->status_text());
  check.note(fmt::format("{} devices in {} groups", devices.ids().size(), devices.found.device_group_size()));
}

Async<Result<device::ReserveResponse>> reserve(Run& run, std::vector<std::string> ids) {
  device::ReserveRequest request;
  for (auto& id : ids) request.add_device_ids(std::move(id));
  auto answer = co_await run.call<device::ReserveResponse>(device_service + "Reserve", request, 10s);
  co_return answer;
}

// The plugin with a device to reserve; run is null after an entry in `check`.
Async<Devices> reservable(Bench& bench, Check& check) {
  Devices out = co_await find_devices(bench, check);
  if (out.run && out.ids().empty()) {
    check.skip("the plugin lists no device here");
    out.run.reset();
  }
  co_return out;
}

Async<> item_102(Bench& bench, Check& check) {
  const Devices devices = co_await reservable(bench, check);
  if (!devices.run) co_return;
  const auto answer = co_await reserve(*devices.run, {devices.ids().front()});
  if (!check.expect(answer.has_value(), "a reservation of a listed device", answer ? "" : answer.error().message())) co_return;
  if (!check.expect(answer->has_container_res(), "container_res, even if empty: its absence ends hosts written in Go", "none")) co_return;
  for (const auto& mount : answer->container_res().mounts()) {
    check.expect(mount.task_path().starts_with('/') && mount.host_path().starts_with('/'), "absolute paths of mounts", mount.task_path() + " " + mount.host_path());
  }
  for (const auto& one : answer->container_res().devices()) {
    check.expect(one.task_path().starts_with('/') && one.host_path().starts_with('/'), "absolute paths of devices", one.task_path() + " " + one.host_path());
    check.expect(one.permissions().find_first_not_of("rwm") == std::string::npos, "permissions out of r, w and m", quote(one.permissions()));
  }
}

Async<> item_103(Bench& bench, Check& check) {
  const Devices devices = co_await find_devices(bench, check);
  if (!devices.run) co_return;
  std::vector<std::vector<std::string>> odd = {{"no-such-device"}, {}};
  if (!devices.ids().empty()) odd.push_back({devices.ids().front(), devices.ids().front()});
  for (const auto& ids : odd) {
    const std::string what = ids.empty() ? "no id" : ids.size() == 1 ? "an unknown id" : "an id twice";
    const auto answer = co_await reserve(*devices.run, ids);
    const bool over = co_await devices.run->ended_within(100ms);
    if (!check.expect(!over, fmt::format("the plugin survives Reserve with {}", what), devices.run->epitaph())) co_return;
    check.expect(answer || answer.error().code() != Code::deadline_exceeded, fmt::format("an answer to Reserve with {}", what), answer ? "" : answer.error().message());
    if (ids.size() == 1) check.expect(!answer || (answer->container_res().envs().empty() && answer->container_res().devices().empty()), "an error or an empty reservation for an unknown id", "a reservation");
    if (answer) check.should(answer->has_container_res(), "container_res, even if empty", "none");
  }
}

// Maps are sent in any order: compared entry by entry.
bool same(const device::ContainerReservation& a, const device::ContainerReservation& b) {
  if (a.envs().size() != b.envs().size() || a.mounts_size() != b.mounts_size() || a.devices_size() != b.devices_size()) return false;
  for (const auto& [key, value] : a.envs()) {
    const auto found = b.envs().find(key);
    if (found == b.envs().end() || found->second != value) return false;
  }
  for (int i = 0; i < a.mounts_size(); ++i) {
    if (a.mounts(i).SerializeAsString() != b.mounts(i).SerializeAsString()) return false;
  }
  for (int i = 0; i < a.devices_size(); ++i) {
    if (a.devices(i).SerializeAsString() != b.devices(i).SerializeAsString()) return false;
  }
  return true;
}

Async<> item_104(Bench& bench, Check& check) {
  const Devices devices = co_await reservable(bench, check);
  if (!devices.run) co_return;
  const auto first = co_await reserve(*devices.run, {devices.ids().front()});
  const auto second = co_await reserve(*devices.run, {devices.ids().front()});
  check.expect(first && second && same(first->container_res(), second->container_res()), "the same reservation a second time: nothing releases the first", second ? "another one" : second.error().message());
}

std::string request_stats(std::chrono::nanoseconds interval) {
  device::StatsRequest out;
  *out.mutable_collection_interval() = to_duration(interval);
  return out.SerializeAsString();
}

int kinds_of(const device::StatValue& value) {
  return (value.has_float_numerator_val() ? 1 : 0) + (value.has_int_numerator_val() ? 1 : 0) + (value.has_string_val() ? 1 : 0) + (value.has_bool_val() ? 1 : 0);
}
void check_values(Check& check, const device::StatObject& object) {
  for (const auto& [name, value] : object.attributes()) check.expect(kinds_of(value) == 1, "one kind of value in each statistic", fmt::format("{} kinds in \"{}\"", kinds_of(value), name));
  for (const auto& [name, child] : object.nested()) check_values(check, child);
}

Async<> item_105(Bench& bench, Check& check) {
  const Devices devices = co_await reservable(bench, check);
  if (!devices.run) co_return;
  Watch samples(bench.executor(), devices.run->client(), device_service + "Stats", request_stats(1s));
  const bool came = co_await samples.messages_within(4, 30s);
  if (!came && samples.ended() && samples.status_text() != "ended without an error") {
    check.note(samples.status_text());
    co_return;
  }
  if (!check.expect(came, "samples at the interval of 1 s", fmt::format("{} in 30 s; {}", samples.messages().size(), samples.status_text()))) co_return;
  const std::chrono::duration<double> each = (samples.times()[3] - samples.times()[1]) / 2;
  check.expect(each.count() >= 0.5 && each.count() <= 1.5, "a sample each second, give or take the half", fmt::format("one each {:.2f} s", each.count()));
  device::StatsResponse sample;
  check.expect(sample.ParseFromString(samples.messages().back()), "a well-formed sample", "another one");
  const std::vector<std::string> ids = devices.ids();
  const std::set<std::string> known(ids.begin(), ids.end());
  for (const auto& group : sample.groups()) {
    for (const auto& [id, stats] : group.instance_stats()) {
      check.expect(known.contains(id), "ids of the fingerprint", id);
      check.expect(stats.has_timestamp() && stats.timestamp().seconds() > 0, "a timestamp in each device's statistics", "none for " + id);
      if (stats.has_summary()) check.expect(kinds_of(stats.summary()) == 1, "one kind of value in the summary", fmt::format("{} kinds", kinds_of(stats.summary())));
      check_values(check, stats.stats());
    }
  }
  Watch at_zero(bench.executor(), devices.run->client(), device_service + "Stats", request_stats(0s));
  const bool over = co_await at_zero.messages_within(1, 5s);
  const bool dead = co_await devices.run->ended_within(100ms);
  check.expect(!dead, fmt::format("the plugin survives an interval of 0{}", over ? "" : " (no sample in 5 s)"), devices.run->epitaph());
}

Async<> item_106(Bench& bench, Check& check) {
  const Devices devices = co_await find_devices(bench, check);
  if (!devices.run) co_return;
  Footprint before;
  int silent = 0;
  for (int i = 0; i < 120; ++i) {
    if (i == 20) before = footprint_of(devices.run->pid());
    Watch fingerprint(bench.executor(), devices.run->client(), device_service + "Fingerprint", "");
    Watch stats(bench.executor(), devices.run->client(), device_service + "Stats", request_stats(1s));
    const bool came = co_await fingerprint.messages_within(1, i == 0 ? 2s : 20ms);
    silent += came ? 0 : 1;
    if (!devices.run->alive()) co_return static_cast<void>(check.expect(false, "the plugin survives streams that are opened and cancelled", devices.run->epitaph()));
  }
  const std::string grown = co_await grown_since(devices.run->pid(), before);
  check.expect(grown.empty(), "no growth over 100 streams of each kind", grown);
  if (silent > 60) check.note("a Fingerprint that is opened again stays silent: keep the last list");
}

Async<> item_107(Bench& bench, Check& check) {
  const RunPtr run = co_await bench.fresh(check);
  if (!run) co_return;
  base::SetConfigRequest request;
  *request.mutable_nomad_config() = full_nomad_config();
  request.set_plugin_api_version("v0.1.0");
  const auto done = co_await run->call<base::SetConfigResponse>(base_service + "SetConfig", request);
  const bool over = co_await run->ended_within(100ms);
  check.expect(!over, "the plugin survives zero bytes of configuration", run->epitaph());
  const auto schema = co_await run->call<base::ConfigSchemaResponse>(base_service + "ConfigSchema", base::ConfigSchemaRequest());
  if (schema && !schema->has_spec()) check.expect(done.has_value(), "zero bytes accepted by a plugin without a schema", done ? "" : done.error().message());
  else if (!done) check.note("refused: " + done.error().message());
}
}  // namespace

std::vector<ItemCheck> device_checks() {
  return {{101, item_101}, {102, item_102}, {103, item_103}, {104, item_104}, {105, item_105}, {106, item_106}, {107, item_107}};
}

}  // namespace drover::conformance
