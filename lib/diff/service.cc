// Services and their checks.
#include "lib/diff/rules_declared.h"

namespace drover::diff {

using model::Service;
using model::ServiceCheck;

namespace {

Flat headers(const model::Map<List<std::string>>& map) {
  Flat out;
  for (const auto& [name, values] : map) {
    for (std::size_t i = 0; i < values.size(); i++) out[fmt::format("{}[{}]", name, i)] = values[i];
  }
  return out;
}

// A service has no id: what a reader takes for the same one has the same name, or the same port at the same place.
std::optional<std::size_t> partner(const Service& service, std::size_t place, const List<Service>& candidates, const std::vector<bool>& taken) {
  constexpr int enough = 3;
  int best = enough - 1;
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < candidates.size(); i++) {
    if (taken[i]) continue;
    const int score = (candidates[i].name == service.name ? 3 : 0) + (candidates[i].port_label == service.port_label ? 2 : 0) + (i == place ? 1 : 0);
    if (score <= best) continue;
    best = score;
    found = i;
  }
  return found;
}

}  // namespace

void Rules<ServiceCheck>::nested(Nested<ServiceCheck>& n) {
  n.flat("Header", headers(n.before().header), headers(n.after().header));
  n.object("CheckRestart", &ServiceCheck::check_restart);
}

void Rules<Service>::nested(Nested<Service>& n) {
  n.texts("CanaryTags", &Service::canary_tags);
  n.texts("Tags", &Service::tags);
  n.keyed("Check", &Service::checks, [](const ServiceCheck& a, const ServiceCheck& b) { return a.name == b.name; });
  n.object("ConsulConnect", &Service::connect);
  n.object("Identity", &Service::identity);
  n.fields("Weights", &Service::weights);
}

void service_diffs(const List<Service>& before, const List<Service>& after, bool contextual, List<ObjectDiff>& out) {
  List<ObjectDiff> found;
  std::vector<bool> taken(after.size());
  const bool only_one = before.size() == 1 && after.size() == 1;
  for (std::size_t i = 0; i < before.size(); i++) {
    const auto match = only_one ? std::optional<std::size_t>(0) : partner(before[i], i, after, taken);
    if (match) taken[*match] = true;
    if (auto diff = object_diff("Service", &before[i], match ? &after[*match] : nullptr, contextual)) found.push_back(std::move(*diff));
  }
  for (std::size_t i = 0; i < after.size(); i++) {
    if (taken[i]) continue;
    if (auto diff = object_diff<Service>("Service", nullptr, &after[i], contextual)) found.push_back(std::move(*diff));
  }
  sort_objects(found);
  for (ObjectDiff& diff : found) out.push_back(std::move(diff));
}

}  // namespace drover::diff
