// What tasks and groups ask for: resources, devices, networks and ports.
#include "lib/diff/rules_declared.h"
#include "sdk/base/text.h"

namespace drover::diff {
namespace {

using model::NetworkResource;
using model::Port;

void ports(Nested<NetworkResource>& n, const char* name, List<Port> NetworkResource::*member, Names skip) {
  const auto same = [](const Port& a, const Port& b) { return a.label == b.label; };
  n.keyed(member, same, [&](const Port* before, const Port* after) { return fields_diff(name, before, after, n.contextual(), skip); });
}

// Lists whose order matters: one field each.
Flat dns(const model::Box<model::DNSConfig>& config) {
  Flat out;
  if (!config) return out;
  const auto add = [&](const char* name, const List<std::string>& texts) {
    if (!texts.empty()) out[name] = join(texts, ",");
  };
  add("Servers", config->servers);
  add("Searches", config->searches);
  add("Options", config->options);
  return out;
}

}  // namespace

void Rules<NetworkResource>::nested(Nested<NetworkResource>& n) {
  ports(n, "Static Port", &NetworkResource::reserved_ports, {});
  // The number of a dynamic port is the scheduler's choice.
  ports(n, "Dynamic Port", &NetworkResource::dynamic_ports, {"Value", "IgnoreCollision"});
  n.flat("DNS", dns(n.before().dns), dns(n.after().dns));
  n.object("CNIConfig", &NetworkResource::cni);
}

void Rules<model::NUMA>::nested(Nested<model::NUMA>& n) { n.texts("Devices", &model::NUMA::devices); }

void Rules<model::Resources>::nested(Nested<model::Resources>& n) {
  n.set("Network", &model::Resources::networks);
  n.keyed("Device", &model::Resources::devices, [](const auto& a, const auto& b) { return a.name == b.name; });
  n.object("NUMA", &model::Resources::numa);
}

}  // namespace drover::diff
