#include <doctest/doctest.h>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <cmath>
#include <nlohmann/json.hpp>

#include "sdk/async/scope.h"
#include "sdk/base/file.h"
#include "sdk/device/check.h"
#include "sdk/device/client.h"
#include "sdk/driver/client.h"
#include "sdk/plugin/config.h"
#include "sdk/plugin/launch.h"

using namespace drover;
using namespace drover::device;
using namespace std::chrono_literals;

namespace {
DeviceGroup good() {
  return {.vendor = "acme", .type = "gpu", .name = "m1/x", .devices = {{.id = "0", .healthy = true, .health_description = {}, .pci_bus_id = {}}},
          .attributes = {{"memory", {std::int64_t{4}, "GiB"}}}};
}

template <class F>
std::string refused(F change) {
  DeviceGroup group = good();
  change(group);
  const auto checked = check_group(group);
  return checked ? "" : checked.error().message();
}
}  // namespace

TEST_CASE("P_26 device: a group is accepted or refused with the reason, alone") {
  CHECK(check_group(good()));
  CHECK(refused([](auto& g) { g.vendor.clear(); }) == "it has no vendor");
  CHECK(refused([](auto& g) { g.type = "a/b"; }) == "its type \"a/b\" has a slash");
  CHECK(refused([](auto& g) { g.name = "a\nb"; }).starts_with("its name is longer"));
  CHECK(refused([](auto& g) { g.devices.push_back(g.devices[0]); }) == "the device id \"0\" comes twice");
  CHECK(refused([](auto& g) { g.devices[0].id.clear(); }) == "a device has no id");
  CHECK(refused([](auto& g) { g.attributes["memory"].unit = "gib"; }) == "attribute \"memory\" has the unknown unit \"gib\"");
  CHECK(refused([](auto& g) { g.attributes["memory"].value = std::string("4"); }) == "attribute \"memory\" has a unit and is no number");
  CHECK(refused([](auto& g) {
          for (int i = 0; i < 2000; ++i) g.attributes[std::to_string(i)] = {true, ""};
        }) == "it has more than 1024 attributes");
  std::vector<std::string> why;
  DeviceGroup bad = good();
  bad.vendor = "";
  const auto kept = accept_groups({good(), bad, good()}, why);
  CHECK(kept.size() == 1);
  CHECK(why == std::vector<std::string>{"device group \"/gpu/m1/x\" is left out: it has no vendor", "device group \"acme/gpu/m1/x\" is left out: it comes twice"});
}

TEST_CASE("P_26 device: a reservation cannot reach outside /dev or make up variables") {
  CHECK(check_reservation({}));
  CHECK(check_reservation({.envs = {{"A_1", "x"}}, .mounts = {{"/a", "/b", true}}, .devices = {{"/dev/a", "/dev/b", "rw"}}}));
  CHECK_FALSE(check_reservation({.envs = {{"1A", "x"}}, .mounts = {}, .devices = {}}));
  CHECK_FALSE(check_reservation({.envs = {{"A", std::string("\0", 1)}}, .mounts = {}, .devices = {}}));
  CHECK_FALSE(check_reservation({.envs = {}, .mounts = {{"a", "/b", true}}, .devices = {}}));
  for (const char* path : {"/etc/shadow", "/dev/../etc/shadow", "/dev/x/..", "dev/x", ""}) {
    CHECK_FALSE(check_reservation({.envs = {}, .mounts = {}, .devices = {{"/dev/x", path, "r"}}}));
  }
  CHECK_FALSE(check_reservation({.envs = {}, .mounts = {}, .devices = {{"/dev/x", "/dev/x", "rwx"}}}));
}

TEST_CASE("device: units are those of the protocol, with their case") {
  for (const char* known : {"KiB", "EiB", "kB", "KB", "MB/s", "GiB/s", "MHz", "GHz", "mW", "GW"}) CHECK(is_known_unit(known));
  for (const char* unknown : {"", "mhz", "B", "C", "%", "GHz/s", "Kib"}) CHECK_FALSE(is_known_unit(unknown));
}

namespace {
template <class T, class Call>
Async<T> first_of(Channel<T>& channel, Call call) {
  using namespace asio::experimental::awaitable_operators;
  auto either = std::move(call) || channel.receive();
  auto first = co_await std::move(either);
  REQUIRE(first.index() == 1);
  REQUIRE(std::get<1>(first));
  co_return *std::get<1>(first);
}

// The hello device as a host sees it: from the handshake to a reservation.
Async<> whole_life(const Executor& executor, std::string directory, bool& finished) {
  REQUIRE(make_directories(directory + "/greeters"));
  REQUIRE(write_file(directory + "/greeters/ann", "hello"));
  REQUIRE(write_file(directory + "/greeters/bob.ill", ""));
  auto process = co_await plugin::launch(executor, Logger(), {.executable = DROVER_HELLO_DEVICE, .arguments = {}, .environment = {{"PATH", "/usr/bin:/bin"}},
                                                              .directory = directory + "/run", .start_timeout = 30s});
  if (!process) FAIL(process.error().message());
  driver::DriverClient base;
  base.connect((*process)->client());
  const auto info = co_await base.plugin_info();
  REQUIRE(info);
  CHECK(info->type == driver::PluginType::device);
  CHECK(info->name == "hello-device");
  const auto schema = co_await base.config_schema();
  REQUIRE(schema);
  auto config = plugin::encode_config(*schema, {{"directory", directory + "/greeters"}}, nlohmann::json::object());
  REQUIRE(config);
  REQUIRE(co_await base.set_config(*config, "v0.1.0", {}));

  DeviceClient client;
  client.connect((*process)->client());
  Channel<std::vector<DeviceGroup>> groups(executor, 4);
  const auto found = co_await first_of<std::vector<DeviceGroup>>(groups, client.fingerprint(groups));
  REQUIRE(found.size() == 1);
  CHECK(group_name(found[0]) == "drover/greeter/file");
  CHECK(check_group(found[0]));
  REQUIRE(found[0].devices.size() == 2);
  CHECK(found[0].devices[0].healthy);
  CHECK(found[0].devices[1].health_description == "its name says so");
  CHECK(found[0].attributes.at("memory") == Attribute{std::int64_t{4}, "GiB"});

  const auto reserved = co_await client.reserve({"ann"});
  REQUIRE(reserved);
  CHECK(reserved->envs == std::map<std::string, std::string>{{"HELLO_GREETERS", "ann"}});
  CHECK(reserved->mounts == std::vector<Mount>{{"/greeters/ann", directory + "/greeters/ann", true}});
  const auto unknown = co_await client.reserve({"zoe"});
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().message() == "unknown device IDs: zoe");

  Channel<std::vector<DeviceGroupStats>> samples(executor, 4);
  const auto stats = co_await first_of<std::vector<DeviceGroupStats>>(samples, client.stats(10ms, samples));
  REQUIRE(stats.size() == 1);
  CHECK(stats[0].instances.at("ann").summary.int_numerator == 5);
  CHECK(stats[0].instances.at("ann").timestamp > 0);
  co_await (*process)->stop();
  const auto gone = co_await client.reserve({"ann"});
  CHECK(gone.error().message() == "plugin is shut down");
  finished = true;
}
}  // namespace

TEST_CASE("device: the hello device is found, reserved and measured") {
  asio::io_context loop;
  const auto directory = TempDir::make();
  REQUIRE(directory);
  Scope scope(loop.get_executor());
  bool finished = false;
  scope.spawn(whole_life(loop.get_executor(), directory->path(), finished));
  loop.run();
  CHECK(finished);
}
