#include "agent/fingerprint/fingerprint.h"
#include "sdk/base/file.h"
#include "sdk/base/text.h"

namespace drover::agent {

// The kernel can make bridges when the module is loaded, built in, or there to be loaded.
void fingerprint_bridge(const FingerprintInput& in, model::Node& node) {
  const Host& host = in.host;
  const auto mentions = [&](const std::string& path) {
    const auto text = read_file(host.root + path, 16U << 20);
    return text && text->find("/bridge.ko") != std::string::npos;
  };
  const std::string modules = "/lib/modules/" + host.kernel_release;
  bool found = host.exists("/sys/module/bridge") || mentions(modules + "/modules.builtin") || mentions(modules + "/modules.dep");
  for (const auto& line : split(host.read("/proc/modules"), '\n')) found = found || line.starts_with("bridge ");
  if (!found) return;
  auto& resources = node.node_resources.ensure();
  model::NetworkResource network;
  network.mode = "bridge";
  resources.networks.push_back(network);
  model::NodeNetworkResource node_network;
  node_network.mode = "bridge";
  resources.node_networks.push_back(node_network);
  node.attributes["nomad.bridge.hairpin_mode"] = in.config.client.bridge_network_hairpin_mode ? "true" : "false";
}

}  // namespace drover::agent
