// Every message a driver or device plugin answers with, and what the host makes of it (P-26). The first byte says which message the rest is.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sdk/device/check.h"
#include "sdk/device/convert.h"
#include "sdk/driver/check.h"
#include "sdk/driver/convert.h"
#include "sdk/plugin/schema_proto.h"

namespace driver = drover::driver;
namespace device = drover::device;

namespace {
template <class Message>
bool parse(Message& message, std::string_view bytes) {
  return message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

void require(bool holds) {
  if (!holds) __builtin_trap();
}

bool all_finite(const std::map<std::string, driver::Attribute>& attributes) {
  for (const auto& [name, attribute] : attributes) {
    const double* number = std::get_if<double>(&attribute.value);
    if (number != nullptr && !std::isfinite(*number)) return false;
  }
  return true;
}

void read_fingerprint(std::string_view bytes) {
  driver::pb::FingerprintResponse in, out;
  if (!parse(in, bytes)) return;
  const driver::Fingerprint value = driver::read(in);
  require(value.attributes.size() <= 1024 && all_finite(value.attributes));
  driver::write(value, out);
  require(driver::read(out) == value);
}

void read_capabilities(std::string_view bytes) {
  driver::pb::DriverCapabilities in, out;
  if (!parse(in, bytes)) return;
  const driver::Capabilities value = driver::read(in);
  driver::write(value, out);
  require(driver::read(out).network_isolation_modes == value.network_isolation_modes);
}

// P-43: what is stored is what came, whatever it holds.
void read_handle(std::string_view bytes) {
  driver::pb::StartTaskResponse in;
  if (!parse(in, bytes)) return;
  const driver::TaskHandle value = driver::read(in.handle());
  const auto again = driver::decode_handle(value.encoded);
  require(again && again->config.id == value.config.id && again->driver_state == value.driver_state);
  std::vector<std::string> refused;
  const auto network = driver::accept_network(driver::read(in.network_override()), refused);
  require(network.port_map.size() <= 1024);
  for (const auto& [label, port] : network.port_map) require(port >= 1 && port <= 65535);
  const auto again_accepted = driver::accept_network(network, refused);
  require(again_accepted == network);
}

void read_status(std::string_view bytes) {
  driver::pb::InspectTaskResponse in, out;
  if (!parse(in, bytes)) return;
  driver::write(driver::read(in), out);
}

void read_stats(std::string_view bytes) {
  driver::pb::TaskStatsResponse in;
  if (!parse(in, bytes)) return;
  const driver::TaskStats value = driver::read(in.stats());
  require(std::isfinite(value.total.cpu.percent) && std::isfinite(value.total.cpu.total_ticks));
  for (const auto& [pid, usage] : value.by_pid) require(std::isfinite(usage.cpu.system_mode) && std::isfinite(usage.cpu.user_mode));
}

void read_event(std::string_view bytes) {
  driver::pb::DriverTaskEvent in;
  if (parse(in, bytes)) (void)driver::read(in);
}

void read_network(std::string_view bytes) {
  driver::pb::CreateNetworkResponse in;
  if (parse(in, bytes)) (void)driver::read(in.isolation_spec());
}

void read_exit(std::string_view bytes) {
  driver::pb::WaitTaskResponse in;
  if (parse(in, bytes)) (void)driver::read(in.result());
}

void read_schema(std::string_view bytes) {
  driver::pb::TaskConfigSchemaResponse in;
  if (!parse(in, bytes)) return;
  const auto spec = drover::plugin::from_proto(in.spec());
  require(!spec || drover::plugin::check_schema(*spec).has_value());
}

void read_devices(std::string_view bytes) {
  device::pb::FingerprintResponse in;
  if (!parse(in, bytes)) return;
  std::vector<std::string> refused;
  for (const auto& group : device::accept_groups(device::read(in), refused)) require(device::check_group(group).has_value());
}

void read_reservation(std::string_view bytes) {
  device::pb::ReserveResponse in;
  if (parse(in, bytes)) (void)device::check_reservation(device::read(in));
}

void read_device_stats(std::string_view bytes) {
  device::pb::StatsResponse in;
  if (parse(in, bytes)) (void)device::read(in);
}

constexpr void (*readers[])(std::string_view bytes) = {read_fingerprint, read_capabilities, read_handle, read_status, read_stats, read_event,
                                                       read_network, read_exit, read_schema, read_devices, read_reservation, read_device_stats};
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  readers[data[0] % std::size(readers)]({reinterpret_cast<const char*>(data + 1), size - 1});
  return 0;
}
