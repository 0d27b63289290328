#include <algorithm>
#include <utility>

#include "agent/fingerprint/fingerprint.h"
#include "sdk/base/text.h"

namespace drover::agent {
namespace {

std::vector<std::string> option_list(const Config& config, std::initializer_list<const char*> names) {
  for (const auto* name : names) {
    const auto at = config.client.options.find(name);
    if (at == config.client.options.end()) continue;
    std::vector<std::string> out;
    for (auto& part : split(at->second, ',')) if (!trim(part).empty()) out.emplace_back(trim(part));
    return out;
  }
  return {};
}

struct Fingerprinter {
  const char* name;
  void (*run)(const FingerprintInput&, model::Node&);
  bool reloadable = false;
};
constexpr Fingerprinter all[] = {
    {"arch", fingerprint_arch, true}, {"bridge", fingerprint_bridge, true}, {"cgroup", fingerprint_cgroup}, {"cpu", fingerprint_cpu, true},
    {"host", fingerprint_host},   {"kernel", fingerprint_kernel},       {"memory", fingerprint_memory, true},
    {"network", fingerprint_network, true}, {"nomad", fingerprint_nomad}, {"signal", fingerprint_signal}, {"storage", fingerprint_storage}};

void run(const FingerprintInput& in, model::Node& node, bool reload) {
  const auto allowed = option_list(in.config, {"fingerprint.allowlist", "fingerprint.whitelist"});
  const auto denied = option_list(in.config, {"fingerprint.denylist", "fingerprint.blacklist"});
  const auto has = [](const std::vector<std::string>& list, const char* name) { return std::find(list.begin(), list.end(), name) != list.end(); };
  for (const auto& one : all) {
    if (reload && !one.reloadable) continue;
    if ((allowed.empty() || has(allowed, one.name)) && !has(denied, one.name)) one.run(in, node);
  }
}

}  // namespace

void run_fingerprints(const FingerprintInput& in, model::Node& node) { run(in, node, false); }

void rerun_fingerprints(const FingerprintInput& in, model::Node& node) {
  static constexpr const char* theirs[] = {"cpu.", "numa.", "memory.", "unique.network.", "nomad.bridge."};
  std::erase_if(node.attributes, [](const auto& attribute) {
    return std::any_of(std::begin(theirs), std::end(theirs), [&](const char* prefix) { return attribute.first.starts_with(prefix); });
  });
  auto& resources = node.node_resources.ensure();
  resources.networks.clear();
  resources.node_networks.clear();
  node.reserved_resources.ensure().cpu.reserved_cpu_cores.clear();
  run(in, node, true);
}

}  // namespace drover::agent
