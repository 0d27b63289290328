#include "sdk/driver/check.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>

#include "sdk/base/text.h"

namespace drover::driver {
namespace {
// Labels of a job are far shorter and fewer; what is beyond is not worth keeping.
constexpr std::size_t most_ports = 1024, longest_label = 256, shown = 64;

bool is_address(const std::string& text) {
  in6_addr ignored{};
  return ::inet_pton(AF_INET, text.c_str(), &ignored) == 1 || ::inet_pton(AF_INET6, text.c_str(), &ignored) == 1;
}

bool is_label(const std::string& text) {
  const auto printable = [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; };
  return !text.empty() && text.size() <= longest_label && std::all_of(text.begin(), text.end(), printable);
}
}  // namespace

Result<> check_handle(const TaskHandle& handle) {
  const std::size_t size = handle.driver_state.size();
  if (size > max_driver_state) return fail(Code::too_large, "the driver's state of the task has {} bytes, more than the {} that are kept", size, max_driver_state);
  return {};
}

DriverNetwork accept_network(DriverNetwork network, std::vector<std::string>& refused) {
  DriverNetwork out{.port_map = {}, .ip = std::move(network.ip), .auto_advertise = network.auto_advertise};
  // The text is compared to its end, so that none can hide behind a NUL.
  if (!out.ip.empty() && (out.ip.find('\0') != std::string::npos || !is_address(out.ip))) {
    refused.push_back(fmt::format("addr {} is not an IP address", quote(out.ip.substr(0, shown))));
    out.ip.clear();
    out.auto_advertise = false;
  }
  std::size_t too_many = 0;
  for (const auto& [label, port] : network.port_map) {
    if (!is_label(label)) refused.push_back(fmt::format("port_map has {}, which is not a port label", quote(label.substr(0, shown))));
    else if (port < 1 || port > 65535) refused.push_back(fmt::format("port_map has {} for {}, which is not a port", port, quote(label.substr(0, shown))));
    else if (out.port_map.size() < most_ports) out.port_map.emplace(label, port);
    else ++too_many;
  }
  if (too_many > 0) refused.push_back(fmt::format("port_map has {} ports more than the {} that are kept", too_many, most_ports));
  return out;
}

}  // namespace drover::driver
