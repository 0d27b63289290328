// What a durable write costs: the disk alone, one proposal at a time, and 64 at once.
// Usage: raft_bench [directory]; the directory decides which disk is measured.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <vector>

#include "sdk/async/scope.h"
#include "sdk/base/file.h"
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
  std::vector<double> crowd;
  const auto before = raft.stats();
  const auto start = std::chrono::steady_clock::now();
  Scope scope(co_await asio::this_coro::executor);
  for (int i = 0; i < 64; ++i) scope.spawn(proposer(raft, 500, crowd));
  co_await scope.join();
  const double seconds = micros_since(start) / 1e6;
  const auto after = raft.stats();
  fmt::print("{}: 64 at once: {:.0f}/s, median {:.0f} us, {:.1f} entries a write\n", name, 32'000 / seconds, median(crowd),
             32'000.0 / static_cast<double>(std::max<std::uint64_t>(1, after.writes - before.writes)));
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
  scope.spawn(measure(**raft, name));
  loop.run();
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
  return 0;
}
