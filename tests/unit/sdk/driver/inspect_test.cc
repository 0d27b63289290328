#include "sdk/driver/inspect.h"

#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>

#include "sdk/async/scope.h"
#include "sdk/base/file.h"
#include "sdk/plugin/schema_text.h"

using namespace drover;
using namespace drover::driver;

namespace {
Async<> keep(InspectOptions options, std::optional<Result<PluginDescription>>& out) {
  const Executor executor = co_await asio::this_coro::executor;
  auto seen = co_await inspect_plugin(executor, Logger(), std::move(options));
  out.emplace(std::move(seen));
}

Result<PluginDescription> inspect(const std::string& executable) {
  asio::io_context loop(1);
  std::optional<Result<PluginDescription>> out;
  {
    Scope scope(loop.get_executor());
    scope.spawn(keep({.executable = executable, .arguments = {}, .environment = {{"PATH", "/usr/bin:/bin"}}}, out));
    loop.run();
  }
  REQUIRE(out);
  return *out;
}
}  // namespace

TEST_CASE("inspect: a driver says what it is and what it takes, and is ended") {
  const auto seen = inspect(DROVER_HELLO_DRIVER);
  REQUIRE(seen);
  CHECK(seen->info.name == "hello");
  CHECK(seen->info.type == PluginType::driver);
  CHECK(seen->problems.empty());
  CHECK(seen->handshake.starts_with("1|2|unix|/"));
  CHECK(plugin::schema_text(seen->config_schema).starts_with("shout = bool"));
  CHECK(plugin::schema_text(seen->task_schema).find("greeting = string") != std::string::npos);
  REQUIRE(seen->capabilities);
  CHECK(seen->capabilities->exec);
}

TEST_CASE("inspect: what is no plugin is an error with its exit status and last words") {
  TempDir directory = std::move(*TempDir::make());
  const std::string path = directory.path() + "/broken";
  REQUIRE(write_file(path, "#!/bin/sh\necho my reason >&2\nexit 3\n", 0755));
  const auto seen = inspect(path);
  REQUIRE_FALSE(seen);
  CHECK(seen.error().message().find("exit status 3") != std::string::npos);
  CHECK(seen.error().message().find("my reason") != std::string::npos);
  CHECK(inspect(directory.path() + "/absent").error().message().find("absent") != std::string::npos);
}
