// Bind and advertise addresses: go-sockaddr templates, ports, and the rule for what may be advertised (client.md 1.1). Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/config/config.h"
#include "sdk/base/error.h"

namespace drover::agent {

// The text with {{ GetPrivateIP }}, {{ GetPublicIP }}, {{ GetInterfaceIP "eth0" }} and {{ GetAllInterfaces }}-free forms replaced.
// Several addresses are separated by spaces.
[[nodiscard]] Result<std::string> expand_address(std::string_view text, const Surroundings& surroundings);
// "host:port" of "host", "host:port", "::1", "[::1]:80"; the port is added when missing.
[[nodiscard]] std::string with_port(std::string_view address, std::int64_t port);
[[nodiscard]] bool is_loopback(std::string_view address);
// Fills addresses and advertise.
[[nodiscard]] Result<> resolve_addresses(Config& config, const Surroundings& surroundings);

}  // namespace drover::agent
