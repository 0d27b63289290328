#include "agent/fingerprint/fingerprint.h"
#include "sdk/base/text.h"

namespace drover::agent {

void fingerprint_host(const FingerprintInput& in, model::Node& node) {
  const Host& host = in.host;
  std::string id = "linux", version;
  std::string release = host.read("/etc/os-release");
  if (release.empty()) release = host.read("/usr/lib/os-release");
  for (const auto& line : split(release, '\n')) {
    const auto [key, raw] = split_once(line, '=');
    std::string value(trim(raw));
    if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'')) value = value.substr(1, value.size() - 2);
    if (key == "ID") id = value;
    if (key == "VERSION_ID") version = value;
  }
  // Debian's own file has the point release that os-release leaves out.
  if (id == "debian") {
    if (const auto full = host.read("/etc/debian_version"); !full.empty() && full.find('/') == std::string::npos) version = full;
  }
  node.attributes["os.name"] = id;
  node.attributes["os.version"] = version;
  node.attributes["unique.hostname"] = host.hostname;
  std::string machine_id = host.read("/etc/machine-id");
  if (machine_id.size() == 32) {
    for (const std::size_t at : {20U, 16U, 12U, 8U}) machine_id.insert(at, "-");
    node.attributes["unique.host_id"] = machine_id;
  }
}

}  // namespace drover::agent
