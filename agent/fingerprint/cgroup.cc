#include "agent/fingerprint/fingerprint.h"

namespace drover::agent {

// Version 2 only where it is mounted as the whole hierarchy; hybrid hosts count as 1.
void fingerprint_cgroup(const FingerprintInput& in, model::Node& node) {
  const Host& host = in.host;
  if (host.exists("/sys/fs/cgroup/cgroup.controllers")) node.attributes["os.cgroups.version"] = "2";
  else if (host.exists("/sys/fs/cgroup")) node.attributes["os.cgroups.version"] = "1";
  node.cgroup_parent = "nomad.slice";
}

}  // namespace drover::agent
