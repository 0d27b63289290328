// What a durable write costs: the disk alone; then 64-byte entries, one proposal at a time, from 64 and from 512 proposers, each of which
// waits for its entry before it makes the next: on one server, and on three that talk over sockets, each with a thread of its own. An
// entry is answered when it is committed and applied, so after an fdatasync here or on two of the three; what waits meanwhile shares the
// next one. And how long the first write takes after the leader of the three has gone.
// Usage: raft-bench [directory]; the directory decides which disk is measured.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <future>
#include <thread>
#include <vector>

#include "sdk/async/scope.h"
#include "sdk/base/clock.h"
#include "sdk/base/file.h"
#include "server/cluster/transport.h"
#include "server/raft/raft.h"

using namespace drover;

namespace {
class Count final : public Fsm {
 public:
  Result<> apply(std::uint64_t, std::string_view) override { return {}; }
  std::function<Result<>(SnapshotWriter&)> snapshot() override {
    return [](SnapshotWriter& writer) { return writer.write("state"); };
  }
  Result<> restore(SnapshotReader&) override { return {}; }
};

double micros_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

double disk_median(const std::string& directory, int count) {
  const std::string path = directory + "/reference";
  if (!write_file(path, std::string(8u << 20, '\0'))) return 0;
  const auto fd = open_file(path, O_RDWR);
  if (!fd || ::fsync(fd->get()) != 0) return 0;
  const std::string bytes(128, 'x');
  std::vector<double> times;
  for (int i = 0; i < count; ++i) {
    const auto start = std::chrono::steady_clock::now();
    if (::pwrite(fd->get(), bytes.data(), bytes.size(), static_cast<off_t>(i) * 128) != 128 || ::fdatasync(fd->get()) != 0) return 0;
    times.push_back(micros_since(start));
  }
  return median(std::move(times));
}

Async<> proposer(Raft& raft, int count, std::vector<double>& times) {
  for (int i = 0; i < count; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const auto done = co_await raft.propose(std::string(64, 'x'));
    if (!done) fmt::print(stderr, "{}\n", done.error().message());
    times.push_back(micros_since(start));
  }
}

Async<> measure(Raft& raft, std::string name) {
  std::vector<double> alone;
  co_await proposer(raft, 300, alone);
  fmt::print("{}: one at a time: median {:.0f} us\n", name, median(alone));
  for (const int writers : {64, 512}) {
    std::vector<double> crowd;
    const auto before = raft.stats();
    const auto start = std::chrono::steady_clock::now();
    Scope scope(co_await asio::this_coro::executor);
    const int each = 64'000 / writers;
    for (int i = 0; i < writers; ++i) scope.spawn(proposer(raft, each, crowd));
    co_await scope.join();
    const double seconds = micros_since(start) / 1e6;
    const auto after = raft.stats();
    fmt::print("{}: {} at once: {:.0f}/s, median {:.0f} us, {:.1f} entries a write\n", name, writers, each * writers / seconds, median(crowd),
               static_cast<double>(each * writers) / static_cast<double>(std::max<std::uint64_t>(1, after.writes - before.writes)));
  }
}

Async<> measure_alone(Raft& raft, std::string name) {
  co_await measure(raft, std::move(name));
  co_await raft.close();
}

void run(const std::string& name, const std::string& directory) {
  asio::io_context loop(1);
  Count fsm;
  RaftOptions options;
  options.data_dir = directory;
  options.address = "bench";
  options.bootstrap = {{.id = 1, .address = "bench"}};
  options.executor = loop.get_executor();
  auto raft = Raft::open(std::move(options), fsm);
  if (!raft) {
    fmt::print(stderr, "{}\n", raft.error().message());
    return;
  }
  Scope scope(loop.get_executor());
  scope.spawn(measure_alone(**raft, name));
  loop.run();
}

// One of three servers, with a loop and a thread of its own.
class Peer {
 public:
  Peer(std::size_t number, const std::vector<Member>& members, std::string directory)
      : self_(members[number]), members_(members), directory_(std::move(directory)), transport_(loop_.get_executor(), self_, Logger()),
        server_(loop_.get_executor()) {}
  bool open() {
    RaftOptions options;
    options.data_dir = directory_;
    options.id = self_.id;
    options.address = self_.address;
    options.bootstrap = members_;
    options.executor = loop_.get_executor();
    options.transport = &transport_;
    options.seed = static_cast<std::uint32_t>(Rng::from_system().next());  // as servers have it: timers of neighbouring seeds run alike
    transport_.set_cluster_id("bench");
    transport_.serve(server_);
    if (!server_.listen(self_.address)) return false;
    auto raft = Raft::open(std::move(options), fsm_);
    if (!raft) return false;
    raft_ = std::move(*raft);
    transport_.on_message([this](RaftMessage message) { raft_->receive(std::move(message)); });
    thread_ = std::thread([this] {
      auto guard = asio::make_work_guard(loop_);
      loop_.run();
    });
    return true;
  }
  // Runs `work` on the loop and waits for it.
  template <class Work>
  void run(Work work) {
    std::promise<void> done;
    asio::post(loop_, [&] { scope_.spawn(finish(work, done)); });
    done.get_future().wait();
  }
  bool leads() {
    std::promise<bool> answer;
    asio::post(loop_, [&] { answer.set_value(raft_->is_leader()); });
    return answer.get_future().get();
  }
  void stop() {
    if (!thread_.joinable()) return;
    run([this] { return close(); });
    loop_.stop();
    thread_.join();
  }
  Raft& raft() { return *raft_; }

 private:
  template <class Work>
  static Async<> finish(Work work, std::promise<void>& done) {
    co_await work();
    done.set_value();
  }
  Async<> close() {
    co_await transport_.close();
    co_await server_.stop();
    co_await raft_->close();
  }

  asio::io_context loop_{1};
  Member self_;
  std::vector<Member> members_;
  std::string directory_;
  Count fsm_;
  Scope scope_{loop_.get_executor()};
  cluster::Transport transport_;
  NodeRpcServer server_;
  std::unique_ptr<Raft> raft_;
  std::thread thread_;
};

Async<> first_write(Raft& raft) {
  for (;;) {
    const auto done = co_await raft.propose("x");
    if (done) co_return;
    co_await sleep_for(std::chrono::milliseconds(1));
  }
}

Peer* leader_of(std::vector<std::unique_ptr<Peer>>& peers, const Peer* gone) {
  for (;;) {
    for (auto& peer : peers) {
      if (peer.get() != gone && peer->leads()) return peer.get();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

void run_three(const std::string& directory) {
  std::vector<Member> members;
  for (std::uint64_t id = 1; id <= 3; ++id) {
    const std::string node = fmt::format("{:08x}-0000-0000-0000-000000000000", id);
    members.push_back({.id = member_id(node), .address = fmt::format("127.0.0.1:{}", 34646 + id), .node_id = node, .name = fmt::format("s{}", id)});
  }
  std::vector<std::unique_ptr<Peer>> peers;
  for (std::size_t i = 0; i < 3; ++i) {
    peers.push_back(std::make_unique<Peer>(i, members, fmt::format("{}/peer-{}", directory, i)));
    if (!peers.back()->open()) {
      fmt::print(stderr, "a server does not start; are the ports 34647 to 34649 free?\n");
      return;
    }
  }
  Peer* leader = leader_of(peers, nullptr);
  leader->run([leader] { return measure(leader->raft(), "three servers"); });
  leader->stop();
  const auto start = std::chrono::steady_clock::now();
  Peer* next = leader_of(peers, leader);
  next->run([next] { return first_write(next->raft()); });
  fmt::print("three servers: first write {:.0f} ms after the leader went\n", micros_since(start) / 1000);
  for (auto& peer : peers) peer->stop();
}
}  // namespace

int main(int argc, char** argv) {
  const auto temporary = TempDir::make();
  if (!temporary) return 1;
  const std::string directory = argc > 1 ? std::string(argv[1]) + "/raft-bench" : temporary->path();
  if (!make_directories(directory)) return 1;
  fmt::print("disk: write and fdatasync of 128 bytes in a prepared file: median {:.0f} us\n", disk_median(directory, 300));
  run("disk", directory + "/log");
  run("memory", "");
  run_three(directory);
  return 0;
}
