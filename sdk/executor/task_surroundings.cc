#include "sdk/executor/task_surroundings.h"

#include "sdk/base/file.h"
#include "sdk/base/text.h"

namespace drover {
namespace {
std::string resolv_conf(const driver::DnsConfig& dns) {
  std::string out;
  if (!dns.searches.empty()) out += "search " + join(dns.searches, " ") + "\n";
  for (const auto& server : dns.servers) out += "nameserver " + server + "\n";
  if (!dns.options.empty()) out += "options " + join(dns.options, " ") + "\n";
  return out;
}

std::string hosts_file(const std::map<std::string, std::string>& entries) {
  std::string out = "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\nff02::1 ip6-allnodes\nff02::2 ip6-allrouters\n\n";
  for (const auto& [hostname, address] : entries) out += address + " " + hostname + "\n";
  return out;
}
}  // namespace

Result<Account> task_account(const driver::TaskConfig& config) { return find_account(config.user.empty() ? "nobody" : config.user); }

std::vector<std::string> task_environment(const driver::TaskConfig& config, const Account& account) {
  auto env = config.env;
  env["USER"] = account.name;
  env["LOGNAME"] = account.name;
  env["HOME"] = account.home;
  std::vector<std::string> out;
  out.reserve(env.size());
  for (const auto& [key, value] : env) out.push_back(key + "=" + value);
  return out;
}

Result<> check_task_paths(const driver::TaskConfig& config) {
  for (const auto& mount : config.mounts) {
    if (!mount.task_path.starts_with('/')) return fail(Code::invalid_argument, "mount target \"{}\" is not an absolute path", mount.task_path);
  }
  for (const auto& device : config.devices) {
    if (!device.task_path.starts_with('/')) return fail(Code::invalid_argument, "device \"{}\" is not an absolute path", device.task_path);
  }
  return {};
}

Result<> make_root_files(RootPlanInput& input, const driver::TaskConfig& config) {
  input.work_dir = config.alloc_dir + "/." + config.name + ".root";
  DROVER_TRY(make_directories(input.work_dir, 0700));
  if (config.dns && !(config.dns->servers.empty() && config.dns->searches.empty() && config.dns->options.empty())) {
    DROVER_TRY(write_file(input.work_dir + "/resolv.conf", resolv_conf(*config.dns)));
    input.own_resolv_conf = true;
  }
  const auto& isolation = config.network_isolation;
  if (isolation && isolation->mode == driver::NetIsolation::group && !isolation->hosts_entries.empty()) {
    DROVER_TRY(write_file(input.work_dir + "/hosts", hosts_file(isolation->hosts_entries)));
    input.own_hosts = true;
  }
  return {};
}

driver::Fingerprint judge_host(const std::string& driver, bool is_root, const CgroupHost& cgroups, bool allow_degraded) {
  driver::Fingerprint out;
  if (!is_root) {
    out.description = "Driver must run as root";
    return out;
  }
  const std::string complaint = cgroup_complaint(cgroups);
  if (!complaint.empty() && !allow_degraded) {
    out.health = driver::Health::unhealthy;
    out.description = complaint;
    return out;
  }
  out.health = driver::Health::healthy;
  out.description = complaint.empty() ? "Healthy" : "Healthy, without resource limits: " + complaint;
  out.attributes["driver." + driver] = {true, {}};
  if (!complaint.empty()) out.attributes["driver." + driver + ".degraded"] = {true, {}};
  return out;
}

}  // namespace drover
