#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "sdk/async/channel.h"
#include "sdk/async/pool.h"
#include "sdk/async/process.h"
#include "sdk/async/permits.h"
#include "sdk/async/scope.h"

using namespace drover;
using namespace std::chrono_literals;

namespace {
Async<> wait_forever(Event& event, bool& unwound) {
  struct Mark {
    bool& flag;
    ~Mark() { flag = true; }
  } mark{unwound};
  co_await event.wait();
}

Async<> closes(Scope& scope) { co_await scope.close(); }

Async<> produce(Channel<int>& channel, int count) {
  for (int i = 0; i < count; ++i) {
    const bool sent = co_await channel.send(i);
    CHECK(sent);
  }
  channel.close();
}

Async<> consume(Channel<int>& channel, int& sum) {
  for (;;) {
    const auto value = co_await channel.receive();
    if (!value) co_return;
    sum += *value;
  }
}

Async<> blocking(Pool& pool, int& out) {
  auto work = [] { return 42; };
  out = co_await run_blocking(pool, work);
}

Async<> timed(Event& event, bool& first, bool& second) {
  first = co_await event.wait_for(1ms);
  event.set();
  second = co_await event.wait_for(1h);
}

Async<> run_child(SpawnOptions options, Result<ExitStatus>& out, int signal) {
  const auto child = spawn_process(options);
  if (!child) {
    out = fail(child.error());
    co_return;
  }
  if (signal != 0) CHECK(child->signal(signal));
  out = co_await wait_process(*child);
}
Async<> spawn_then_signal(bool& arrived) {
  asio::signal_set signals(co_await asio::this_coro::executor, SIGUSR1);
  const auto child = spawn_process({.executable = "/bin/true"});
  CHECK(child);
  ::raise(SIGUSR1);
  const auto [error, number] = co_await signals.async_wait(no_throw);
  arrived = !error && number == SIGUSR1;
  if (child) [[maybe_unused]] const auto status = co_await wait_process(*child);
}
}  // namespace

namespace {
Async<> with_permit(Permits& permits, Event& go, std::vector<int>& order, int number) {
  const auto held = co_await permits.take();
  order.push_back(number);
  co_await go.wait();
}
}  // namespace

TEST_CASE("permits: as many as there are, then first come first served, and who gives up takes nothing with him") {
  asio::io_context loop;
  Permits permits(loop.get_executor(), 2);
  Event first(loop.get_executor()), rest(loop.get_executor());
  std::vector<int> order;
  Scope early(loop.get_executor()), late(loop.get_executor()), gone(loop.get_executor());
  for (const int number : {1, 2}) early.spawn(with_permit(permits, first, order, number));
  gone.spawn(with_permit(permits, rest, order, 3));
  for (const int number : {4, 5, 6}) late.spawn(with_permit(permits, rest, order, number));
  loop.poll();
  CHECK(order == std::vector<int>{1, 2});
  CHECK(permits.waiting() == 4);
  gone.cancel();
  loop.restart();
  loop.poll();
  CHECK(permits.waiting() == 3);
  first.set();
  // One whose turn has come is cancelled before it wakes.
  late.spawn(with_permit(permits, rest, order, 7));
  loop.restart();
  loop.poll();
  CHECK(order == std::vector<int>{1, 2, 4, 5});
  early.spawn(with_permit(permits, rest, order, 8));
  loop.restart();
  loop.poll();
  late.cancel();
  loop.restart();
  loop.run_for(std::chrono::seconds(1));
  CHECK(order == std::vector<int>{1, 2, 4, 5, 8});
  CHECK(permits.waiting() == 0);
  rest.set();
  loop.restart();
  loop.run();
  early.spawn(with_permit(permits, rest, order, 9));
  loop.restart();
  loop.run();
  CHECK(order.back() == 9);
}

TEST_CASE("process: P-38 a child begins with the usual umask, whatever ours is") {
  asio::io_context loop;
  Scope scope(loop.get_executor());
  auto pipe = make_pipe();
  REQUIRE(pipe);
  Result<ExitStatus> status;
  SpawnOptions options{.executable = "/bin/sh", .arguments = {"-c", "umask"}};
  options.stdout_fd = pipe->write_end.get();
  const mode_t before = ::umask(0077);
  scope.spawn(run_child(options, status, 0));
  loop.run();
  CHECK(::umask(before) == 0077);
  REQUIRE(status);
  char text[16] = {};
  CHECK(::read(pipe->read_end.get(), text, sizeof text - 1) == 5);
  CHECK(std::string(text) == "0022\n");
}

TEST_CASE("process: we may open as many files as we are allowed to, a child as many as we began with") {
  const rlimit before = open_files_at_start();
  rlimit low = before;
  low.rlim_cur = std::min<rlim_t>(before.rlim_cur, 100);
  // As if somebody had taken from us since: raising brings it back.
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &low) == 0);
  raise_open_files();
  rlimit now{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &now) == 0);
  CHECK(now.rlim_cur >= std::min<rlim_t>(before.rlim_max, 1u << 20));
  asio::io_context loop;
  Scope scope(loop.get_executor());
  auto pipe = make_pipe();
  REQUIRE(pipe);
  Result<ExitStatus> status;
  SpawnOptions options{.executable = "/bin/sh", .arguments = {"-c", "ulimit -Sn"}};
  options.stdout_fd = pipe->write_end.get();
  scope.spawn(run_child(options, status, 0));
  loop.run();
  REQUIRE(status);
  char text[32] = {};
  CHECK(::read(pipe->read_end.get(), text, sizeof text - 1) > 0);
  CHECK(std::string(text) == (before.rlim_cur == RLIM_INFINITY ? "unlimited\n" : std::to_string(before.rlim_cur) + "\n"));
}

TEST_CASE("process: starting a child leaves the loop's signal handlers alone") {
  asio::io_context loop;
  Scope scope(loop.get_executor());
  bool arrived = false;
  scope.spawn(spawn_then_signal(arrived));
  loop.run_for(10s);
  CHECK(arrived);
}

TEST_CASE("scope: closing cancels members and waits for them") {
  asio::io_context loop;
  Event never(loop.get_executor());
  Scope inner(loop.get_executor());
  Scope outer(loop.get_executor());
  bool unwound = false;
  inner.spawn(wait_forever(never, unwound));
  outer.spawn(closes(inner));
  loop.run();
  CHECK(unwound);
  CHECK(inner.size() == 0);
  CHECK(outer.size() == 0);
}

TEST_CASE("channel: a bounded channel passes everything in order") {
  asio::io_context loop;
  Channel<int> channel(loop.get_executor(), 2);
  Scope scope(loop.get_executor());
  int sum = 0;
  scope.spawn(produce(channel, 100));
  scope.spawn(consume(channel, sum));
  loop.run();
  CHECK(sum == 4950);
}

TEST_CASE("pool: a value comes back to the loop") {
  asio::io_context loop;
  Pool pool(1);
  Scope scope(loop.get_executor());
  int out = 0;
  scope.spawn(blocking(pool, out));
  loop.run();
  CHECK(out == 42);
}

TEST_CASE("event: a wait with a limit tells which came first") {
  asio::io_context loop;
  Event event(loop.get_executor());
  Scope scope(loop.get_executor());
  bool first = true;
  bool second = false;
  scope.spawn(timed(event, first, second));
  loop.run();
  CHECK(!first);
  CHECK(second);
}

TEST_CASE("event: a wait with a limit can be cancelled") {
  asio::io_context loop;
  Event event(loop.get_executor());
  Scope scope(loop.get_executor());
  bool first = true;
  bool second = false;
  scope.spawn(timed(event, first, second));
  loop.poll();
  scope.cancel();
  loop.run();
  CHECK(scope.size() == 0);
}

TEST_CASE("process: exit code, signal and a missing program") {
  asio::io_context loop;
  Scope scope(loop.get_executor());
  Result<ExitStatus> coded;
  Result<ExitStatus> killed;
  Result<ExitStatus> missing;
  scope.spawn(run_child({.executable = "/bin/sh", .arguments = {"-c", "exit 7"}}, coded, 0));
  scope.spawn(run_child({.executable = "/bin/sh", .arguments = {"-c", "read x <&3"}, .new_session = true}, killed, 0));
  scope.spawn(run_child({.executable = "/nonexistent"}, missing, 0));
  loop.run();
  CHECK(coded->code == 7);
  REQUIRE(killed);
  CHECK(killed->code != 0);
  REQUIRE(!missing);
  CHECK(missing.error().code() == Code::not_found);
}

TEST_CASE("process: a program that cannot be started leaves no child and runs none of our exit handlers") {
  static int handlers_run = 0;
  std::atexit([] { ++handlers_run; });
  for (int i = 0; i < 3; ++i) {
    CHECK(!spawn_process({.executable = "/nonexistent"}));
    CHECK(!spawn_process({.executable = "/bin/true", .directory = "/nonexistent"}));
  }
  CHECK(handlers_run == 0);
  CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);
  CHECK(errno == ECHILD);
}
