#include "agent/sync/desired.h"

namespace drover::agent {

DesiredChanges compare_desired(const std::map<std::string, std::uint64_t, std::less<>>& wanted,
                               const std::map<std::string, std::uint64_t, std::less<>>& known,
                               const std::map<std::string, std::uint64_t, std::less<>>& collected) {
  DesiredChanges out;
  for (const auto& [id, index] : wanted) {
    if (collected.contains(id)) continue;
    const auto at = known.find(id);
    if (at == known.end() || at->second < index) out.fetch.push_back(id);
  }
  for (const auto& [id, index] : known) {
    if (!wanted.contains(id)) out.remove.push_back(id);
  }
  return out;
}

}  // namespace drover::agent
