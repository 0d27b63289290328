#include "agent/config/addresses.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstdlib>

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

using Found = std::vector<std::pair<std::string, std::string>>;  // interface, address

std::vector<std::string> words_of(std::string_view stage) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < stage.size();) {
    if (stage[at] == ' ') { ++at; continue; }
    const bool quoted = stage[at] == '"';
    const auto end = quoted ? stage.find('"', at + 1) : stage.find(' ', at);
    const auto start = quoted ? at + 1 : at;
    out.emplace_back(stage.substr(start, end == std::string_view::npos ? end : end - start));
    if (end == std::string_view::npos) break;
    at = quoted ? end + 1 : end;
  }
  return out;
}

Result<Found> source(const std::vector<std::string>& words, std::string_view call, const Surroundings& around) {
  Found out;
  const std::string function = words.empty() ? std::string() : words[0];
  const auto take = [&](auto&& keep) { for (const auto& entry : around.interface_addresses) if (keep(entry)) out.push_back(entry); };
  if (function == "GetAllInterfaces") {
    take([](const auto&) { return true; });
  } else if (function == "GetPrivateIP" || function == "GetPrivateIPs" || function == "GetPrivateInterfaces") {
    take([](const auto& e) { return is_private(e.second) && is_v4(e.second); });
    if (out.empty() && !around.private_ip.empty()) out.emplace_back("", around.private_ip);
  } else if (function == "GetPublicIP" || function == "GetPublicIPs" || function == "GetPublicInterfaces") {
    take([](const auto& e) { return !is_private(e.second) && !is_loopback(e.second) && is_v4(e.second); });
  } else if ((function == "GetInterfaceIP" || function == "GetInterfaceIPs") && words.size() == 2) {
    take([&](const auto& e) { return e.first == words[1]; });
    if (out.empty()) return fail(Code::invalid_argument, "no address on interface \"{}\"; name one that `ip address` lists", words[1]);
  } else {
    return fail(Code::invalid_argument, "unsupported address template {{{{ {} }}}}; supported are GetPrivateIP, GetPublicIP, "
                "GetInterfaceIP \"name\", and GetPrivateInterfaces, GetPublicInterfaces or GetAllInterfaces with | attr \"address\"", call);
  }
  if (function.ends_with("IP") && out.size() > 1) out.resize(1);
  return out;
}

// A go-sockaddr pipeline: a source, then filters.
Result<std::string> evaluate(std::string_view body, const Surroundings& around) {
  const std::string_view call = trim(body);
  const auto stages = split(call, '|');
  auto found = source(words_of(trim(stages.front())), call, around);
  if (!found) return fail(found.error());
  std::size_t limit = std::string::npos;
  for (std::size_t i = 1; i < stages.size(); ++i) {
    const auto words = words_of(trim(stages[i]));
    const std::string filter = words.empty() ? std::string() : words[0];
    if ((filter == "include" || filter == "exclude") && words.size() == 3 && words[1] == "name") {
      std::erase_if(*found, [&](const auto& e) { return (e.first == words[2]) != (filter == "include"); });
    } else if (filter == "attr" && words.size() == 2 && words[1] == "address") {
      limit = 1;
    } else if (filter == "limit" && words.size() == 2) {
      limit = static_cast<std::size_t>(std::max(0, std::atoi(words[1].c_str())));
    } else if (filter != "join" && filter != "sort") {
      return fail(Code::invalid_argument, "unsupported filter \"{}\" in the address template {{{{ {} }}}}; supported are include \"name\", "
                  "exclude \"name\", sort, limit, join and attr \"address\"", trim(stages[i]), call);
    }
  }
  if (found->empty()) return fail(Code::invalid_argument, "{{{{ {} }}}} finds no address on this machine; write the address itself", call);
  std::vector<std::string> addresses;
  for (const auto& [name, address] : *found) if (addresses.size() < limit) addresses.push_back(address);
  return join(addresses, " ");
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
