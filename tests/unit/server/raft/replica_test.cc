#include <doctest/doctest.h>

#include <map>
#include <set>

#include "sdk/base/clock.h"
#include "server/raft/replica.h"

using namespace drover;

namespace {
// A cluster in one process: the network, the disks, the clock and every choice come from a seed, so a failure repeats.
class Cluster {
 public:
  struct Node {
    std::unique_ptr<Log> log = make_memory_log();
    std::unique_ptr<Replica> replica;  // empty: crashed
    std::optional<Replica::Write> writing;
    std::uint64_t write_done_ms = 0;
    std::vector<std::string> applied;  // of the entries that are commands
    std::optional<SnapshotMeta> snapshot;
    std::vector<std::string> snapshot_state;
  };
  struct Flight {
    std::uint64_t at_ms = 0;
    RaftMessage message;
  };

  Cluster(std::uint64_t seed, std::size_t size) : rng_(seed) {
    for (std::uint64_t id = 1; id <= size; ++id) members_.push_back({.id = id, .address = fmt::format("server-{}", id)});
    nodes_.resize(size);
    const auto first = std::make_shared<const LogEntry>(
        LogEntry{.term = 1, .type = EntryType::change, .data = *encode_members(members_)});
    for (std::size_t i = 0; i < size; ++i) {
      REQUIRE(nodes_[i].log->append(1, {first}));
      REQUIRE(nodes_[i].log->save_vote({.term = 1}));
      start(i);
    }
  }

  void start(std::size_t i) {
    Node& node = nodes_[i];
    node.applied = node.snapshot_state;
    auto contents = node.log->load();
    auto replica = Replica::start({.id = i + 1, .address = members_[i].address, .seed = static_cast<std::uint32_t>(rng_.next())}, *contents,
                                  node.snapshot, 0, now_);
    REQUIRE(replica);
    node.replica = std::move(*replica);
    drain(i);
  }
  // What was being written may or may not have reached the disk.
  void crash(std::size_t i) {
    Node& node = nodes_[i];
    node.replica.reset();
    if (node.writing && rng_.below(2) == 0) save(node);
    node.writing.reset();
  }
  void step() {
    ++now_;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      Node& node = nodes_[i];
      if (!node.replica) continue;
      if (node.writing && now_ >= node.write_done_ms) {
        save(node);
        const auto write = *std::exchange(node.writing, std::nullopt);
        REQUIRE(node.replica->written(write, now_));
      }
      if (now_ >= node.replica->deadline_ms()) REQUIRE(node.replica->tick(now_));
      drain(i);
    }
    auto due = std::exchange(flights_, {});
    for (auto& flight : due) {
      if (flight.at_ms > now_) {
        flights_.push_back(std::move(flight));
        continue;
      }
      const std::size_t to = flight.message.to - 1;
      if (!nodes_[to].replica || cut_.contains(to) || cut_.contains(flight.message.from - 1)) continue;
      REQUIRE(nodes_[to].replica->receive(std::move(flight.message), now_));
      drain(to);
    }
  }
  void run(std::uint64_t ms) {
    for (std::uint64_t i = 0; i < ms; ++i) step();
  }
  [[nodiscard]] std::optional<std::size_t> leader() const {
    std::optional<std::size_t> out;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (!nodes_[i].replica || !nodes_[i].replica->is_leader()) continue;
      if (!out || nodes_[i].replica->term() > nodes_[*out].replica->term()) out = i;
    }
    return out;
  }
  bool propose(std::string text) {
    const auto at = leader();
    if (!at || !nodes_[*at].replica->submit(EntryType::command, {std::move(text)}, now_)) return false;
    drain(*at);
    return true;
  }
  void take_snapshot(std::size_t i, std::uint32_t trailing) {
    Node& node = nodes_[i];
    const auto meta = node.replica->applied_meta();
    if (meta.index == node.replica->snapshot_index() || node.replica->installing()) return;
    node.snapshot = meta;
    node.snapshot_state = node.applied;
    REQUIRE(node.replica->snapshot_taken(meta, trailing, now_));
    if (meta.index > trailing) REQUIRE(node.log->compact(meta.index - trailing));
    drain(i);
  }

  void cut(std::size_t i) { cut_.insert(i); }
  void heal() { cut_.clear(); }
  Node& node(std::size_t i) { return nodes_[i]; }
  [[nodiscard]] std::size_t size() const { return nodes_.size(); }
  Rng& rng() { return rng_; }
  [[nodiscard]] std::uint64_t now() const { return now_; }
  // Everything any member ever saw committed.
  std::map<std::uint64_t, LogEntryPtr> history;
  std::map<std::uint64_t, std::uint64_t> leaders;  // term -> member
  std::uint64_t loss_percent = 0;
  std::uint64_t late_percent = 0;
  std::uint64_t repeat_percent = 0;

 private:
  void save(Node& node) {
    if (node.writing->vote) REQUIRE(node.log->save_vote(*node.writing->vote));
    if (!node.writing->entries.empty()) REQUIRE(node.log->append(node.writing->first_index, node.writing->entries));
  }
  void drain(std::size_t i) {
    Node& node = nodes_[i];
    for (;;) {
      auto output = node.replica->take_output();
      for (auto& message : output.messages) {
        if (cut_.contains(i) || rng_.below(100) < loss_percent) continue;
        if (message.type == MessageType::install) {
          REQUIRE(node.snapshot);
          REQUIRE(message.snapshot == *node.snapshot);
          for (const auto& line : node.snapshot_state) message.snapshot_data += line + "\n";
        }
        if (rng_.below(100) < repeat_percent) flights_.push_back({.at_ms = now_ + 1 + rng_.below(500), .message = message});
        const std::uint64_t delay = rng_.below(100) < late_percent ? rng_.below(1000) : rng_.below(10);
        flights_.push_back({.at_ms = now_ + 1 + delay, .message = std::move(message)});
      }
      for (const auto& committed : output.committed) {
        const auto [at, fresh] = history.emplace(committed.index, committed.entry);
        if (!fresh) CHECK(*at->second == *committed.entry);
        if (committed.entry->type == EntryType::command) node.applied.push_back(committed.entry->data);
      }
      if (output.install) install(node, std::move(*output.install));
      else if (output.messages.empty() && output.committed.empty()) break;
    }
    if (node.replica->is_leader()) {
      const auto [at, fresh] = leaders.emplace(node.replica->term(), i);
      CHECK(at->second == i);
    }
    if (auto write = node.replica->take_write()) {
      node.writing = std::move(write);
      node.write_done_ms = now_ + 1 + rng_.below(5);
    }
  }
  void install(Node& node, Replica::Install install) {
    node.applied.clear();
    for (std::size_t at = 0; at < install.data.size();) {
      const auto end = install.data.find('\n', at);
      node.applied.push_back(install.data.substr(at, end - at));
      at = end + 1;
    }
    node.snapshot = install.meta;
    node.snapshot_state = node.applied;
    if (node.writing) save(node);
    REQUIRE(node.log->reset(install.meta.index + 1));
    if (node.writing) node.writing->entries.clear();
    REQUIRE(node.replica->installed(install.meta, now_));
  }

  Rng rng_;
  std::uint64_t now_ = 0;
  std::vector<Member> members_;
  std::vector<Node> nodes_;
  std::vector<Flight> flights_;
  std::set<std::size_t> cut_;
};
}  // namespace

TEST_CASE("replica: a lone voter leads at once and commits what it wrote") {
  Cluster cluster(1, 1);
  REQUIRE(cluster.leader());
  CHECK(cluster.node(0).replica->term() == 1);
  CHECK(cluster.propose("a"));
  CHECK(cluster.propose("b"));
  CHECK(cluster.node(0).applied.empty());
  cluster.run(20);
  CHECK(cluster.node(0).applied == std::vector<std::string>{"a", "b"});
  cluster.crash(0);
  cluster.start(0);
  CHECK(cluster.leader());
  CHECK(cluster.node(0).applied == std::vector<std::string>{"a", "b"});
}

TEST_CASE("F-61: three members elect, lose the leader, elect again, and the old one catches up") {
  Cluster cluster(2, 3);
  cluster.run(5000);
  REQUIRE(cluster.leader());
  const std::size_t old = *cluster.leader();
  CHECK(cluster.propose("before"));
  cluster.run(500);
  cluster.crash(old);
  cluster.run(5000);
  REQUIRE(cluster.leader());
  CHECK(*cluster.leader() != old);
  CHECK(cluster.propose("after"));
  cluster.run(500);
  cluster.start(old);
  cluster.run(2000);
  for (std::size_t i = 0; i < 3; ++i) CHECK(cluster.node(i).applied == std::vector<std::string>{"before", "after"});
}

TEST_CASE("F-61: followers that know the leader's process to have ended do not wait for its silence") {
  int soon = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Cluster cluster(seed, 3);
    cluster.run(5000);
    REQUIRE(cluster.leader());
    const std::size_t old = *cluster.leader();
    cluster.crash(old);
    // What it had sent arrives before the end of its connections.
    cluster.run(20);
    for (std::size_t i = 0; i < 3; ++i) {
      if (i != old) cluster.node(i).replica->leader_lost(old + 1, cluster.rng().below(100), cluster.now());
    }
    cluster.run(300);
    soon += cluster.leader() && *cluster.leader() != old ? 1 : 0;
    cluster.run(5000);
    REQUIRE(cluster.leader());
  }
  // With messages that take up to ten milliseconds both often begin before they know of each other, and share the votes. Without this
  // knowledge none of them would be there yet: the shortest timer is a second.
  CHECK(soon >= 10);
}

TEST_CASE("F-65: one follower that wrongly believes the leader's process to have ended changes nothing") {
  Cluster cluster(4, 3);
  cluster.run(5000);
  REQUIRE(cluster.leader());
  const std::size_t leading = *cluster.leader();
  const std::uint64_t term = cluster.node(leading).replica->term();
  for (int i = 0; i < 20; ++i) {
    const std::size_t other = (leading + 1) % 3;
    cluster.node(other).replica->leader_lost(leading + 1, 10, cluster.now());
    cluster.node(leading).replica->leader_lost(leading + 1, 10, cluster.now());
    cluster.run(400);
    CHECK(cluster.leader() == leading);
    CHECK(cluster.node(leading).replica->term() == term);
  }
  CHECK(cluster.propose("still"));
  cluster.run(500);
  for (std::size_t i = 0; i < 3; ++i) CHECK(cluster.node(i).applied == std::vector<std::string>{"still"});
}

TEST_CASE("F-65: an isolated leader steps down and its uncommitted entries are replaced") {
  Cluster cluster(3, 3);
  cluster.run(5000);
  REQUIRE(cluster.leader());
  const std::size_t old = *cluster.leader();
  cluster.cut(old);
  CHECK(cluster.node(old).replica->submit(EntryType::command, {"never"}, 5001));
  cluster.run(5000);
  CHECK(!cluster.node(old).replica->is_leader());
  REQUIRE(cluster.leader());
  CHECK(cluster.propose("instead"));
  cluster.run(500);
  cluster.heal();
  cluster.run(5000);
  for (std::size_t i = 0; i < 3; ++i) CHECK(cluster.node(i).applied == std::vector<std::string>{"instead"});
}

TEST_CASE("F-62: a member that missed what the log no longer holds gets a snapshot") {
  Cluster cluster(4, 3);
  cluster.run(5000);
  REQUIRE(cluster.leader());
  const std::size_t behind = (*cluster.leader() + 1) % 3;
  cluster.crash(behind);
  for (int i = 0; i < 50; ++i) {
    CHECK(cluster.propose(fmt::format("entry {}", i)));
    cluster.run(20);
  }
  for (std::size_t i = 0; i < 3; ++i) {
    if (i != behind) cluster.take_snapshot(i, 4);
  }
  cluster.start(behind);
  cluster.run(10'000);
  CHECK(cluster.propose("last"));
  cluster.run(2000);
  CHECK(cluster.node(behind).applied.size() == 51);
  CHECK(cluster.node(behind).applied == cluster.node((behind + 1) % 3).applied);
}

TEST_CASE("L-14: under loss, late and repeated messages, crashes and partitions no acknowledged entry is lost, and all agree") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    Cluster cluster(seed, 3);
    cluster.loss_percent = 5;
    cluster.late_percent = seed % 4 * 5;
    cluster.repeat_percent = seed % 3 * 10;
    int proposed = 0;
    std::size_t down = 3;
    for (int round = 0; round < 60; ++round) {
      cluster.run(100 + cluster.rng().below(400));
      if (cluster.propose(fmt::format("entry {}", proposed))) ++proposed;
      switch (cluster.rng().below(6)) {
        case 0:
          if (down == 3) cluster.crash(down = cluster.rng().below(3));
          break;
        case 1:
          if (down != 3) cluster.start(std::exchange(down, 3));
          break;
        case 2:
          cluster.cut(cluster.rng().below(3));
          break;
        case 3:
          cluster.heal();
          break;
        case 4: {
          const std::size_t at = cluster.rng().below(3);
          if (at != down) cluster.take_snapshot(at, 2);
          break;
        }
        default:
          break;
      }
    }
    cluster.loss_percent = cluster.late_percent = cluster.repeat_percent = 0;
    cluster.heal();
    if (down != 3) cluster.start(down);
    cluster.run(10'000);
    REQUIRE(cluster.propose("the end"));
    cluster.run(5000);
    std::vector<std::string> agreed;
    for (const auto& [index, entry] : cluster.history) {
      if (entry->type == EntryType::command) agreed.push_back(entry->data);
    }
    CHECK(agreed.back() == "the end");
    for (std::size_t i = 0; i < 3; ++i) CHECK(cluster.node(i).applied == agreed);
  }
}

TEST_CASE("F-72: messages that make no sense are refused") {
  Cluster cluster(5, 3);
  auto& replica = *cluster.node(0).replica;
  CHECK(!replica.receive({.type = MessageType::append, .from = 0, .term = 1}, 1));
  CHECK(!replica.receive({.type = MessageType::append, .from = 2, .term = 1, .index = 3}, 1));
  CHECK(!replica.receive({.type = MessageType::install, .from = 2, .term = 1}, 1));
  CHECK(!replica.receive({.type = MessageType::install, .from = 2, .term = 1, .index = 9, .index_term = 1}, 1));
  CHECK(!replica.receive({.type = static_cast<MessageType>(99), .from = 2, .term = 1}, 1));
}
