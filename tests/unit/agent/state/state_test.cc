#include <doctest/doctest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <csignal>
#include <filesystem>

#include "agent/state/state.h"
#include "lib/store/database.h"
#include "sdk/async/scope.h"
#include "sdk/base/file.h"

using namespace drover;

namespace {
struct Fixture {
  asio::io_context loop;

  StateStore::Opened open(const std::string& dir) {
    auto opened = StateStore::open({.path = dir + "/state.db", .executor = loop.get_executor()});
    if (!opened) FAIL(opened.error().message());
    return std::move(*opened);
  }
  void run(Async<> work) {
    Scope scope(loop.get_executor());
    scope.spawn(std::move(work));
    loop.run();
    loop.restart();
  }
};

Async<> commit(StateStore& store, std::vector<StateChange> changes, Result<>& out) { out = co_await store.commit(std::move(changes)); }

std::vector<StateChange> alloc_with_task(const std::string& id) {
  return {StateChange::put({.kind = StateKind::alloc, .alloc_id = id}, "alloc of " + id),
          StateChange::put({.kind = StateKind::task_local, .alloc_id = id, .name = "web"}, "local"),
          StateChange::put({.kind = StateKind::task_state, .alloc_id = id, .name = "web"}, "pending")};
}

Async<> first_life(StateStore& store) {
  std::vector<StateChange> node;
  node.push_back(StateChange::put({.kind = StateKind::node_id}, "id"));
  node.push_back(StateChange::put({.kind = StateKind::node_secret}, "secret"));
  node.push_back(StateChange::put({.kind = StateKind::plugin, .name = "driver/exec"}, "unix:/run/x"));
  node.push_back(StateChange::put({.kind = StateKind::host_volume, .name = "v1"}, "spec"));
  const auto stored_node = co_await store.commit(std::move(node));
  CHECK(stored_node);
  auto alloc = alloc_with_task("a1");
  const auto stored = co_await store.commit(std::move(alloc));
  CHECK(stored);
  auto other = alloc_with_task("a2");
  const auto stored_other = co_await store.commit(std::move(other));
  CHECK(stored_other);
  std::vector<StateChange> handle;
  handle.push_back(StateChange::put({.kind = StateKind::task_handle, .alloc_id = "a1", .name = "web"}, std::string("\0handle", 7)));
  handle.push_back(StateChange::put({.kind = StateKind::network_status, .alloc_id = "a1"}, "net"));
  handle.push_back(StateChange::remove({.kind = StateKind::task_state, .alloc_id = "a1", .name = "web"}));
  handle.push_back(StateChange::remove_alloc("a2"));
  const auto changed = co_await store.commit(std::move(handle));
  CHECK(changed);
  co_await store.close();
  const auto late = co_await store.commit(alloc_with_task("a3"));
  CHECK(late.error().code() == Code::cancelled);
}
}  // namespace

TEST_CASE("state: everything stored is there after a restart, what was removed is not") {
  const auto dir = TempDir::make();
  Fixture f;
  {
    auto opened = f.open(dir->path());
    CHECK(opened.state.allocs.empty());
    CHECK(!opened.state.quarantined);
    f.run(first_life(*opened.store));
    CHECK(opened.store->stats().transactions == 4);
  }
  const auto opened = f.open(dir->path());
  CHECK(opened.state.node_id == "id");
  CHECK(opened.state.node_secret == "secret");
  CHECK(opened.state.plugins.at("driver/exec") == "unix:/run/x");
  CHECK(opened.state.others.at({.kind = StateKind::host_volume, .name = "v1"}) == "spec");
  REQUIRE(opened.state.allocs.size() == 1);
  const auto& alloc = opened.state.allocs.at("a1");
  CHECK(alloc.alloc == "alloc of a1");
  CHECK(alloc.tasks.at("web").local == "local");
  CHECK(!alloc.tasks.at("web").state);
  CHECK(alloc.tasks.at("web").handle == std::string("\0handle", 7));
  CHECK(alloc.others.at({.kind = StateKind::network_status, .alloc_id = "a1"}) == "net");
  CHECK(opened.state.problems.empty());
}

namespace {
Async<> crowd(StateStore& store, int count) {
  Scope scope(co_await asio::this_coro::executor);
  std::vector<Result<>> results(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    scope.spawn(commit(store, alloc_with_task(fmt::format("alloc-{}", i)), results[static_cast<std::size_t>(i)]));
  }
  co_await scope.join();
  for (const auto& result : results) CHECK(result);
  co_await store.close();
}
}  // namespace

TEST_CASE("state: commits that wait share a transaction") {
  const auto dir = TempDir::make();
  Fixture f;
  auto opened = f.open(dir->path());
  f.run(crowd(*opened.store, 500));
  CHECK(opened.store->stats().commits == 500);
  CHECK(opened.store->stats().transactions <= 3);
}

TEST_CASE("F-37: a damaged file is moved aside and the client starts with an empty one") {
  const auto dir = TempDir::make();
  Fixture f;
  {
    auto opened = f.open(dir->path());
    f.run(crowd(*opened.store, 100));
  }
  const std::string path = dir->path() + "/state.db";
  std::string bytes = *read_file(path);
  bytes.replace(0, 16, "not a database!!");
  REQUIRE(write_file(path, bytes));
  const auto opened = f.open(dir->path());
  CHECK(opened.state.quarantined);
  CHECK(opened.state.allocs.empty());
  REQUIRE(opened.state.problems.size() == 1);
  CHECK(opened.state.problems[0].find("state.db.corrupt-") != std::string::npos);
}

TEST_CASE("F-37: whatever byte is changed, the client starts and no wrong value comes back") {
  const auto dir = TempDir::make();
  Fixture f;
  {
    auto opened = f.open(dir->path());
    f.run(crowd(*opened.store, 40));
  }
  const std::string path = dir->path() + "/state.db";
  const std::string good = *read_file(path);
  Rng rng(1);
  int moved = 0;
  for (int i = 0; i < 150; ++i) {
    for (const auto& file : std::filesystem::directory_iterator(dir->path())) std::filesystem::remove(file.path());
    std::string bytes = good;
    const auto at = rng.below(bytes.size());
    bytes[at] = static_cast<char>(bytes[at] ^ static_cast<char>(1 + rng.below(255)));
    REQUIRE(write_file(path, bytes));
    auto opened = StateStore::open({.path = path, .executor = f.loop.get_executor(), .reserve_bytes = 0});
    CAPTURE(at);
    REQUIRE(opened);
    moved += opened->state.quarantined ? 1 : 0;
    for (const auto& [id, alloc] : opened->state.allocs) {
      CHECK(id.starts_with("alloc-"));
      if (alloc.alloc) CHECK(*alloc.alloc == "alloc of " + id);
      for (const auto& [name, task] : alloc.tasks) {
        CHECK(name == "web");
        if (task.local) CHECK(*task.local == "local");
      }
    }
  }
  CHECK(moved > 0);
  CHECK(moved < 150);
}

namespace {
Async<> fill(StateStore& store, std::string reserve) {
  const auto small = co_await store.commit(alloc_with_task("before"));
  CHECK(small);
  CHECK(std::filesystem::exists(reserve));
  // A file size limit is this test's full disk: SQLite reports the failed write, and nothing of it is kept.
  struct rlimit old {};
  ::getrlimit(RLIMIT_FSIZE, &old);
  struct rlimit tight = old;
  tight.rlim_cur = 256 * 1024;
  ::signal(SIGXFSZ, SIG_IGN);
  ::setrlimit(RLIMIT_FSIZE, &tight);
  std::vector<StateChange> big;
  big.push_back(StateChange::put({.kind = StateKind::alloc, .alloc_id = "big"}, std::string(1 << 20, 'x')));
  const auto refused = co_await store.commit(std::move(big));
  CHECK(!refused);
  CHECK(!store.health());
  ::setrlimit(RLIMIT_FSIZE, &old);
  const auto after = co_await store.commit(alloc_with_task("after"));
  CHECK(after);
  CHECK(store.health());
  co_await store.close();
}
}  // namespace

TEST_CASE("F-39 F-40: a failed write is reported, loses nothing, and the next one works again") {
  const auto dir = TempDir::make();
  Fixture f;
  {
    auto opened = f.open(dir->path());
    f.run(fill(*opened.store, dir->path() + "/state.db.reserve"));
  }
  const auto opened = f.open(dir->path());
  CHECK(opened.state.allocs.contains("before"));
  CHECK(opened.state.allocs.contains("after"));
  CHECK(!opened.state.allocs.contains("big"));
}
