#include "tests/sim/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "tests/sim/server.h"

namespace drover::sim {

World::World(WorldOptions options) : options_(options), rng_(options.seed) {
  const std::size_t voters = rng_.below(4) == 0 ? 5 : 3;
  const std::size_t spare = rng_.below(3);
  std::vector<Member> members;
  for (std::size_t i = 0; i < voters; ++i) members.push_back({.id = i + 1, .address = fmt::format("server-{}", i + 1)});
  const auto encoded = encode_members(members);
  DROVER_CHECK(encoded);
  const auto first = std::make_shared<const LogEntry>(LogEntry{.term = 1, .type = EntryType::change, .data = *encoded});
  for (std::size_t i = 0; i < voters + spare; ++i) {
    servers_.push_back(std::make_unique<Server>(i + 1, options_.bug));
    Server& server = *servers_.back();
    server.rate = 0.98 + rng_.unit() * 0.04;
    if (i < voters) server.disk.commit({.vote = TermVote{.term = 1}, .first_index = 1, .entries = {first}});
  }
  written_[{1, 1}] = first;
  for (auto& server : servers_) start(*server);
}

World::~World() = default;

void World::fail(std::string what) {
  if (failure_.empty()) failure_ = fmt::format("after {:.3f} s: {}", static_cast<double>(now_) / 1e6, what);
}

void World::trace(const std::string& text) const {
  if (options_.trace) fmt::print(stderr, "{:10.3f} {}\n", static_cast<double>(now_) / 1e6, text);
}

void World::after(std::uint64_t micros, std::function<void()> run) { events_.push({.at = now_ + micros, .order = order_++, .run = std::move(run)}); }

std::uint64_t World::clock_ms(const Server& server) const {
  return 1000 + server.offset_ms + static_cast<std::uint64_t>(static_cast<double>(now_) * server.rate / 1000);
}

World::Server* World::leader() {
  Server* out = nullptr;
  for (auto& server : servers_) {
    if (!server->replica || !server->replica->is_leader()) continue;
    if (out == nullptr || server->replica->term() > out->replica->term()) out = server.get();
  }
  return out;
}

World::Server& World::pick() { return *servers_[rng_.below(servers_.size())]; }

std::string World::run() {
  after(0, [this] { client_step(); });
  after(500'000, [this] { trouble_step(); });
  const std::uint64_t trouble_ends = options_.duration_ms * 1000;
  const std::uint64_t end = trouble_ends + 20'000'000;
  while (!events_.empty() && failure_.empty() && now_ < end) {
    Event next = events_.top();
    events_.pop();
    now_ = next.at;
    if (!calm_ && now_ >= trouble_ends) heal();
    next.run();
  }
  if (failure_.empty()) check_agreement();
  if (failure_.empty()) {
    if (std::string anomaly = find_anomaly(operations_); !anomaly.empty()) fail(std::move(anomaly));
  }
  summary_.committed = committed_.size();
  summary_.elections = leaders_.size();
  summary_.operations = operations_.size();
  for (const auto& one : operations_) summary_.answered += one.answered != Operation::never ? 1 : 0;
  return failure_;
}

// --- life of a server

void World::start(Server& server) {
  ++server.life;
  Disk::Found found = server.disk.open(!calm_ && rng_.below(10) == 0);
  server.machine = options_.server_state ? make_server_state() : std::make_unique<Registers>();
  server.snapshot = found.snapshot;
  if (found.snapshot) server.machine->restore(found.snapshot->state);
  const std::optional<SnapshotMeta> meta = found.snapshot ? std::optional(found.snapshot->meta) : std::nullopt;
  const ReplicaOptions options{.id = server.id,
                               .address = fmt::format("server-{}", server.id),
                               .election_ms = 500,
                               .install_ms = 2000,
                               .seed = static_cast<std::uint32_t>(rng_.next())};
  auto replica = Replica::start(options, found.log, meta, 0, clock_ms(server));
  if (!replica) return fail(fmt::format("server {} does not start: {}", server.id, replica.error().message()));
  server.replica = std::move(*replica);
  server.armed_ms = 0;
  trace(fmt::format("server {} starts, last entry {}, term {}", server.id, server.replica->last_index(), server.replica->term()));
  drain(server);
}

void World::crash(Server& server) {
  if (!server.replica) return;
  ++summary_.crashes;
  trace(fmt::format("server {} crashes", server.id));
  if (server.writing) server.disk.tear(*server.writing, rng_);
  else server.disk.lose_power(rng_);
  server.forget();
}

void World::arm(Server& server) {
  const std::uint64_t deadline = server.replica->deadline_ms();
  if (deadline == server.armed_ms) return;
  server.armed_ms = deadline;
  const std::uint64_t clock = clock_ms(server);
  const std::uint64_t left_ms = deadline > clock ? deadline - clock : 0;
  const auto micros = static_cast<std::uint64_t>(static_cast<double>(left_ms) * 1000 / server.rate) + 1;
  after(micros, [this, &server, life = server.life] {
    if (server.life != life || !server.replica) return;
    server.armed_ms = 0;
    if (clock_ms(server) >= server.replica->deadline_ms()) {
      if (auto done = server.replica->tick(clock_ms(server)); !done) fail(fmt::format("server {}: {}", server.id, done.error().message()));
    }
    drain(server);
  });
}

// Carries out what the replica asks for, as Raft does.
void World::drain(Server& server) {
  for (;;) {
    auto output = server.replica->take_output();
    const bool idle = output.messages.empty() && output.committed.empty() && !output.install;
    for (auto& message : output.messages) send(server, std::move(message));
    for (const auto& committed : output.committed) apply(server, committed);
    if (output.install) install(server, std::move(*output.install));
    if (idle) break;
  }
  begin_write(server);
  check(server);
  settle_rounds(server);
  arm(server);
}

void World::begin_write(Server& server) {
  if (server.writing || server.installing) return;
  auto write = server.replica->take_write();
  if (!write) return;
  check_entries(write->first_index, write->entries);
  server.writing = std::move(*write);
  const std::uint64_t latency = 100 + rng_.below(server.slow_disk ? 400'000 : 6'000);
  after(latency, [this, &server, life = server.life] { write_done(server, life); });
}

void World::write_done(Server& server, std::uint64_t life) {
  if (server.life != life || !server.replica || !server.writing) return;
  const auto write = *std::exchange(server.writing, std::nullopt);
  server.disk.commit(write);
  if (auto done = server.replica->written(write, clock_ms(server)); !done) fail(fmt::format("server {}: {}", server.id, done.error().message()));
  if (server.waiting_install) {
    auto next = *std::exchange(server.waiting_install, std::nullopt);
    install(server, std::move(next));
  }
  drain(server);
}

// As in Raft: on the log's thread, so after the write that is under way.
void World::install(Server& server, Replica::Install install) {
  if (server.writing) {
    server.waiting_install = std::move(install);
    return;
  }
  ++summary_.installs;
  server.installing = true;
  trace(fmt::format("server {} installs a snapshot of {}", server.id, install.meta.index));
  const auto kept = std::make_shared<Replica::Install>(std::move(install));
  after(500 + rng_.below(20'000), [this, &server, kept, life = server.life] {
    if (server.life != life || !server.replica) return;
    if (!calm_ && rng_.below(8) == 0) {
      server.disk.install({.meta = kept->meta, .state = kept->data}, true);
      ++summary_.crashes;
      server.forget();
      return;
    }
    server.disk.install({.meta = kept->meta, .state = kept->data}, false);
    server.snapshot = SavedSnapshot{.meta = kept->meta, .state = kept->data};
    server.machine->restore(kept->data);
    server.installing = false;
    if (auto done = server.replica->installed(kept->meta, clock_ms(server)); !done) fail(fmt::format("server {}: {}", server.id, done.error().message()));
    drain(server);
  });
}

void World::take_snapshot(Server& server) {
  if (!server.replica || server.installing || server.replica->installing()) return;
  const auto meta = server.replica->applied_meta();
  if (meta.index <= 1 || meta.index == server.replica->snapshot_index() || server.writing) return;
  SavedSnapshot snapshot{.meta = meta, .state = server.machine->save()};
  server.disk.put_snapshot(snapshot);
  server.snapshot = std::move(snapshot);
  if (auto done = server.replica->snapshot_taken(meta, static_cast<std::uint32_t>(rng_.below(6)), clock_ms(server)); !done) {
    fail(fmt::format("server {}: {}", server.id, done.error().message()));
  }
  drain(server);
}

void World::apply(Server& server, const Replica::Committed& committed) {
  const auto [at, fresh] = committed_.emplace(committed.index, committed.entry);
  if (!fresh && !(*at->second == *committed.entry)) {
    return fail(fmt::format("server {} has another committed entry {}: term {} instead of {}", server.id, committed.index, committed.entry->term,
                            at->second->term));
  }
  std::uint64_t answer = 0;
  if (committed.entry->type == EntryType::command) {
    answer = server.machine->apply(committed.index, committed.entry->data);
    if (options_.bug == Bug::double_apply && rng_.below(300) == 0) server.machine->apply(committed.index, committed.entry->data);
  }
  // Saving a large state at every entry would take longer than everything else.
  if (!options_.server_state || committed.index % 16 == 0) {
    const std::uint64_t hash = server.machine->hash();
    const auto [known, first] = hashes_.emplace(committed.index, hash);
    if (!first && known->second != hash) return fail(fmt::format("server {} has another state at entry {}", server.id, committed.index));
  }
  if (const auto asked = server.asked.find(committed.index); asked != server.asked.end()) {
    Operation& operation = operations_[asked->second.operation];
    if (asked->second.term == committed.entry->term) {
      operation.swapped = answer != 0;
      operation.answered = now_;
    }
    server.asked.erase(asked);
  }
}

// --- messages

void World::send(const Server& from, RaftMessage message) {
  if (cut_.contains({message.from, message.to}) || rng_.below(100) < loss_percent_) return;
  if (message.type == MessageType::install) {
    if (!from.snapshot || from.snapshot->meta != message.snapshot) return;
    message.snapshot_data = from.snapshot->state;
  }
  if (rng_.below(100) < repeat_percent_) after(rng_.below(800'000), [this, message] { deliver(message); });
  // Whoever has just voted must not vote again when it comes back.
  if (message.type == MessageType::vote_result && message.granted && !message.pre_vote && !calm_ && rng_.below(6) == 0) {
    Server& voter = *servers_[from.id - 1];
    after(1, [this, &voter, life = voter.life] {
      if (voter.life != life) return;
      crash(voter);
      after(rng_.below(100'000), [this, &voter] {
        if (!voter.replica) start(voter);
      });
    });
  }
  const std::uint64_t delay = rng_.below(100) < late_percent_ ? rng_.below(1'500'000) : 50 + rng_.below(8'000);
  after(delay, [this, message = std::move(message)] { deliver(message); });
}

void World::deliver(RaftMessage message) {
  if (message.to == 0 || message.to > servers_.size()) return;
  Server& server = *servers_[message.to - 1];
  if (!server.replica || cut_.contains({message.from, message.to})) return;
  message.from_address = fmt::format("server-{}", message.from);
  if (options_.trace_messages) {
    trace(fmt::format("  {} -> {}: kind {}, term {}, index {} of term {}, commit {}, rejected {}, entries {}", message.from, message.to,
                      static_cast<int>(message.type), message.term, message.index, message.index_term, message.commit, message.rejected,
                      message.entries.size()));
  }
  if (auto done = server.replica->receive(std::move(message), clock_ms(server)); !done) {
    fail(fmt::format("server {} refuses a message of another: {}", server.id, done.error().message()));
  }
  drain(server);
}

// --- invariants

void World::check(Server& server) {
  const bool leads = server.replica->is_leader();
  if (leads) {
    const auto [at, fresh] = leaders_.emplace(server.replica->term(), server.id);
    if (at->second != server.id) {
      return fail(fmt::format("servers {} and {} both lead in term {}", at->second, server.id, server.replica->term()));
    }
    if (fresh) trace(fmt::format("server {} leads in term {}", server.id, server.replica->term()));
  }
  if (leads && server.barrier_term != server.replica->term()) {
    server.barrier_term = server.replica->term();
    const auto first = server.replica->submit(EntryType::barrier, {std::string(8, '\0')}, clock_ms(server));
    server.barrier_index = first ? *first : 0;
    begin_write(server);
  }
  if (!leads) server.rounds.clear();
}

// Log matching: an index and a term name one entry, on whichever disk it is.
void World::check_entries(std::uint64_t first, const std::vector<LogEntryPtr>& entries) {
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto [at, fresh] = written_.emplace(std::pair(first + i, entries[i]->term), entries[i]);
    if (!fresh && !(*at->second == *entries[i])) return fail(fmt::format("two entries {} of term {}", first + i, entries[i]->term));
  }
}

void World::check_agreement() {
  Server* leading = leader();
  if (leading == nullptr) return fail("nobody leads although all servers are well");
  const std::uint64_t last = committed_.empty() ? 0 : committed_.rbegin()->first;
  for (std::uint64_t index = 1; index <= last; ++index) {
    if (!committed_.contains(index)) return fail(fmt::format("entry {} was never committed, but {} was", index, last));
  }
  for (const auto& member : leading->replica->members()) {
    Server& server = *servers_[member.id - 1];
    if (server.replica->applied_index() < last) {
      return fail(fmt::format("server {} has applied {} of {} entries although all servers are well", server.id, server.replica->applied_index(), last));
    }
    if (server.machine->hash() != leading->machine->hash()) return fail(fmt::format("server {} ends with another state", server.id));
  }
}

}  // namespace drover::sim
