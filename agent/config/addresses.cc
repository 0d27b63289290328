#include "agent/config/addresses.h"

#include <arpa/inet.h>

#include <algorithm>

#include "sdk/base/text.h"

namespace drover::agent {
namespace {

bool is_private(std::string_view address) {
  in_addr v4{};
  if (inet_pton(AF_INET, std::string(address).c_str(), &v4) == 1) {
    const auto n = ntohl(v4.s_addr);
    return (n >> 24) == 10 || (n >> 20) == 0xAC1 || (n >> 16) == 0xC0A8;
  }
  in6_addr v6{};
  return inet_pton(AF_INET6, std::string(address).c_str(), &v6) == 1 && (v6.s6_addr[0] & 0xFE) == 0xFC;
}
bool is_v4(std::string_view address) { return address.find(':') == std::string_view::npos; }
bool is_unspecified(std::string_view address) { return address == "0.0.0.0" || address == "::" || address == "[::]"; }

Result<std::string> evaluate(std::string_view body, const Surroundings& around) {
  const std::string_view call = trim(body);
  const auto [function, rest] = split_once(call, ' ');
  std::string argument(trim(rest));
  if (argument.size() >= 2 && argument.front() == '"' && argument.back() == '"') argument = argument.substr(1, argument.size() - 2);
  std::vector<std::string> found;
  if (function == "GetPrivateIP" || function == "GetPrivateIPs") {
    for (const auto& [name, address] : around.interface_addresses) if (is_private(address) && is_v4(address)) found.push_back(address);
    if (found.empty() && !around.private_ip.empty()) found.push_back(around.private_ip);
  } else if (function == "GetPublicIP" || function == "GetPublicIPs") {
    for (const auto& [name, address] : around.interface_addresses)
      if (!is_private(address) && !is_loopback(address) && is_v4(address)) found.push_back(address);
  } else if (function == "GetInterfaceIP" || function == "GetInterfaceIPs") {
    for (const auto& [name, address] : around.interface_addresses) if (name == argument) found.push_back(address);
    if (found.empty()) return fail(Code::invalid_argument, "no address on interface \"{}\"; name one that `ip address` lists", argument);
  } else {
    return fail(Code::invalid_argument,
                "unsupported address template {{{{ {} }}}}; supported are GetPrivateIP, GetPublicIP and GetInterfaceIP \"name\"", call);
  }
  if (found.empty()) return fail(Code::invalid_argument, "{{{{ {} }}}} finds no address on this machine; write the address itself", call);
  if (!function.ends_with('s')) found.resize(1);
  return join(found, " ");
}

Result<std::string> advertised(const std::string& written, const std::string& bind, std::int64_t port, bool dev,
                               const Surroundings& around) {
  if (!written.empty()) {
    auto text = expand_address(written, around);
    if (!text) return text;
    return with_port(split_once(*text, ' ').first, port);
  }
  const std::string first(split_once(bind, ' ').first);
  if (is_loopback(first)) {
    if (dev) return with_port(first, port);
    return fail(Code::invalid_argument, "Defaulting advertise to localhost is unsafe, please set advertise manually");
  }
  if (!is_unspecified(first)) return with_port(first, port);
  if (around.private_ip.empty()) {
    if (dev) return with_port("127.0.0.1", port);
    return fail(Code::invalid_argument, "no private address found to advertise; set advertise {{ http, rpc, serf }} in the configuration");
  }
  return with_port(around.private_ip, port);
}

}  // namespace

bool is_loopback(std::string_view address) {
  return address == "localhost" || address == "::1" || address == "[::1]" || address.starts_with("127.");
}

std::string with_port(std::string_view address, std::int64_t port) {
  const auto colons = std::count(address.begin(), address.end(), ':');
  if (address.starts_with('[')) return address.find("]:") != std::string_view::npos ? std::string(address) : fmt::format("{}:{}", address, port);
  if (colons > 1) return fmt::format("[{}]:{}", address, port);
  if (colons == 1) return std::string(address);
  return fmt::format("{}:{}", address, port);
}

Result<std::string> expand_address(std::string_view text, const Surroundings& surroundings) {
  std::string out;
  for (;;) {
    const auto open = text.find("{{");
    out += text.substr(0, open);
    if (open == std::string_view::npos) return std::string(trim(out));
    const auto close = text.find("}}", open);
    if (close == std::string_view::npos) return fail(Code::invalid_argument, "address template {} is not closed; end it with }}}}", quote(text));
    auto value = evaluate(text.substr(open + 2, close - open - 2), surroundings);
    if (!value) return value;
    out += *value;
    text = text.substr(close + 2);
  }
}

Result<> resolve_addresses(Config& config, const Surroundings& surroundings) {
  auto bind = expand_address(config.bind_addr, surroundings);
  if (!bind) return fail(bind.error(), "bind_addr");
  config.bind_addr = *bind;
  const auto fill = [&](std::string& address, const char* name) -> Result<> {
    if (address.empty()) {
      address = config.bind_addr;
      return {};
    }
    auto text = expand_address(address, surroundings);
    if (!text) return fail(text.error(), "addresses.{}", name);
    std::vector<std::string> unique;
    for (auto& part : split(*text, ' '))
      if (!part.empty() && std::find(unique.begin(), unique.end(), part) == unique.end()) unique.push_back(part);
    address = join(unique, " ");
    return {};
  };
  DROVER_TRY(fill(config.addresses.http, "http"));
  DROVER_TRY(fill(config.addresses.rpc, "rpc"));
  DROVER_TRY(fill(config.addresses.serf, "serf"));
  const auto publish = [&](std::string& address, const std::string& bound, std::int64_t port, const char* name) -> Result<> {
    auto text = advertised(address, bound, port, config.dev_mode, surroundings);
    if (!text) return fail(text.error(), "advertise.{}", name);
    address = std::move(*text);
    return {};
  };
  DROVER_TRY(publish(config.advertise.http, config.addresses.http, config.ports.http, "http"));
  DROVER_TRY(publish(config.advertise.rpc, config.addresses.rpc, config.ports.rpc, "rpc"));
  if (config.server.enabled) DROVER_TRY(publish(config.advertise.serf, config.addresses.serf, config.ports.serf, "serf"));
  return {};
}

}  // namespace drover::agent
