#include "agent/fingerprint/fingerprint.h"
#include "sdk/base/text.h"

namespace drover::agent {

void fingerprint_kernel(const FingerprintInput& in, model::Node& node) {
  const Host& host = in.host;
  node.attributes["kernel.name"] = to_lower(host.kernel_name);
  node.attributes["kernel.version"] = host.kernel_release;
  node.attributes["kernel.arch"] = host.machine;
  if (host.landlock_abi > 0) node.attributes["kernel.landlock"] = "v" + std::to_string(host.landlock_abi);
}

}  // namespace drover::agent
