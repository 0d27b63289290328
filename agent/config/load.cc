#include "agent/config/load.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "agent/config/addresses.h"
#include "agent/config/decode.h"
#include "sdk/base/file.h"
#include "sdk/base/log.h"
#include "sdk/base/text.h"

extern char** environ;

namespace drover::agent {
namespace {

bool configuration_file(std::string_view name) {
  if (name.ends_with('~') || name.starts_with(".#") || (name.starts_with('#') && name.ends_with('#'))) return false;
  return name.ends_with(".hcl") || name.ends_with(".json");
}

// A meta key must be usable as ${meta.key}.
bool interpolation_name(std::string_view key) {
  return !key.empty() && !key.starts_with('.') && !key.ends_with('.') && key.find("..") == std::string_view::npos &&
         std::all_of(key.begin(), key.end(), [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '-' || c == '.'; });
}

Result<> check_port(std::int64_t port, const char* name) {
  if (port < 0 || port > 65535) return fail(Code::invalid_argument, "ports.{} is {}; a port is between 0 and 65535", name, port);
  return {};
}

Result<> check(const Config& c) {
  if (!c.server.enabled && !c.client.enabled)
    return fail(Code::invalid_argument, "Must specify either server, client or dev mode for the agent.");
  if (c.region.find('\0') != std::string::npos) return fail(Code::invalid_argument, "region contains a NUL character; remove it");
  if (c.datacenter.find('\0') != std::string::npos || c.datacenter.find('*') != std::string::npos)
    return fail(Code::invalid_argument, "datacenter \"{}\" contains NUL or \"*\"; write a plain name", c.datacenter);
  if (!parse_log_level(to_lower(c.log_level)))
    return fail(Code::invalid_argument, "log_level \"{}\" is unknown; use TRACE, DEBUG, INFO, WARN, ERROR or OFF", c.log_level);
  DROVER_TRY(check_port(c.ports.http, "http"));
  DROVER_TRY(check_port(c.ports.rpc, "rpc"));
  DROVER_TRY(check_port(c.ports.serf, "serf"));
  const std::array<std::pair<const char*, const std::string*>, 7> directories{{
      {"data_dir", &c.data_dir}, {"plugin_dir", &c.plugin_dir}, {"alloc_dir", &c.client.alloc_dir},
      {"alloc_mounts_dir", &c.client.alloc_mounts_dir}, {"host_volumes_dir", &c.client.host_volumes_dir},
      {"host_volume_plugin_dir", &c.client.host_volume_plugin_dir}, {"state_dir", &c.client.state_dir}}};
  for (const auto& [name, path] : directories)
    if (!path->empty() && !path->starts_with('/'))
      return fail(Code::invalid_argument, "{} must be given as an absolute path: got {}", name, *path);
  if (!c.dev_mode && c.data_dir.empty()) {
    if (c.server.enabled) return fail(Code::invalid_argument, "Must specify \"data_dir\" config option or \"data-dir\" CLI flag");
    if (c.client.state_dir.empty() || c.client.alloc_dir.empty() || c.client.alloc_mounts_dir.empty() || c.plugin_dir.empty())
      return fail(Code::invalid_argument, "Must specify \"state_dir\", \"alloc_dir\", \"alloc_mounts_dir\" and \"plugin_dir\" of the "
                  "client when \"data_dir\" is not set");
  }
  if (c.client.node_pool == "all") return fail(Code::invalid_argument, "client.node_pool \"all\" is reserved; name another pool");
  for (const auto& [key, value] : c.client.meta)
    if (!interpolation_name(key))
      return fail(Code::invalid_argument, "client.meta key \"{}\" cannot be used as ${{meta.{}}}; use letters, digits, \"_\", \"-\" and \".\"", key, key);
  if (c.client.min_dynamic_port < 0 || c.client.max_dynamic_port > 65535 || c.client.min_dynamic_port > c.client.max_dynamic_port)
    return fail(Code::invalid_argument, "client: min_dynamic_port {} and max_dynamic_port {} are no range of ports",
                c.client.min_dynamic_port, c.client.max_dynamic_port);
  for (const auto& [name, entry] : c.client.fingerprint)
    if (name != "env_aws" && name != "env_azure" && name != "env_gce" && name != "env_digitalocean")
      return fail(Code::invalid_argument, "client.fingerprint \"{}\" is unknown; use env_aws, env_azure, env_gce or env_digitalocean", name);
  const auto& family = c.client.preferred_address_family;
  if (!family.empty() && family != "ipv4" && family != "ipv6")
    return fail(Code::invalid_argument, "client.preferred_address_family \"{}\" is unknown; use ipv4 or ipv6", family);
  for (const auto& [name, plugin] : c.plugins) {
    const PluginLimitsConfig& limits = plugin.limits;
    if (limits.memory_mb.value_or(0) < 0 || limits.pids.value_or(0) < 0)
      return fail(Code::invalid_argument, "plugin \"{}\": limits.memory_mb and limits.pids must be 0, which is no limit, or more", name);
    if (const auto weight = limits.cpu_weight.value_or(1); weight < 1 || weight > 10'000)
      return fail(Code::invalid_argument, "plugin \"{}\": limits.cpu_weight {} must be between 1 and 10000", name, weight);
  }
  if (c.server.raft_protocol != 3) return fail(Code::invalid_argument, "server.raft_protocol {} is not supported; use 3", c.server.raft_protocol);
  if (c.server.raft_multiplier < 1 || c.server.raft_multiplier > 10)
    return fail(Code::invalid_argument, "server.raft_multiplier {} must be between 1 and 10", c.server.raft_multiplier);
  if (c.server.job_gc_interval.value.count() <= 0) return fail(Code::invalid_argument, "server.job_gc_interval should be greater than 0s");
  if (c.server.max_heartbeats_per_second <= 0)
    return fail(Code::invalid_argument, "server.max_heartbeats_per_second {} must be above 0", c.server.max_heartbeats_per_second);
  if (!c.server.start_join.empty() && !c.server.server_join.start_join.empty())
    return fail(Code::invalid_argument, "server_join and start_join cannot both be defined; keep server_join.start_join");
  const auto& t = c.telemetry;
  if (t.in_memory_collection_interval.value <= t.in_memory_collection_interval.value.zero() ||
      t.in_memory_retention_period.value < t.in_memory_collection_interval.value)
    return fail(Code::invalid_argument, "telemetry: in_memory_collection_interval must be above 0 and at most in_memory_retention_period");
  if (c.limits.rpc_max_conns_per_client.value_or(0) != 0 && *c.limits.rpc_max_conns_per_client <= 25)
    return fail(Code::invalid_argument, "limits.rpc_max_conns_per_client {} is too low; use more than 25, or 0 for no limit",
                *c.limits.rpc_max_conns_per_client);
  return {};
}

void derive(Config& c, const Surroundings& around) {
  if (c.name.empty()) c.name = around.host_name;
  if (c.dev_mode && c.data_dir.empty()) c.data_dir = around.temporary_dir + "/NomadClient" + std::to_string(getpid());
  const auto set = [](std::string& field, const std::string& value) { if (field.empty()) field = value; };
  if (!c.data_dir.empty()) {
    set(c.plugin_dir, c.data_dir + "/plugins");
    set(c.server.data_dir, c.data_dir + "/server");
    set(c.client.state_dir, c.data_dir + "/client");
    set(c.client.alloc_dir, c.data_dir + "/alloc");
    set(c.client.alloc_mounts_dir, std::filesystem::path(c.data_dir).parent_path().string() + "/alloc_mounts");
    set(c.client.host_volumes_dir, c.data_dir + "/host_volumes");
    set(c.client.host_volume_plugin_dir, c.data_dir + "/host_volume_plugins");
    set(c.client.common_plugin_dir, c.data_dir + "/common_plugins");
  }
  set(c.server.authoritative_region, c.region);
  if (c.log_rotate_duration.value.count() == 0 && !c.log_file.empty()) c.log_rotate_duration = std::chrono::hours(24);
  if (c.client.drain_on_shutdown && !c.client.drain_on_shutdown->deadline.written) c.client.drain_on_shutdown->deadline = std::chrono::hours(1);
  if (!c.server.encrypt.empty() || c.ports.serf != 4648 || !c.addresses.serf.empty())
    c.warnings.emplace_back("there is no gossip: \"encrypt\" and the serf port and addresses are accepted and have no effect");
  if (!c.dev_mode && (!c.tls.http || !c.tls.rpc))
    c.warnings.emplace_back("mTLS is not configured - Nomad is not secure without mTLS!");
}

}  // namespace

Result<Config> parse_config(std::string_view text, const std::string& name) {
  const bool json = name.ends_with(".json") || trim(text).starts_with('{');
  auto tree = json ? parse_json_tree(text, name) : parse_hcl1(text, name);
  if (!tree) return fail(tree.error());
  return decode_config(*tree, name);
}

Result<Config> read_config(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return fail_errno("reading configuration \"{}\"", path);
  if (!S_ISDIR(info.st_mode)) {
    auto text = read_file(path, 16U << 20);
    if (!text) return fail(text.error());
    return parse_config(*text, path);
  }
  std::vector<std::string> names;
  std::error_code problem;
  for (const auto& entry : std::filesystem::directory_iterator(path, problem)) {
    const std::string name = entry.path().filename().string();
    if (configuration_file(name) && !entry.is_directory(problem)) names.push_back(name);
  }
  if (problem) return fail(errno_error(problem.value(), "reading configuration directory \"" + path + "\""));
  std::sort(names.begin(), names.end());
  Config out;
  for (const auto& name : names) {
    auto one = read_config((std::filesystem::path(path) / name).string());
    if (!one) return one;
    out = merge_config(std::move(out), *one);
  }
  if (names.empty()) out.warnings.push_back("No configuration loaded from " + path);
  return out;
}

Result<Config> load_config(const Flags& flags, const Surroundings& surroundings) {
  const bool dev = flags.dev || flags.dev_connect || flags.dev_consul || flags.dev_vault;
  Config config = dev ? dev_config() : default_config();
  if (flags.dev_connect) {
    config.bind_addr = "0.0.0.0";
    config.client.network_interface.clear();
  }
  for (const auto& path : flags.config_paths) {
    auto file = read_config(path);
    if (!file) return file;
    config = merge_config(std::move(config), *file);
  }
  return complete_config(merge_config(std::move(config), flags.overrides), surroundings);
}

Result<Config> complete_config(Config config, const Surroundings& surroundings) {
  DROVER_TRY(check(config));
  derive(config, surroundings);
  DROVER_TRY(resolve_addresses(config, surroundings));
  return config;
}

Surroundings read_surroundings() {
  Surroundings out;
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) == 0) out.host_name = name.data();
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const auto [key, value] = split_once(*entry, '=');
    out.environment.emplace(key, value);
  }
  const auto temporary = out.environment.find("TMPDIR");
  out.temporary_dir = temporary != out.environment.end() && temporary->second.starts_with('/') ? temporary->second : "/tmp";
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return out;
  for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next) {
    if (at->ifa_addr == nullptr) continue;
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (at->ifa_addr->sa_family == AF_INET) {
      const auto* v4 = reinterpret_cast<const sockaddr_in*>(at->ifa_addr);
      inet_ntop(AF_INET, &v4->sin_addr, text.data(), text.size());
      const auto n = ntohl(v4->sin_addr.s_addr);
      if (out.private_ip.empty() && ((n >> 24) == 10 || (n >> 20) == 0xAC1 || (n >> 16) == 0xC0A8)) out.private_ip = text.data();
    } else if (at->ifa_addr->sa_family == AF_INET6) {
      inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(at->ifa_addr)->sin6_addr, text.data(), text.size());
    } else {
      continue;
    }
    out.interface_addresses.emplace_back(at->ifa_name, text.data());
  }
  freeifaddrs(list);
  return out;
}

}  // namespace drover::agent
