#include "agent/logs/collector.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>

#include "sdk/base/file.h"

using namespace drover;
using namespace drover::agent;

namespace {
struct World {
  TempDir directory = std::move(*TempDir::make());
  World() { REQUIRE(make_directories(logs())); }
  [[nodiscard]] std::string logs() const { return directory.path() + "/alloc/logs"; }
  [[nodiscard]] std::string fifo() const { return logs() + "/.t.stdout.fifo"; }
  [[nodiscard]] LogCollectorOptions options(const char* program = DROVER_LOGD) const { return {.program = program, .socket = directory.path() + "/sock"}; }
  void write(std::string_view text) const {
    const auto file = open_file(fifo(), O_WRONLY | O_NONBLOCK);
    REQUIRE(file);
    REQUIRE(write_all(file->get(), text));
  }
  [[nodiscard]] std::string log() const { return read_file(logs() + "/t.stdout.0", 1 << 20).value_or(""); }
};

void run(Async<> (*test)(World&, const Executor&, bool&)) {
  asio::io_context loop(1);
  World world;
  bool finished = false;
  {
    Scope scope(loop.get_executor());
    scope.spawn(test(world, loop.get_executor(), finished));
    loop.run();
  }
  CHECK(finished);
}

Async<> whole_life(World& world, const Executor& executor, bool& finished) {
  LogCollector collector(executor, Logger(), world.options());
  REQUIRE(co_await collector.collect(world.directory.path(), "t", 3, 1 << 20));
  REQUIRE(co_await collector.collect(world.directory.path(), "t", 3, 1 << 20));
  world.write("one\n");
  world.write("two\n");
  co_await collector.release(world.directory.path(), "t");
  CHECK(world.log() == "one\ntwo\n");
  CHECK(::access(world.fifo().c_str(), F_OK) != 0);
  co_await collector.detach();
  finished = true;
}

// The agent goes, another comes; what was written in between is there, and the collector is the same.
Async<> next_agent(World& world, const Executor& executor, bool& finished) {
  {
    LogCollector first(executor, Logger(), world.options());
    REQUIRE(co_await first.collect(world.directory.path(), "t", 3, 1 << 20));
    co_await first.detach();
  }
  world.write("meanwhile\n");
  // A program that cannot be started shows that none was.
  LogCollector second(executor, Logger(), world.options("/nonexistent"));
  REQUIRE(co_await second.collect(world.directory.path(), "t", 3, 1 << 20));
  world.write("after\n");
  co_await second.release(world.directory.path(), "t");
  CHECK(world.log() == "meanwhile\nafter\n");
  co_await second.detach();
  finished = true;
}

Async<> traps(World& world, const Executor& executor, bool& finished) {
  REQUIRE(::symlink("/dev/null", world.fifo().c_str()) == 0);
  LogCollector collector(executor, Logger(), world.options());
  REQUIRE(co_await collector.collect(world.directory.path(), "t", 3, 1 << 20));
  struct stat info {};
  REQUIRE(::lstat(world.fifo().c_str(), &info) == 0);
  CHECK(S_ISFIFO(info.st_mode));
  co_await collector.release(world.directory.path(), "t");
  co_await collector.detach();
  LogCollector broken(executor, Logger(), {.program = "/nonexistent", .socket = world.directory.path() + "/other"});
  const auto failed = co_await broken.collect(world.directory.path(), "t", 3, 1 << 20);
  REQUIRE_FALSE(failed);
  CHECK(failed.error().message().find("/nonexistent") != std::string::npos);
  co_await broken.detach();
  finished = true;
}
}  // namespace

TEST_CASE("log collector: what is written into a FIFO is in the log when the task is released") { run(whole_life); }
TEST_CASE("F_20 log collector: it outlives the agent and is found by the next one") { run(next_agent); }
TEST_CASE("N_002 log collector: a link in the place of a FIFO is not followed, and a missing program is named") { run(traps); }
