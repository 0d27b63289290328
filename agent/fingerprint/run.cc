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

}  // namespace

void run_fingerprints(const FingerprintInput& in, model::Node& node) {
  using Function = void (*)(const FingerprintInput&, model::Node&);
  static constexpr std::pair<const char*, Function> all[] = {
      {"arch", fingerprint_arch},     {"bridge", fingerprint_bridge}, {"cgroup", fingerprint_cgroup},   {"cpu", fingerprint_cpu},
      {"host", fingerprint_host},     {"kernel", fingerprint_kernel}, {"memory", fingerprint_memory},   {"network", fingerprint_network},
      {"nomad", fingerprint_nomad},   {"signal", fingerprint_signal}, {"storage", fingerprint_storage}};
  const auto allowed = option_list(in.config, {"fingerprint.allowlist", "fingerprint.whitelist"});
  const auto denied = option_list(in.config, {"fingerprint.denylist", "fingerprint.blacklist"});
  const auto has = [](const std::vector<std::string>& list, const char* name) { return std::find(list.begin(), list.end(), name) != list.end(); };
  for (const auto& [name, function] : all)
    if ((allowed.empty() || has(allowed, name)) && !has(denied, name)) function(in, node);
}

}  // namespace drover::agent
