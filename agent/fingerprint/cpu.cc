#include <algorithm>
#include <charconv>

#include "agent/fingerprint/fingerprint.h"
#include "sdk/base/text.h"

namespace drover::agent {
namespace {

std::uint64_t number(const std::string& text) {
  std::uint64_t out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

struct CpuInfo {
  std::string model;
  std::uint64_t mhz = 0;
  std::uint16_t processors = 0;
};
CpuInfo read_cpuinfo(const Host& host) {
  CpuInfo out;
  for (const auto& line : split(host.read("/proc/cpuinfo"), '\n')) {
    const auto [key, value] = split_once(line, ':');
    const auto name = trim(key);
    if (name == "processor") ++out.processors;
    if (name == "model name" && out.model.empty()) out.model = trim(value);
    if (name == "cpu MHz") out.mhz = std::max(out.mhz, number(std::string(trim(value))));
  }
  return out;
}

model::NumaCore read_core(const Host& host, std::uint16_t id, std::uint64_t fallback_mhz) {
  const std::string dir = "/sys/devices/system/cpu/cpu" + std::to_string(id);
  model::NumaCore core;
  core.id = id;
  core.grade = "performance";
  core.socket_id = static_cast<std::uint32_t>(number(host.read(dir + "/topology/physical_package_id")));
  const std::string driver = host.read(dir + "/cpufreq/scaling_driver");
  if (driver == "intel_pstate") core.base_speed = number(host.read(dir + "/cpufreq/base_frequency")) / 1000;
  else if (driver == "acpi-cpufreq") core.base_speed = number(host.read(dir + "/acpi_cppc/nominal_freq"));
  core.max_speed = number(host.read(dir + "/cpufreq/cpuinfo_max_freq")) / 1000;
  if (core.base_speed == 0 && core.max_speed == 0) core.guess_speed = fallback_mhz;
  return core;
}
std::uint64_t speed(const model::NumaCore& core) { return core.base_speed != 0 ? core.base_speed : core.max_speed != 0 ? core.max_speed : core.guess_speed; }

void read_numa(const Host& host, model::NumaTopology& topology) {
  const auto nodes = parse_cpu_list(host.read("/sys/devices/system/node/online"));
  for (const auto id : nodes) {
    const std::string dir = "/sys/devices/system/node/node" + std::to_string(id);
    topology.node_ids.push_back(id);
    model::List<std::uint64_t> row;
    for (const auto& part : split(host.read(dir + "/distance"), ' ')) if (!part.empty()) row.push_back(number(part));
    topology.distances.push_back(std::move(row));
    const auto members = parse_cpu_list(host.read(dir + "/cpulist"));
    for (auto& core : topology.cores)
      if (std::find(members.begin(), members.end(), core.id) != members.end()) core.node_id = id;
  }
  if (topology.node_ids.empty()) {
    topology.node_ids.push_back(0);
    topology.distances.push_back(model::List<std::uint64_t>{10});
  }
}

}  // namespace

std::vector<std::uint16_t> parse_cpu_list(const std::string& text) {
  std::vector<std::uint16_t> out;
  for (const auto& part : split(text, ',')) {
    const auto [first_text, last_text] = split_once(trim(part), '-');
    if (first_text.empty()) continue;
    const auto first = number(std::string(first_text));
    const auto last = last_text.empty() ? first : number(std::string(last_text));
    for (auto i = first; i <= last && i < 4096; ++i) out.push_back(static_cast<std::uint16_t>(i));
  }
  return out;
}

void fingerprint_cpu(const FingerprintInput& in, model::Node& node) {
  const Host& host = in.host;
  const auto& config = in.config.client;
  const CpuInfo info = read_cpuinfo(host);
  auto ids = parse_cpu_list(host.read("/sys/devices/system/cpu/online"));
  if (ids.empty())
    for (std::uint16_t i = 0; i < std::max<long>(info.processors, host.online_cpus); ++i) ids.push_back(i);
  model::NumaTopology topology;
  for (const auto id : ids) topology.cores.push_back(read_core(host, id, info.mhz != 0 ? info.mhz : 1000));
  read_numa(host, topology);

  // Cores that may be reserved: those of our cpuset, narrowed by the configuration.
  std::vector<std::uint16_t> reservable = parse_cpu_list(host.read("/sys/fs/cgroup/cpuset.cpus.effective"));
  if (reservable.empty()) reservable = ids;
  std::vector<std::uint16_t> withheld;
  if (!config.reservable_cores.empty()) reservable = parse_cpu_list(config.reservable_cores);
  else withheld = parse_cpu_list(config.reserved.cores);
  const auto has = [](const std::vector<std::uint16_t>& list, std::uint16_t id) { return std::find(list.begin(), list.end(), id) != list.end(); };
  std::uint64_t total = 0, usable = 0, fastest = 0;
  model::List<std::uint16_t> reservable_ids;
  for (auto& core : topology.cores) {
    core.disable = !has(reservable, core.id) || has(withheld, core.id);
    total += speed(core);
    fastest = std::max(fastest, speed(core));
    if (core.disable) continue;
    usable += speed(core);
    reservable_ids.push_back(core.id);
  }
  const auto reserved_mhz = static_cast<std::uint64_t>(std::max<std::int64_t>(0, config.reserved.cpu));
  usable -= std::min(usable, reserved_mhz);
  if (config.cpu_total_compute > 0) total = usable = static_cast<std::uint64_t>(config.cpu_total_compute);
  topology.override_total_compute = static_cast<std::uint64_t>(std::max<std::int64_t>(0, config.cpu_total_compute));
  topology.override_withold_compute = reserved_mhz;

  auto& attributes = node.attributes;
  if (!info.model.empty()) attributes["cpu.modelname"] = info.model;
  attributes["cpu.frequency"] = std::to_string(fastest);
  attributes["cpu.numcores"] = std::to_string(topology.cores.size());
  attributes["cpu.reservablecores"] = std::to_string(reservable_ids.size());
  attributes["cpu.totalcompute"] = std::to_string(total);
  attributes["cpu.usablecompute"] = std::to_string(usable);
  attributes["numa.node.count"] = std::to_string(topology.node_ids.size());
  for (const auto id : topology.node_ids) {
    std::string cores;
    for (const auto& core : topology.cores) if (core.node_id == id) cores += (cores.empty() ? "" : ",") + std::to_string(core.id);
    attributes["numa.node" + std::to_string(id) + ".cores"] = cores;
  }
  auto& resources = node.node_resources.ensure();
  resources.cpu.cpu_shares = static_cast<std::int64_t>(total);
  resources.cpu.total_cpu_cores = static_cast<std::uint16_t>(topology.cores.size());
  resources.cpu.reservable_cpu_cores = std::move(reservable_ids);
  resources.processors.topology = std::move(topology);
  auto& reserved = node.reserved_resources.ensure();
  reserved.cpu.cpu_shares = config.reserved.cpu;
  for (const auto id : withheld) reserved.cpu.reserved_cpu_cores.push_back(id);
}

}  // namespace drover::agent
