// Which of the names job.group[0], [1], ... are in use, and which to give next or take away first (server contract 11.6).
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "server/scheduler/reconcile/alloc_set.h"

namespace drover::scheduler {

class NameIndex {
 public:
  NameIndex(std::string job_id, std::string group, std::int64_t count, const AllocSet& in_use);

  // The `n` highest names in use; they count as free afterwards.
  [[nodiscard]] std::set<std::string, std::less<>> highest(std::size_t n);
  // `n` free names, lowest first; from 0 again when all below the count are taken.
  [[nodiscard]] std::vector<std::string> next(std::size_t n);
  // Names for canaries: of allocations to be replaced first, then free ones, then from the count up.
  [[nodiscard]] std::vector<std::string> next_canaries(std::size_t n, const AllocSet& existing, const AllocSet& destructive);
  void release(std::int64_t index);
  // The name itself; a free one when others have it too: of several with one name all but the last are renamed.
  [[nodiscard]] std::string unique(const std::string& name);

 private:
  [[nodiscard]] std::string name(std::int64_t index) const;
  [[nodiscard]] bool taken(std::int64_t index) const;
  void take(std::int64_t index);

  std::string job_id_;
  std::string group_;
  std::int64_t count_;
  std::vector<int> uses_;
  std::map<std::int64_t, int> duplicates_;  // holders beyond the first, of those that existed
};

}  // namespace drover::scheduler
