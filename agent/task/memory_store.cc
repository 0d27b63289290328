#include "agent/task/store.h"

namespace drover::agent {

Async<Result<>> MemoryStore::commit(std::vector<StoreWrite> writes) {
  for (auto& write : writes) {
    if (write.value) values_[write.key] = std::move(*write.value);
    else values_.erase(write.key);
  }
  co_return Result<>{};
}

Result<std::map<std::string, std::string>> MemoryStore::load(const std::string& prefix) {
  std::map<std::string, std::string> out;
  for (auto at = values_.lower_bound(prefix); at != values_.end() && at->first.starts_with(prefix); ++at) out.insert(*at);
  return out;
}

}  // namespace drover::agent
