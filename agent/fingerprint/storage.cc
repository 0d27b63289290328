#include "agent/fingerprint/fingerprint.h"

namespace drover::agent {

void fingerprint_storage(const FingerprintInput& in, model::Node& node) {
  const Host& host = in.host;
  const auto& config = in.config.client;
  node.attributes["unique.storage.volume"] = host.disk_device;
  std::uint64_t total = host.disk_total_bytes;
  if (config.disk_total_mb > 0) total = static_cast<std::uint64_t>(config.disk_total_mb) * 1024 * 1024;
  node.attributes["unique.storage.bytestotal"] = std::to_string(total);
  node.node_resources.ensure().disk.disk_mb = static_cast<std::int64_t>(total / 1024 / 1024);
  node.reserved_resources.ensure().disk.disk_mb = config.reserved.disk;
}

}  // namespace drover::agent
