#include "agent/fingerprint/fingerprint.h"

namespace drover::agent {

void fingerprint_nomad(const FingerprintInput& in, model::Node& node) {
  node.attributes["nomad.version"] = in.version;
  node.attributes["nomad.revision"] = in.revision;
  node.attributes["nomad.service_discovery"] = in.config.client.nomad_service_discovery.value_or(true) ? "true" : "false";
  node.attributes["unique.advertise.address"] = in.config.advertise.http;
}

}  // namespace drover::agent
