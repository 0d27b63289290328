#include <deque>

#include "server/raft/log.h"

namespace drover {
namespace {
class MemoryLog final : public Log {
 public:
  Result<LogContents> load() override {
    return LogContents{.vote = vote_, .first_index = first_, .entries = {entries_.begin(), entries_.end()}};
  }
  Result<> append(std::uint64_t first_index, const std::vector<LogEntryPtr>& entries) override {
    if (entries_.empty()) first_ = first_index;
    entries_.resize(first_index - first_);
    entries_.insert(entries_.end(), entries.begin(), entries.end());
    return {};
  }
  Result<> save_vote(const TermVote& vote) override {
    vote_ = vote;
    return {};
  }
  Result<> compact(std::uint64_t index) override {
    while (!entries_.empty() && first_ <= index) {
      entries_.pop_front();
      ++first_;
    }
    return {};
  }
  Result<> reset(std::uint64_t next_index) override {
    entries_.clear();
    first_ = next_index;
    return {};
  }
  Result<> recover() override { return {}; }
  bool blocking() const override { return false; }
  Result<> prepare() override { return {}; }

 private:
  TermVote vote_;
  std::uint64_t first_ = 1;
  std::deque<LogEntryPtr> entries_;
};
}  // namespace

std::unique_ptr<Log> make_memory_log() { return std::make_unique<MemoryLog>(); }

}  // namespace drover
