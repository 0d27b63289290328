// What a Raft does besides replicating: asks whether it still leads, takes snapshots on demand, changes its members.
#include <algorithm>

#include "server/raft/driver.h"

namespace drover {

Result<Raft::Impl::WaiterPtr> Raft::Impl::enqueue_round() {
  if (closing_) return fail(Code::cancelled, "the server is shutting down");
  if (!replica_ || !replica_->is_leader()) return fail(Code::no_leader, "No cluster leader");
  auto waiter = std::make_shared<Waiter>(options_.executor);
  // A round that is under way already may have been answered by members that elected another leader since.
  rounds_.push_back({.number = 0, .index = replica_->commit_index(), .waiter = waiter});
  if (round_ == 0) {
    begin_round();
    pump();
  }
  return waiter;
}

void Raft::Impl::begin_round() {
  const auto round = replica_->begin_round(now_ms());
  if (!round) return;
  round_ = *round;
  round_ms_ = now_ms();
  for (auto& waiting : rounds_) {
    if (waiting.number == 0) waiting.number = round_;
  }
}

void Raft::Impl::settle_rounds() {
  if (!is_leader()) {
    round_ = 0;
    return;
  }
  const std::uint64_t verified = round_ == 0 ? 0 : replica_->verified_round();
  std::erase_if(rounds_, [&](const Round& round) {
    if (round.number == 0 || round.number > verified || round.index > applied_) return false;
    round.waiter->answer(round.index);
    return true;
  });
  const bool lost = round_ != 0 && now_ms() - round_ms_ >= options_.heartbeat_ms;
  if (round_ != 0 && round_ > verified && !lost) return;
  round_ = 0;
  if (std::ranges::none_of(rounds_, [&](const Round& round) { return round.number == 0 || round.number > verified; })) return;
  begin_round();
  // The questions leave with the next turn.
  asio::post(options_.executor, [self = shared_from_this()] { self->pump(); });
}

Result<Raft::Impl::WaiterPtr> Raft::Impl::enqueue_snapshot(std::uint32_t trailing) {
  if (closing_) return fail(Code::cancelled, "the server is shutting down");
  if (!replica_) return fail(storage_.error());
  if (!snapshots_) {
    return fail(Code::invalid_argument, "this server keeps its log in memory (-dev): there are no snapshots, and no other server can join it");
  }
  auto waiter = std::make_shared<Waiter>(options_.executor);
  wanted_snapshots_.push_back({.trailing = trailing, .waiter = waiter});
  pump();
  return waiter;
}

void Raft::Impl::end_snapshot(const Result<>& result) {
  // One that was asked for while this one was written wants a newer state.
  if (wanted_snapshots_.empty()) return;
  const auto waiter = wanted_snapshots_.front().waiter;
  wanted_snapshots_.erase(wanted_snapshots_.begin());
  if (result) waiter->answer(applied_);
  else waiter->answer(fail(result.error()));
}

Result<std::string> Raft::Impl::edit_members(const Edit& edit) const {
  if (!replica_ || !replica_->is_leader()) return fail(Code::no_leader, "No cluster leader");
  if (!replica_->can_change_members()) return fail(Code::conflict, "another change of the servers is under way, try again later");
  auto members = edit(members_);
  if (!members) return fail(std::move(members).error());
  if (*members == members_) return std::string();
  const auto voters = std::ranges::count(*members, MemberRole::voter, &Member::role);
  if (voters == 0) return fail(Code::invalid_argument, "the last voter cannot be removed: nothing could be written any more");
  std::size_t different = members->size() > members_.size() ? members->size() - members_.size() : members_.size() - members->size();
  for (const auto& member : *members) {
    const auto old = std::ranges::find(members_, member.id, &Member::id);
    if (old != members_.end() && *old != member) ++different;
  }
  // Two at once could give two majorities that share nobody.
  if (different != 1) return fail(Code::internal, "{} servers would change at the same time", different);
  return encode_members(*members);
}

Result<Raft::Impl::WaiterPtr> Raft::Impl::bootstrap(const std::vector<Member>& members) {
  if (closing_) return fail(Code::cancelled, "the server is shutting down");
  if (!replica_) return fail(storage_.error());
  if (!empty() || bootstrapping_) return fail(Code::conflict, "this server has a configuration already");
  auto encoded = encode_members(members);
  if (!encoded) return fail(std::move(encoded).error());
  bootstrapping_ = true;
  auto waiter = std::make_shared<Waiter>(options_.executor);
  const auto entry = std::make_shared<const LogEntry>(LogEntry{.term = 1, .type = EntryType::change, .data = std::move(*encoded)});
  const auto work = [entry](Impl& self) -> Result<LogContents> {
    DROVER_TRY(self.log_->append(1, {entry}));
    auto contents = self.log_->load();
    if (!contents || contents->vote.term >= 1) return contents;
    contents->vote = {.term = 1, .voted_for = 0};
    DROVER_TRY(self.log_->save_vote(contents->vote));
    return contents;
  };
  run_bootstrap(work, waiter);
  return waiter;
}

}  // namespace drover
