// One member, and what the others say to it: late, twice, about a log that is partly gone, in terms gone by.
#include <doctest/doctest.h>

#include <algorithm>

#include "server/raft/replica.h"

using namespace drover;

namespace {
// Entry 1 is the configuration; the others carry their index.
std::vector<LogEntryPtr> entries_until(std::uint64_t last, const std::string& configuration) {
  std::vector<LogEntryPtr> out;
  out.push_back(std::make_shared<const LogEntry>(LogEntry{.term = 1, .type = EntryType::change, .data = configuration}));
  for (std::uint64_t index = 2; index <= last; ++index) {
    out.push_back(std::make_shared<const LogEntry>(
        LogEntry{.term = 1, .type = EntryType::command, .data = fmt::format("entry {}", index)}));
  }
  return out;
}

// A follower that holds entries 16 to 22 behind a snapshot of the first 20, all but the last committed.
struct Compacted {
  Compacted() {
    LogContents contents;
    contents.first_index = 16;
    contents.entries.assign(all.begin() + 15, all.begin() + 22);
    contents.vote = {.term = 1};
    const SnapshotMeta snapshot{.index = 20, .term = 1, .configuration_index = 1, .configuration = configuration};
    replica = *Replica::start({.id = 1, .address = "server-1"}, contents, snapshot, 20, 0);
    REQUIRE(replica->receive(append(20, 1, {all[20]}, 21), 1));
    (void)replica->take_output();
    REQUIRE(replica->commit_index() == 21);
    REQUIRE(replica->last_index() == 22);
  }
  static RaftMessage append(std::uint64_t index, std::uint64_t term, std::vector<LogEntryPtr> entries, std::uint64_t commit) {
    return {.type = MessageType::append, .from = 2, .from_address = "server-2", .term = 1, .index = index, .index_term = term,
            .commit = commit, .entries = std::move(entries)};
  }
  // The answer to an append.
  RaftMessage answer() {
    auto output = replica->take_output();
    REQUIRE(output.messages.size() == 1);
    CHECK(output.messages[0].type == MessageType::append_result);
    return output.messages[0];
  }

  const std::string configuration = *encode_members(
      {{.id = 1, .address = "server-1"}, {.id = 2, .address = "server-2"}, {.id = 3, .address = "server-3"}});
  const std::vector<LogEntryPtr> all = entries_until(30, configuration);
  std::unique_ptr<Replica> replica;
};
}  // namespace

TEST_CASE("F-72: an append from the first entry on adds only what a compacted log does not have") {
  Compacted f;
  REQUIRE(f.replica->receive(Compacted::append(0, 0, f.all, 21), 2));
  const auto write = f.replica->take_write();
  REQUIRE(write);
  CHECK(write->first_index == 23);
  CHECK(write->entries.size() == 8);
  CHECK(*write->entries.front() == *f.all[22]);
  CHECK(f.replica->last_index() == 30);
  REQUIRE(f.replica->written(*write, 3));
  const auto answer = f.answer();
  CHECK(answer.rejected == 0);
  CHECK(answer.index == 30);
}

TEST_CASE("F-72: an append that lies below the snapshot is confirmed up to what is committed, not refused") {
  Compacted f;
  for (const std::uint64_t previous : {0, 3, 15, 18, 20}) {
    CAPTURE(previous);
    const auto first = f.all.begin() + static_cast<std::ptrdiff_t>(previous);
    REQUIRE(f.replica->receive(Compacted::append(previous, previous == 0 ? 0 : 1, {first, first + 1}, 25), 2));
    CHECK(!f.replica->take_write());
    const auto answer = f.answer();
    CHECK(answer.rejected == 0);
    CHECK(answer.index == 21);
    CHECK(f.replica->commit_index() == 21);
    CHECK(f.replica->last_index() == 22);
  }
}

TEST_CASE("F-72: an append that contradicts what is committed is refused, and one of an old term is answered") {
  Compacted f;
  auto other = f.append(20, 1, {std::make_shared<const LogEntry>(LogEntry{.term = 2, .type = EntryType::command, .data = "other"})}, 21);
  other.term = 2;
  CHECK(!f.replica->receive(std::move(other), 2));
  CHECK(f.replica->commit_index() == 21);
  REQUIRE(f.replica->receive({.type = MessageType::vote, .from = 3, .from_address = "server-3", .term = 5, .index = 99, .index_term = 4,
                              .candidate = 3, .disrupt_leader = true}, 3));
  REQUIRE(f.replica->term() == 5);
  const auto write = f.replica->take_write();
  REQUIRE(write);
  REQUIRE(f.replica->written(*write, 4));
  (void)f.replica->take_output();
  REQUIRE(f.replica->receive(Compacted::append(0, 0, f.all, 21), 5));
  CHECK(f.answer().term == 5);
  CHECK(f.replica->last_index() == 22);
}

namespace {
RaftMessage granted(std::uint64_t from, bool pre_vote) {
  return {.type = MessageType::vote_result, .from = from, .from_address = fmt::format("server-{}", from), .term = 2, .pre_vote = pre_vote,
          .granted = true};
}
// Server 1 leads 2 and 3 in term 2.
struct Leading : Compacted {
  Leading() : now(replica->deadline_ms()) {
    REQUIRE(replica->tick(now));
    REQUIRE(replica->receive(granted(2, true), ++now));
    REQUIRE(replica->receive(granted(3, false), ++now));
    settle();
    REQUIRE(replica->is_leader());
  }
  void settle() {
    while (const auto write = replica->take_write()) REQUIRE(replica->written(*write, now));
  }
  // What server 2 answers to an append.
  static RaftMessage result(std::uint64_t index, std::uint64_t rejected) {
    return {.type = MessageType::append_result, .from = 2, .from_address = "server-2", .term = 2, .index = index, .rejected = rejected};
  }
  std::uint64_t now;
};
}  // namespace

TEST_CASE("F-61: a late answer to a pre-vote is no vote") {
  Compacted f;
  std::uint64_t now = f.replica->deadline_ms();
  REQUIRE(f.replica->tick(now));
  const auto asked = f.replica->take_output().messages;
  REQUIRE(asked.size() == 2);
  CHECK(asked[0].pre_vote);
  CHECK(f.replica->term() == 1);
  REQUIRE(f.replica->receive(granted(2, true), ++now));
  REQUIRE(f.replica->term() == 2);
  // Two of three would have voted for this one, but nobody has.
  REQUIRE(f.replica->receive(granted(3, true), ++now));
  CHECK(!f.replica->is_leader());
  REQUIRE(f.replica->receive(granted(3, false), ++now));
  CHECK(f.replica->is_leader());
}

TEST_CASE("F-61: who refuses a pre-vote of a term gone by says its own, and the asker takes it over") {
  Compacted ahead;
  REQUIRE(ahead.replica->receive({.type = MessageType::vote, .from = 3, .from_address = "server-3", .term = 5, .index = 1, .index_term = 1,
                                  .candidate = 3, .disrupt_leader = true}, 3));
  const auto write = ahead.replica->take_write();
  REQUIRE(write);
  REQUIRE(ahead.replica->written(*write, 4));
  (void)ahead.replica->take_output();
  REQUIRE(ahead.replica->receive({.type = MessageType::vote, .from = 2, .from_address = "server-2", .term = 2, .index = 99, .index_term = 1,
                                  .candidate = 2, .pre_vote = true}, 5));
  const auto answers = ahead.replica->take_output().messages;
  REQUIRE(answers.size() == 1);
  CHECK(!answers[0].granted);
  CHECK(answers[0].term == 5);

  Compacted behind;
  REQUIRE(behind.replica->tick(behind.replica->deadline_ms()));
  REQUIRE(behind.replica->take_output().messages.size() == 2);
  auto refusal = answers[0];
  refusal.from = 2;
  REQUIRE(behind.replica->receive(std::move(refusal), behind.replica->deadline_ms()));
  CHECK(behind.replica->term() == 5);
  CHECK(!behind.replica->is_leader());
}

TEST_CASE("L-14: a refusal that comes late does not hold a follower back") {
  Leading f;
  REQUIRE(f.replica->receive(f.result(22, 0), ++f.now));
  REQUIRE(f.replica->match_index(2) == 22);
  for (int i = 0; i < 3; ++i) REQUIRE(f.replica->submit(EntryType::command, {fmt::format("new {}", i)}, ++f.now));
  f.settle();
  (void)f.replica->take_output();
  // A message was lost, so what came behind it was refused, and what the leader sent upon that is lost too. The second refusal is an
  // older one: what it speaks of was stored since.
  REQUIRE(f.replica->receive(f.result(22, 23), ++f.now));
  (void)f.replica->take_output();
  REQUIRE(f.replica->receive(f.result(21, 22), ++f.now));
  // From now on everything arrives in its order.
  for (int beat = 0; beat < 20 && f.replica->match_index(2) < f.replica->last_index(); ++beat) {
    f.now = std::max(f.now + 1, f.replica->deadline_ms());
    REQUIRE(f.replica->tick(f.now));
    f.settle();
    const auto output = f.replica->take_output();
    for (const auto& message : output.messages) {
      if (message.to != 2 || message.type != MessageType::append) continue;
      REQUIRE(f.replica->receive(f.result(message.index + message.entries.size(), 0), ++f.now));
    }
  }
  CHECK(f.replica->match_index(2) == f.replica->last_index());
}

TEST_CASE("L-14: a refusal in a later term ends the leader's time, however little it says about the log") {
  Leading f;
  REQUIRE(f.replica->receive(f.result(22, 0), ++f.now));
  REQUIRE(f.replica->match_index(2) == 22);
  // Server 2 wanted to be elected, was not, and will take nothing from a leader of term 2 any more.
  RaftMessage refusal = f.result(22, 22);
  refusal.term = 3;
  REQUIRE(f.replica->receive(refusal, ++f.now));
  CHECK(!f.replica->is_leader());
  CHECK(f.replica->term() == 3);
}

TEST_CASE("L-14: who refuses a leader of an earlier term says how far its own log goes") {
  Compacted f;
  REQUIRE(f.replica->receive({.type = MessageType::vote, .from = 3, .from_address = "server-3", .term = 5, .index = 1, .index_term = 1,
                              .candidate = 3, .disrupt_leader = true}, 3));
  const auto write = f.replica->take_write();
  REQUIRE(write);
  REQUIRE(f.replica->written(*write, 4));
  (void)f.replica->take_output();
  REQUIRE(f.replica->receive({.type = MessageType::append, .from = 2, .from_address = "server-2", .term = 1, .index = 22, .index_term = 1}, 5));
  const auto answer = f.answer();
  CHECK(answer.rejected == 22);
  CHECK(answer.term == 5);
  CHECK(answer.index == f.replica->last_index());
}

TEST_CASE("L-14: a follower that does not know that it is a voter votes, once in a term and for nobody with a shorter log") {
  const std::string others = *encode_members({{.id = 1, .address = "server-1"}, {.id = 2, .address = "server-2"}});
  LogContents contents;
  contents.entries = entries_until(5, others);
  contents.vote = {.term = 1};
  const auto replica = *Replica::start({.id = 4, .address = "server-4"}, contents, {}, 0, 0);
  const auto ask = [&](std::uint64_t from, std::uint64_t term, std::uint64_t last, bool pre_vote) {
    REQUIRE(replica->receive({.type = MessageType::vote, .from = from, .from_address = fmt::format("server-{}", from), .term = term,
                              .index = last, .index_term = 1, .candidate = from, .pre_vote = pre_vote}, 3));
    if (const auto write = replica->take_write()) REQUIRE(replica->written(*write, 4));
    const auto answers = replica->take_output().messages;
    REQUIRE(answers.size() == 1);
    return answers[0].granted;
  };
  CHECK(ask(1, 2, 9, true));
  CHECK_FALSE(ask(2, 2, 4, false));
  CHECK(ask(1, 2, 9, false));
  CHECK(ask(1, 2, 9, false));
  CHECK_FALSE(ask(3, 2, 9, false));
  CHECK(replica->term() == 2);
  // It asks nobody itself.
  REQUIRE(replica->tick(1'000'000));
  CHECK(replica->take_output().messages.empty());
}

TEST_CASE("L-14: a server without a log does not vote: it may have lost what it once confirmed") {
  const auto replica = *Replica::start({.id = 4, .address = "server-4"}, {}, {}, 0, 0);
  REQUIRE(replica->receive({.type = MessageType::vote, .from = 1, .from_address = "server-1", .term = 2, .index = 9, .index_term = 1, .candidate = 1}, 3));
  if (const auto write = replica->take_write()) REQUIRE(replica->written(*write, 4));
  const auto answers = replica->take_output().messages;
  REQUIRE(answers.size() == 1);
  CHECK_FALSE(answers[0].granted);
}
