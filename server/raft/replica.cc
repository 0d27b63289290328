#include "server/raft/replica.h"

#include <algorithm>

#include "server/raft/core.h"

namespace drover {
namespace {
drover_raft_entry to_core(const LogEntry& entry) {
  return {.term = entry.term, .type = static_cast<int>(entry.type), .data = entry.data.data(), .size = entry.data.size()};
}

std::vector<drover_raft_entry> to_core(const std::vector<LogEntryPtr>& entries) {
  std::vector<drover_raft_entry> out;
  out.reserve(entries.size());
  for (const auto& entry : entries) out.push_back(to_core(*entry));
  return out;
}

drover_raft_snapshot to_core(const SnapshotMeta& meta) {
  return {.index = meta.index,
          .term = meta.term,
          .configuration = meta.configuration.data(),
          .configuration_size = meta.configuration.size(),
          .configuration_index = meta.configuration_index};
}

// libraft asserts what a correct peer never does; a peer of another version must not end the process.
bool plausible(const RaftMessage& message) {
  if (message.from == 0 || message.term == 0) return false;
  if (message.type < MessageType::append || message.type > MessageType::probe_result) return false;
  if (message.type == MessageType::append) {
    if ((message.index == 0) != (message.index_term == 0)) return false;
    std::uint64_t term = std::max<std::uint64_t>(message.index_term, 1);
    for (const auto& entry : message.entries) {
      if (!entry || entry->term < term || entry->term > message.term) return false;
      term = entry->term;
    }
  }
  if (message.type == MessageType::install) return message.index != 0 && message.index_term != 0;
  return true;
}
}  // namespace

// What libraft asks for during a step.
struct Replica::Sink {
  static void append(void* context, std::uint64_t first, const drover_raft_entry* entries, std::uint32_t count) {
    std::vector<LogEntryPtr> copied;
    copied.reserve(count);
    for (std::uint32_t i = 0; i < count; ++i) {
      copied.push_back(std::make_shared<const LogEntry>(
          LogEntry{.term = entries[i].term,
                   .type = static_cast<EntryType>(entries[i].type),
                   .data = std::string(static_cast<const char*>(entries[i].data), entries[i].size)}));
    }
    static_cast<Replica*>(context)->append(first, std::move(copied));
  }
  static void send(void* context, const drover_raft_message* from) {
    auto* self = static_cast<Replica*>(context);
    RaftMessage out;
    out.type = static_cast<MessageType>(from->type);
    out.from = self->options_.id;
    out.from_address = self->options_.address;
    out.to = from->peer;
    // The first word of the text that libraft knows a server by.
    const std::string_view address = from->peer_address == nullptr ? "" : from->peer_address;
    out.to_address = address.substr(0, address.find(' '));
    out.term = from->term;
    out.index = from->index;
    out.index_term = from->index_term;
    out.commit = from->commit;
    out.rejected = from->rejected;
    out.candidate = from->candidate;
    out.disrupt_leader = from->disrupt_leader;
    out.pre_vote = from->pre_vote;
    out.granted = from->granted;
    out.features = from->features;
    out.capacity = from->capacity;
    self->send(std::move(out), from->entry_count);
  }
  static void install(void* context, const drover_raft_snapshot* from) {
    static_cast<Replica*>(context)->begin_install(
        {.index = from->index,
         .term = from->term,
         .configuration_index = from->configuration_index,
         .configuration = std::string(static_cast<const char*>(from->configuration), from->configuration_size)});
  }
};

void Replica::CloseCore::operator()(drover_raft* core) const { drover_raft_close(core); }
Replica::~Replica() = default;

Result<std::unique_ptr<Replica>> Replica::start(const ReplicaOptions& options, const LogContents& log,
                                                const std::optional<SnapshotMeta>& snapshot, std::uint64_t applied,
                                                std::uint64_t now_ms) {
  const std::uint64_t base = snapshot ? snapshot->index : 0;
  if (log.first_index > base + 1) {
    return fail(Code::internal, "the raft log begins at entry {}, but the newest usable snapshot ends at {}: restore the data "
      "directory from a snapshot", log.first_index, base);
  }
  const std::uint64_t last_term = log.entries.empty() ? (snapshot ? snapshot->term : 0) : log.entries.back()->term;
  if (log.vote.term < last_term) {
    return fail(Code::internal, "the raft log is at term {}, but the saved vote is of term {}: the vote file is missing or from "
      "another server", last_term, log.vote.term);
  }
  std::unique_ptr<Replica> self(new Replica(options));
  const drover_raft_tuning tuning{.heartbeat_ms = options.heartbeat_ms,
                                  .election_ms = options.election_ms,
                                  .install_ms = options.install_ms,
                                  .max_inflight = options.max_inflight,
                                  .seed = options.seed};
  self->core_.reset(drover_raft_open(options.id, options.address.c_str(), &tuning));
  DROVER_CHECK(self->core_ != nullptr);
  self->vote_ = self->durable_vote_ = log.vote;
  self->cache_.assign(log.entries.begin(), log.entries.end());
  self->cache_first_ = log.first_index;
  self->stored_ = std::max(base, log.last_index());
  if (snapshot) {
    self->snapshot_ = *snapshot;
    self->applied_ = snapshot->index;
    self->applied_term_ = snapshot->term;
    DROVER_TRY(self->set_configuration(snapshot->configuration_index, snapshot->configuration));
  }
  // What the state machine holds beyond the snapshot is not handed out again, but its configurations count.
  for (std::uint64_t index = self->applied_ + 1; index <= std::min(applied, log.last_index()); ++index) {
    const auto& entry = log.entries[index - log.first_index];
    if (entry->type == EntryType::change) DROVER_TRY(self->set_configuration(index, entry->data));
    self->applied_ = index;
    self->applied_term_ = entry->term;
  }
  const auto entries = to_core(log.entries);
  drover_raft_snapshot meta{};
  if (snapshot) meta = to_core(*snapshot);
  drover_raft_event event{.type = DROVER_RAFT_START,
                          .term = log.vote.term,
                          .voted_for = log.vote.voted_for,
                          .index = log.first_index,
                          .entries = entries.data(),
                          .entry_count = static_cast<std::uint32_t>(entries.size()),
                          .snapshot = snapshot ? &meta : nullptr};
  DROVER_TRY(self->step(event, now_ms));
  return self;
}

template <class Event>
Result<> Replica::step(Event& event, std::uint64_t now_ms) {
  event.now_ms = now_ms + ahead_ms_;
  const drover_raft_sink sink{.context = this, .append = Sink::append, .send = Sink::send, .install = Sink::install};
  std::uint32_t changes = 0;
  const int code = drover_raft_step(core_.get(), &event, &sink, &changes);
  if (code == drover_raft_code_not_leader()) return fail(Code::no_leader, "No cluster leader");
  if (code != 0) return fail(Code::internal, "raft: {}", drover_raft_error_text(code));
  if ((changes & DROVER_RAFT_SAVE_TERM) != 0) {
    vote_ = {.term = drover_raft_term(core_.get()), .voted_for = drover_raft_voted_for(core_.get())};
    pending_.vote = vote_;
  }
  return advance(now_ms);
}

// Hands out what is committed and durable here. A configuration among it is told to the core, which may step down for it.
Result<> Replica::advance(std::uint64_t now_ms) {
  while (!installing_ && applied_ < std::min(drover_raft_commit_index(core_.get()), stored_)) {
    const std::uint64_t index = applied_ + 1;
    DROVER_CHECK(index >= cache_first_ && index - cache_first_ < cache_.size());
    const LogEntryPtr entry = cache_[index - cache_first_];
    applied_ = index;
    applied_term_ = entry->term;
    output_.committed.push_back({.index = index, .entry = entry});
    if (entry->type != EntryType::change) continue;
    DROVER_TRY(set_configuration(index, entry->data));
    drover_raft_event event{.type = DROVER_RAFT_CONFIGURED,
                            .index = index,
                            .configuration = entry->data.data(),
                            .configuration_size = entry->data.size()};
    DROVER_TRY(step(event, now_ms));
  }
  // Nobody will ask a lone voter for old entries.
  if (members_.size() == 1 && !expects_others_ && drover_raft_uncommitted_change(core_.get()) == 0) forget_before(applied_ + 1);
  return {};
}

Result<> Replica::set_configuration(std::uint64_t index, std::string encoded) {
  auto members = decode_members(encoded);
  if (!members) return fail(std::move(members).error());
  members_ = std::move(*members);
  configuration_index_ = index;
  configuration_ = std::move(encoded);
  return {};
}

void Replica::forget_before(std::uint64_t index) {
  for (; !cache_.empty() && cache_first_ < index; ++cache_first_) cache_.pop_front();
}

void Replica::append(std::uint64_t first_index, std::vector<LogEntryPtr> entries) {
  if (cache_.empty()) cache_first_ = first_index;
  if (first_index < cache_first_ + cache_.size()) {
    ++epoch_;
    cache_.resize(first_index - cache_first_);
    stored_ = std::min(stored_, first_index - 1);
  }
  if (pending_.entries.empty() || first_index <= pending_.first_index) {
    pending_.first_index = first_index;
    pending_.entries.clear();
  } else {
    pending_.entries.resize(first_index - pending_.first_index);
  }
  cache_.insert(cache_.end(), entries.begin(), entries.end());
  pending_.entries.insert(pending_.entries.end(), std::make_move_iterator(entries.begin()), std::make_move_iterator(entries.end()));
}

void Replica::send(RaftMessage message, std::uint32_t entry_count) {
  for (std::uint32_t i = 0; i < entry_count; ++i) {
    const std::uint64_t index = message.index + 1 + i;
    DROVER_CHECK(index >= cache_first_ && index - cache_first_ < cache_.size());
    message.entries.push_back(cache_[index - cache_first_]);
  }
  if (message.type == MessageType::install) message.snapshot = snapshot_;
  // libraft leaves this field as it was in memory when it refuses a leader of an earlier term.
  if (message.type == MessageType::append_result && message.rejected != 0) message.index = last_index();
  // libraft refuses a pre-vote in the asker's term, who would then never learn that this term has gone by. One with the longest log
  // must catch up with the terms of the others, or nobody could be elected any more.
  if (message.type == MessageType::vote_result && message.pre_vote && !message.granted && message.term < term()) message.term = term();
  output_.messages.push_back(std::move(message));
}

void Replica::begin_install(SnapshotMeta meta) {
  ++epoch_;
  installing_ = true;
  cache_.clear();
  pending_.entries.clear();
  output_.install = std::move(incoming_);
  output_.install->meta = std::move(meta);
}

std::uint64_t Replica::term_at(std::uint64_t index) const {
  if (index >= cache_first_ && index - cache_first_ < cache_.size()) return cache_[index - cache_first_]->term;
  if (index == snapshot_.index) return snapshot_.term;
  return index == applied_ ? applied_term_ : 0;
}

// A late or repeated append may begin below what is committed here, even below what the log still holds. libraft would refuse
// such a message, and its leader would go back ever further; or, from the very first entry on, take the entries for new ones
// and read beyond them. What is committed is the same everywhere, so the message is made to begin behind it.
Result<> Replica::skip_committed(RaftMessage& message) const {
  const std::uint64_t commit = commit_index();
  if (message.type != MessageType::append || message.term < term() || message.index >= commit || installing_) return {};
  const std::uint64_t commit_term = term_at(commit);
  DROVER_CHECK(commit_term != 0);
  const std::uint64_t below = std::min<std::uint64_t>(commit - message.index, message.entries.size());
  if (message.index + below == commit && message.entries[below - 1]->term != commit_term) {
    return fail(Code::internal, "raft: server {} has entry {} of term {}, but the one of term {} is committed", message.from, commit,
                message.entries[below - 1]->term, commit_term);
  }
  message.entries.erase(message.entries.begin(), message.entries.begin() + static_cast<std::ptrdiff_t>(below));
  message.index = commit;
  message.index_term = commit_term;
  return {};
}

Result<std::uint64_t> Replica::submit(EntryType type, std::vector<std::string> entries, std::uint64_t now_ms) {
  const std::uint64_t first = last_index() + 1;
  std::vector<drover_raft_entry> list;
  list.reserve(entries.size());
  for (const auto& data : entries) {
    list.push_back({.term = 0, .type = static_cast<int>(type), .data = data.data(), .size = data.size()});
  }
  drover_raft_event event{
      .type = DROVER_RAFT_SUBMIT, .entries = list.data(), .entry_count = static_cast<std::uint32_t>(list.size())};
  DROVER_TRY(step(event, now_ms));
  return first;
}

Result<> Replica::receive(RaftMessage message, std::uint64_t now_ms) {
  if (!plausible(message)) return fail(Code::invalid_argument, "raft: a message from server {} makes no sense", message.from);
  // The leader sends it again when this one is done.
  if (message.type == MessageType::install && installing_) return {};
  if (message.type == MessageType::probe) {
    answer_probe(message);
    return {};
  }
  if (message.type == MessageType::probe_result) {
    note_probe_result(message);
    return {};
  }
  if (message.type == MessageType::append || message.type == MessageType::install) {
    if (message.term >= term()) {
      leader_seen_ms_ = now_ms;
      if (message.from == lost_leader_) lost_leader_ = 0;
    }
  }
  // libraft refuses its vote as long as it knows a leader, until its own timer ends; so it would take the longer one of two servers'
  // timers to elect a third one's successor. One that has been silent for the shortest of timers protects nobody any more (Raft 4.2.3).
  if (message.type == MessageType::vote && !is_leader()) {
    const std::uint64_t known = leader().id;
    const bool silent = leader_seen_ms_ != 0 && now_ms - std::min(now_ms, leader_seen_ms_) >= options_.election_ms;
    if (known != 0 && (silent || known == lost_leader_)) message.disrupt_leader = true;
  }
  // A refusal that comes late speaks of what the follower has stored since. libraft believes it, goes back behind what it knows to be
  // there, and then takes no answer for progress any more. One of a later term is different: it says that this leader's time is over.
  if (message.type == MessageType::append_result && is_leader() && message.term <= term() && message.rejected != 0 &&
      message.rejected <= match_index(message.from)) {
    return {};
  }
  DROVER_TRY(skip_committed(message));
  if (message.type != MessageType::append) {
    incoming_ = {.meta = {}, .data = std::move(message.snapshot_data), .file = std::move(message.snapshot_file)};
    auto done = receive_part(message, now_ms);
    incoming_ = {};
    return done;
  }
  // libraft notes a change of the members under the index of the first new entry of its message, so each begins a message.
  auto entries = std::exchange(message.entries, {});
  std::size_t at = 0;
  do {
    std::size_t end = at;
    do ++end;
    while (end < entries.size() && entries[end]->type != EntryType::change);
    end = std::min(end, entries.size());
    message.entries.assign(entries.begin() + static_cast<std::ptrdiff_t>(at), entries.begin() + static_cast<std::ptrdiff_t>(end));
    DROVER_TRY(confirm_change_before(message, now_ms));
    DROVER_TRY(receive_part(message, now_ms));
    message.index += end - at;
    if (end > at) message.index_term = entries[end - 1]->term;
    at = end;
  } while (at < entries.size());
  return {};
}

// A leader changes the members only when the change before is committed. So a second change in its log confirms the first one, which
// libraft would otherwise lose sight of; but only when our log is the leader's up to there.
Result<> Replica::confirm_change_before(const RaftMessage& message, std::uint64_t now_ms) {
  if (message.entries.empty() || message.entries.front()->type != EntryType::change || message.term < term() || installing_) return {};
  const std::uint64_t pending = drover_raft_uncommitted_change(core_.get());
  if (pending == 0 || pending > message.index || term_at(message.index) != message.index_term || pending < cache_first_) return {};
  const auto& entry = *cache_[pending - cache_first_];
  drover_raft_event event{.type = DROVER_RAFT_CONFIGURED,
                          .index = pending,
                          .configuration = entry.data.data(),
                          .configuration_size = entry.data.size()};
  return step(event, now_ms);
}

Result<> Replica::receive_part(const RaftMessage& message, std::uint64_t now_ms) {
  const auto entries = to_core(message.entries);
  const drover_raft_message in{.type = static_cast<int>(message.type),
                               .peer = message.from,
                               .peer_address = message.from_address.c_str(),
                               .term = message.term,
                               .index = message.index,
                               .index_term = message.index_term,
                               .commit = message.commit,
                               .rejected = message.rejected,
                               .candidate = message.candidate,
                               .disrupt_leader = message.disrupt_leader,
                               .pre_vote = message.pre_vote,
                               .granted = message.granted,
                               .features = message.features,
                               .capacity = message.capacity,
                               .entries = entries.data(),
                               .entry_count = static_cast<std::uint32_t>(entries.size()),
                               .configuration = message.snapshot.configuration.data(),
                               .configuration_size = message.snapshot.configuration.size()};
  drover_raft_event event{.type = DROVER_RAFT_RECEIVE, .message = &in};
  return step(event, now_ms);
}

// Only a member of the same term says yes: it has not voted for a later leader. The answer leaves after that term is durable.
void Replica::answer_probe(const RaftMessage& message) {
  if (message.term != term() || is_leader()) return;
  output_.messages.push_back({.type = MessageType::probe_result, .from = options_.id, .to = message.from, .from_address = options_.address,
                              .to_address = message.from_address, .term = message.term, .index = message.index});
}

void Replica::note_probe_result(const RaftMessage& message) {
  if (!is_leader() || message.term != term() || message.term != round_term_) return;
  auto& answered = answered_rounds_[message.from];
  answered = std::max(answered, message.index);
}

Result<std::uint64_t> Replica::begin_round(std::uint64_t) {
  if (!is_leader()) return fail(Code::no_leader, "No cluster leader");
  if (round_term_ != term()) answered_rounds_.clear();
  round_term_ = term();
  ++round_;
  for (const auto& member : members_) {
    if (member.id == options_.id || member.role != MemberRole::voter) continue;
    output_.messages.push_back({.type = MessageType::probe, .from = options_.id, .to = member.id, .from_address = options_.address,
                                .to_address = member.address, .term = term(), .index = round_});
  }
  return round_;
}

std::uint64_t Replica::verified_round() const {
  if (!is_leader() || round_term_ != term()) return 0;
  std::vector<std::uint64_t> rounds;
  for (const auto& member : members_) {
    if (member.role != MemberRole::voter) continue;
    const auto at = answered_rounds_.find(member.id);
    rounds.push_back(member.id == options_.id ? round_ : at == answered_rounds_.end() ? 0 : at->second);
  }
  if (rounds.empty()) return 0;
  std::ranges::sort(rounds, std::greater<>());
  return rounds[rounds.size() / 2];
}

std::vector<Member> Replica::latest_members() const {
  for (auto at = cache_.rbegin(); at != cache_.rend(); ++at) {
    if ((*at)->type != EntryType::change) continue;
    if (auto members = decode_members((*at)->data)) return *members;
  }
  return members_;
}

bool Replica::can_change_members() const {
  return is_leader() && drover_raft_uncommitted_change(core_.get()) == 0 && (members_.size() == 1 || term_at(commit_index()) == term());
}

std::uint64_t Replica::match_index(std::uint64_t id) const {
  return id == options_.id ? stored_ : drover_raft_match_index(core_.get(), id);
}

Result<> Replica::tick(std::uint64_t now_ms) {
  drover_raft_event event{.type = DROVER_RAFT_TIMEOUT};
  return step(event, now_ms);
}

void Replica::leader_lost(std::uint64_t id, std::uint64_t wait_ms, std::uint64_t now_ms) {
  if (id == 0 || is_leader() || leader().id != id) return;
  lost_leader_ = id;
  const std::uint64_t at = now_ms + wait_ms;
  if (deadline_ms() > at) ahead_ms_ += deadline_ms() - at;
}

Result<> Replica::transfer(std::uint64_t target, std::uint64_t now_ms) {
  drover_raft_event event{.type = DROVER_RAFT_TRANSFER, .target = target};
  return step(event, now_ms);
}

Result<> Replica::written(const Write& write, std::uint64_t now_ms) {
  writing_ = false;
  if (write.vote) durable_vote_ = *write.vote;
  if (write.entries.empty() || write.epoch != epoch_) return {};
  stored_ = write.first_index + write.entries.size() - 1;
  drover_raft_event event{.type = DROVER_RAFT_PERSISTED, .index = stored_};
  return step(event, now_ms);
}

Result<> Replica::snapshot_taken(const SnapshotMeta& meta, std::uint32_t trailing, std::uint64_t now_ms) {
  // One that was installed meanwhile is newer.
  if (installing_ || meta.index <= snapshot_.index) return {};
  snapshot_ = meta;
  std::size_t bytes = 0;
  for (std::uint32_t kept = 0; kept < trailing && meta.index >= cache_first_ + kept; ++kept) {
    bytes += cache_[meta.index - kept - cache_first_]->data.size();
    if (bytes > options_.trailing_bytes) trailing = kept;
  }
  if (meta.index > trailing) forget_before(meta.index - trailing + 1);
  const auto core_meta = to_core(meta);
  drover_raft_event event{.type = DROVER_RAFT_SNAPSHOT_TAKEN, .snapshot = &core_meta, .trailing = trailing};
  return step(event, now_ms);
}

Result<> Replica::installed(const SnapshotMeta& meta, std::uint64_t now_ms) {
  installing_ = false;
  snapshot_ = meta;
  applied_ = stored_ = meta.index;
  applied_term_ = meta.term;
  cache_.clear();
  cache_first_ = meta.index + 1;
  DROVER_TRY(set_configuration(meta.configuration_index, meta.configuration));
  const auto core_meta = to_core(meta);
  drover_raft_event event{.type = DROVER_RAFT_INSTALLED, .snapshot = &core_meta};
  return step(event, now_ms);
}

std::optional<Replica::Write> Replica::take_write() {
  if (writing_ || (!pending_.vote && pending_.entries.empty())) return std::nullopt;
  writing_ = true;
  Write out = std::move(pending_);
  out.epoch = epoch_;
  pending_ = {};
  return out;
}

Replica::Output Replica::take_output() {
  Output out = std::move(output_);
  output_ = {};
  if (vote_ != durable_vote_) std::swap(out.messages, output_.messages);
  return out;
}

std::uint64_t Replica::deadline_ms() const {
  const std::uint64_t at = drover_raft_deadline_ms(core_.get());
  return at - std::min(at, ahead_ms_);
}
bool Replica::is_leader() const { return drover_raft_state(core_.get()) == DROVER_RAFT_LEADER; }
Member Replica::leader() const {
  const char* address = "";
  const std::uint64_t id = drover_raft_leader(core_.get(), &address);
  const auto known = std::ranges::find(members_, id, &Member::id);
  return known != members_.end() ? *known : Member{.id = id, .address = address};
}
std::uint64_t Replica::term() const { return drover_raft_term(core_.get()); }
std::uint64_t Replica::last_index() const { return drover_raft_last_index(core_.get()); }
std::uint64_t Replica::commit_index() const { return drover_raft_commit_index(core_.get()); }

SnapshotMeta Replica::applied_meta() const {
  return {.index = applied_, .term = applied_term_, .configuration_index = configuration_index_, .configuration = configuration_};
}

}  // namespace drover
