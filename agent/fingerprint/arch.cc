#include "agent/fingerprint/fingerprint.h"

namespace drover::agent {

std::string go_arch(const std::string& machine) {
  static const std::map<std::string, std::string> names{
      {"x86_64", "amd64"}, {"aarch64", "arm64"}, {"armv7l", "arm"}, {"armv6l", "arm"}, {"i386", "386"}, {"i686", "386"},
      {"ppc64le", "ppc64le"}, {"s390x", "s390x"}, {"riscv64", "riscv64"}};
  const auto at = names.find(machine);
  return at == names.end() ? machine : at->second;
}

void fingerprint_arch(const FingerprintInput& in, model::Node& node) { node.attributes["cpu.arch"] = go_arch(in.host.machine); }

}  // namespace drover::agent
