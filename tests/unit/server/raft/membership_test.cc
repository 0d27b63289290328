// Members that come and go, reads that need no entry, and a cluster that lost its majority.
#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>
#include <algorithm>
#include <boost/asio/post.hpp>
#include <map>
#include <set>

#include "sdk/async/scope.h"
#include "sdk/base/file.h"
#include "server/raft/raft.h"

using namespace drover;
using namespace std::chrono_literals;

namespace {

class Lines final : public Fsm {
 public:
  Result<> apply(std::uint64_t, std::string_view entry) override {
    text += std::string(entry) + "\n";
    return {};
  }
  std::function<Result<>(SnapshotWriter&)> snapshot() override {
    return [copy = text](SnapshotWriter& writer) { return writer.write(copy); };
  }
  Result<> restore(SnapshotReader& reader) override {
    text.clear();
    for (;;) {
      auto part = reader.read(1 << 16);
      if (!part) return fail(part.error());
      if (part->empty()) return {};
      text += *part;
    }
  }
  std::string text;
};

// Servers of one loop; what is sent to one that is not there, or is cut off, is lost.
struct Net {
  explicit Net(asio::io_context& context) : loop(context) {}
  asio::io_context& loop;
  std::map<std::uint64_t, Raft*> servers;
  std::set<std::uint64_t> cut;
};
class NetTransport final : public RaftTransport {
 public:
  explicit NetTransport(Net& net) : net_(net) {}
  void send(RaftMessage message) override {
    asio::post(net_.loop, [&net = net_, message = std::move(message)]() mutable {
      if (net.cut.contains(message.from) || net.cut.contains(message.to)) return;
      const auto at = net.servers.find(message.to);
      if (at == net.servers.end()) return;
      if (message.snapshot_source) {
        // As over a wire: into a file of the receiver's, part by part.
        const auto file = at->second->begin_receiving(message.snapshot);
        REQUIRE(file);
        for (auto part = message.snapshot_source->read(3); part && !part->empty(); part = message.snapshot_source->read(3)) REQUIRE((*file)->write(*part));
        message.snapshot_source.reset();
        message.snapshot_file = *file;
      }
      at->second->receive(std::move(message));
    });
  }

 private:
  Net& net_;
};

struct Cluster {
  Cluster() : net(loop), transport(net) {}
  Raft& open(std::uint64_t id, std::vector<Member> bootstrap, std::vector<Member> recover = {}) {
    RaftOptions options;
    options.data_dir = dir->path() + "/" + std::to_string(id);
    options.id = id;
    options.address = fmt::format("server-{}", id);
    options.bootstrap = std::move(bootstrap);
    options.recover = std::move(recover);
    options.executor = loop.get_executor();
    options.transport = &transport;
    options.heartbeat_ms = 20;
    options.election_ms = 150;
    options.install_ms = 500;
    options.seed = static_cast<std::uint32_t>(id);
    auto raft = Raft::open(std::move(options), fsms[id]);
    REQUIRE(raft);
    rafts[id] = std::move(*raft);
    net.servers[id] = rafts[id].get();
    return *rafts[id];
  }
  static Member member(std::uint64_t id, MemberRole role = MemberRole::voter) {
    return {.id = id, .address = fmt::format("server-{}", id), .role = role, .node_id = fmt::format("node-{}", id), .name = fmt::format("s{}", id)};
  }
  void run(Async<> test) {
    Scope scope(loop.get_executor());
    scope.spawn(finish(std::move(test)));
    loop.run();
    CHECK(ended);
  }
  Async<> finish(Async<> test) {
    co_await std::move(test);
    for (const auto& [id, raft] : rafts) co_await raft->close();
    ended = true;
  }

  asio::io_context loop;
  Net net;
  NetTransport transport;
  Result<TempDir> dir = TempDir::make();
  std::map<std::uint64_t, Lines> fsms;
  std::map<std::uint64_t, std::unique_ptr<Raft>> rafts;
  bool ended = false;
};

Async<> until(std::function<bool()> check) {
  while (!check()) co_await sleep_for(2ms);
}

Raft::Edit add(Member member) {
  return [member](std::vector<Member> members) -> Result<std::vector<Member>> {
    std::erase_if(members, [&](const Member& one) { return one.id == member.id; });
    members.push_back(member);
    return members;
  };
}
Raft::Edit remove(std::uint64_t id) {
  return [id](std::vector<Member> members) -> Result<std::vector<Member>> {
    std::erase_if(members, [&](const Member& one) { return one.id == id; });
    return members;
  };
}

Async<> grow_and_shrink(Cluster& c) {
  Raft& first = *c.rafts[1];
  co_await until([&] { return first.is_leader(); });
  for (int i = 0; i < 30; ++i) {
    const auto done = co_await first.propose(fmt::format("line {}", i));
    CHECK(done);
  }
  // A lone server has forgotten its entries: the second one gets a snapshot.
  auto added = co_await first.change_members(add(Cluster::member(2, MemberRole::standby)));
  REQUIRE(added);
  co_await until([&] { return c.fsms[2].text == c.fsms[1].text; });
  CHECK(first.members().size() == 2);
  co_await until([&] { return first.match_index(2) == first.last_index(); });
  // Without a vote it is not needed for a majority.
  c.net.cut.insert(2);
  auto alone = co_await first.propose("alone");
  CHECK(alone);
  c.net.cut.clear();
  auto promoted = co_await first.change_members(add(Cluster::member(2)));
  REQUIRE(promoted);
  auto third = co_await first.change_members(add(Cluster::member(3)));
  REQUIRE(third);
  co_await until([&] { return c.rafts[3]->members() == first.members() && first.members().size() == 3; });
  CHECK(first.members()[2].name == "s3");
  auto removed = co_await first.change_members(remove(2));
  REQUIRE(removed);
  CHECK(first.members().size() == 2);
  auto lone = co_await first.change_members(remove(3));
  CHECK(lone);
  // Nobody at all is refused, and so are two at once.
  auto none = co_await first.change_members(remove(1));
  CHECK(!none);
  auto two = co_await first.change_members([](std::vector<Member> members) -> Result<std::vector<Member>> {
    members.push_back(Cluster::member(2));
    members.push_back(Cluster::member(3));
    return members;
  });
  CHECK(!two);
}

Async<> prove(Cluster& c) {
  co_await until([&] { return std::ranges::any_of(c.rafts, [](const auto& one) { return one.second->is_leader(); }); });
  const auto leading = std::ranges::find_if(c.rafts, [](const auto& one) { return one.second->is_leader(); });
  Raft& leader = *leading->second;
  auto written = co_await leader.propose("x");
  CHECK(written);
  const std::uint64_t before = leader.last_index();
  for (int i = 0; i < 20; ++i) {
    const auto proved = co_await leader.verify_leadership();
    CHECK(proved);
  }
  CHECK(leader.last_index() == before);
  for (const auto& [id, raft] : c.rafts) {
    if (raft.get() == &leader) continue;
    const auto refused = co_await raft->verify_leadership();
    CHECK(!refused);
    CHECK(raft->last_contact().has_value());
  }
  // Alone it cannot prove anything, and finds out.
  c.net.cut.insert(leading->first);
  const auto lost = co_await leader.verify_leadership();
  REQUIRE(!lost);
  CHECK(lost.error().code() == Code::no_leader);
}

Async<> bootstrap_all(Cluster& c) {
  const std::vector<Member> members{Cluster::member(1), Cluster::member(2), Cluster::member(3)};
  for (auto& [id, raft] : c.rafts) {
    CHECK(raft->empty());
    const auto done = co_await raft->bootstrap(members);
    CHECK(done);
    const auto again = co_await raft->bootstrap(members);
    CHECK(!again);
  }
  co_await until([&] { return std::ranges::any_of(c.rafts, [](const auto& one) { return one.second->is_leader(); }); });
  for (auto& [id, raft] : c.rafts) co_await until([&raft] { return raft->members().size() == 3; });
}

Async<> write_some(Cluster& c, int count) {
  co_await until([&] { return std::ranges::any_of(c.rafts, [](const auto& one) { return one.second->is_leader(); }); });
  for (int i = 0; i < count; ++i) {
    for (auto& [id, raft] : c.rafts) {
      if (!raft->is_leader()) continue;
      const auto done = co_await raft->propose(fmt::format("line {}", i));
      CHECK(done);
    }
  }
}

Async<> lead_alone(Cluster& c) {
  Raft& left = *c.rafts[2];
  co_await until([&] { return left.is_leader(); });
  CHECK(left.members() == std::vector<Member>{Cluster::member(2)});
  auto done = co_await left.propose("after");
  CHECK(done);
}
}  // namespace

TEST_CASE("raft: members join without a vote, vote, and go, one at a time") {
  Cluster c;
  c.open(1, {Cluster::member(1)});
  c.open(2, {});
  c.open(3, {});
  c.run(grow_and_shrink(c));
}

TEST_CASE("F-65: a leader proves its leadership by a majority and without an entry") {
  Cluster c;
  const std::vector<Member> members{Cluster::member(1), Cluster::member(2), Cluster::member(3)};
  for (std::uint64_t id = 1; id <= 3; ++id) c.open(id, members);
  c.run(prove(c));
}

TEST_CASE("raft: servers that are empty take their first configuration once") {
  Cluster c;
  for (std::uint64_t id = 1; id <= 3; ++id) c.open(id, {});
  c.run(bootstrap_all(c));
}

TEST_CASE("F-68: one server of three is recovered with everything it has") {
  Cluster c;
  const std::vector<Member> members{Cluster::member(1), Cluster::member(2), Cluster::member(3)};
  for (std::uint64_t id = 1; id <= 3; ++id) c.open(id, members);
  c.run(write_some(c, 20));
  const std::string before = c.fsms[2].text;
  c.rafts.clear();
  c.net.servers.clear();
  c.fsms[2].text.clear();
  c.loop.restart();
  c.ended = false;
  c.open(2, members, {Cluster::member(2)});
  CHECK(c.fsms[2].text.starts_with(before));
  c.run(lead_alone(c));
  const std::string after = c.fsms[2].text;
  c.rafts.clear();
  c.fsms[2].text.clear();
  c.loop.restart();
  c.ended = false;
  c.open(2, members);
  c.run(write_some(c, 1));
  CHECK(c.fsms[2].text.starts_with(after));
}
