// What a host makes of a driver's messages: newer ones, damaged ones, and those that say too much.
#include "sdk/driver/convert.h"

#include <doctest/doctest.h>

#include "sdk/driver/check.h"

using namespace drover;
using namespace drover::driver;

TEST_CASE("P_40 driver messages: what a newer plugin says beyond is passed over, and numbers of enums that nobody knows stand for the least") {
  pb::DriverCapabilities in;
  in.set_exec(true);
  in.set_fs_isolation(static_cast<pb::FSIsolation>(77));
  in.add_network_isolation_modes(static_cast<pb::NetworkIsolationSpec_NetworkIsolationMode>(77));
  // Field 9000, a text.
  const std::string newer = in.SerializeAsString() + std::string("\xc2\xb2\x04\x03", 4) + "new";
  pb::DriverCapabilities read_in;
  REQUIRE(read_in.ParseFromString(newer));
  const Capabilities out = read(read_in);
  CHECK(out.exec);
  CHECK(out.fs_isolation == FsIsolation::none);
  CHECK(out.network_isolation_modes == std::vector<NetIsolation>{NetIsolation::host});
  pb::FingerprintResponse fingerprint;
  fingerprint.set_health(static_cast<pb::HealthState>(9));
  CHECK(read(fingerprint).health == Health::undetected);
}

TEST_CASE("P_43 driver messages: a handle is kept as it came, what we do not know of it included, up to a size") {
  pb::TaskHandle in;
  in.set_version(3);
  in.mutable_config()->set_id("a/t/1");
  in.set_driver_state(std::string("\0\xff opaque", 9));
  const std::string newer = in.SerializeAsString() + std::string("\xc2\xb2\x04\x03", 4) + "new";
  pb::TaskHandle read_in;
  REQUIRE(read_in.ParseFromString(newer));
  const TaskHandle out = read(read_in);
  CHECK(out.encoded == newer);
  CHECK(out.version == 3);
  const auto again = decode_handle(out.encoded);
  REQUIRE(again);
  CHECK(again->driver_state == in.driver_state());
  CHECK(check_handle(out));
  CHECK(check_handle({.driver_state = std::string(max_driver_state, 'x')}));
  const auto refused = check_handle({.driver_state = std::string(max_driver_state + 1, 'x')});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message() == "the driver's state of the task has 1048577 bytes, more than the 1048576 that are kept");
  CHECK_FALSE(decode_handle("no handle"));
}

namespace {
struct Accepted {
  DriverNetwork network;
  std::vector<std::string> refused;
};
Accepted accept(DriverNetwork in) {
  Accepted out;
  out.network = accept_network(std::move(in), out.refused);
  return out;
}
}  // namespace

TEST_CASE("P_26 driver network: addresses and ports are what they say, and the rest is named") {
  const DriverNetwork good{.port_map = {{"http", 1}, {"https", 65535}}, .ip = "fd00::7", .auto_advertise = true};
  CHECK(accept(good).network == good);
  CHECK(accept(good).refused.empty());
  CHECK(accept({}).refused.empty());
  for (const std::string& ip : {std::string("1.2.3"), std::string("1.2.3.4.5"), std::string("web"), std::string("1.2.3.4\0.example", 15), std::string("::1%lo"), std::string(5000, 'x')}) {
    const auto out = accept({.port_map = {{"http", 80}}, .ip = ip, .auto_advertise = true});
    REQUIRE(out.refused.size() == 1);
    CHECK(out.refused[0].size() < 200);
    CHECK(out.network == DriverNetwork{.port_map = {{"http", 80}}, .ip = "", .auto_advertise = false});
  }
  for (const std::int32_t port : {0, -1, 65536, INT32_MAX, INT32_MIN}) {
    const auto out = accept({.port_map = {{"http", port}, {"ok", 8}}, .ip = "10.0.0.1", .auto_advertise = false});
    CHECK(out.network.port_map == std::map<std::string, std::int32_t>{{"ok", 8}});
    REQUIRE(out.refused.size() == 1);
    CHECK(out.refused[0].find("\"http\"") != std::string::npos);
  }
  for (const std::string& label : {std::string(), std::string("a\nb"), std::string(300, 'x')}) CHECK(accept({.port_map = {{label, 80}}, .ip = "", .auto_advertise = false}).network.port_map.empty());
  DriverNetwork many;
  for (int i = 0; i < 2000; ++i) many.port_map["p" + std::to_string(i)] = 80;
  const auto out = accept(many);
  CHECK(out.network.port_map.size() == 1024);
  REQUIRE(out.refused.size() == 1);
  CHECK(out.refused[0] == "port_map has 976 ports more than the 1024 that are kept");
}
