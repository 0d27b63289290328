#include "tests/sim/disk.h"

#include <algorithm>

namespace drover::sim {

void Disk::truncate(std::uint64_t first) {
  if (first <= log_.last_index()) log_.entries.resize(first >= log_.first_index ? first - log_.first_index : 0);
}

void Disk::append(std::uint64_t first, const std::vector<LogEntryPtr>& entries) {
  if (log_.entries.empty()) log_.first_index = first;
  truncate(first);
  DROVER_CHECK(first == log_.last_index() + 1);
  log_.entries.insert(log_.entries.end(), entries.begin(), entries.end());
}

void Disk::commit(const Replica::Write& write) {
  if (bug_ == Bug::skipped_fsync) before_ = log_;
  if (write.vote) log_.vote = {.term = write.vote->term, .voted_for = bug_ == Bug::unsaved_vote ? 0 : write.vote->voted_for};
  if (!write.entries.empty()) append(write.first_index, write.entries);
}

void Disk::tear(const Replica::Write& write, Rng& rng) {
  Replica::Write part;
  const std::uint64_t cut = rng.below(4);
  if (cut >= 1) part.vote = write.vote;
  if (cut >= 2 && !write.entries.empty()) {
    truncate(write.first_index);
    part.first_index = write.first_index;
    part.entries = write.entries;
    if (cut == 2) part.entries.resize(rng.below(write.entries.size() + 1));
  }
  if (cut == 3 || part.vote || !part.entries.empty()) commit(part);
}

void Disk::lose_power(Rng& rng) {
  if (before_ && rng.below(2) == 0) log_ = *before_;
  before_.reset();
}

void Disk::put_snapshot(SavedSnapshot snapshot) {
  snapshots_.push_back(std::move(snapshot));
  while (snapshots_.size() > 2) snapshots_.pop_front();
  const std::uint64_t index = snapshots_.front().meta.index;
  if (index < log_.first_index) return;
  const std::size_t count = std::min<std::size_t>(index + 1 - log_.first_index, log_.entries.size());
  log_.entries.erase(log_.entries.begin(), log_.entries.begin() + static_cast<std::ptrdiff_t>(count));
  log_.first_index += count;
  before_.reset();
}

void Disk::install(SavedSnapshot snapshot, bool torn) {
  const std::uint64_t next = snapshot.meta.index + 1;
  snapshots_.push_back(std::move(snapshot));
  while (snapshots_.size() > 2) snapshots_.pop_front();
  before_.reset();
  if (torn) return;
  log_.entries.clear();
  log_.first_index = next;
}

Disk::Found Disk::open(bool damaged) {
  Found out;
  if (!snapshots_.empty()) {
    // An older one serves only when the log still reaches back to it.
    const bool older = damaged && snapshots_.size() > 1 && log_.first_index <= snapshots_.front().meta.index + 1;
    out.snapshot = older ? snapshots_.front() : snapshots_.back();
  }
  out.log = log_;
  if (out.snapshot && contradicts(log_, out.snapshot->meta)) {
    log_.entries.clear();
    log_.first_index = out.snapshot->meta.index + 1;
    out.log = log_;
  }
  return out;
}

}  // namespace drover::sim
