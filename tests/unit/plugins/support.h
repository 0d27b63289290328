// What the driver tests share: a loop that runs one coroutine to its end, and a task configuration in a temporary directory.
#pragma once

#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "sdk/executor/executor_driver.h"
#include "sdk/base/file.h"
#include "sdk/plugin/config.h"

namespace drover::testing {

// Runs `work` and everything it spawned; fails the test when nothing is left to wait for before its end.
inline void run_loop(asio::io_context& loop, Async<> work) {
  Scope scope(loop.get_executor());
  loop.restart();  // it stops whenever it has nothing to do
  scope.spawn(std::move(work));
  while (scope.size() > 0 && loop.run_one() > 0) {}
  REQUIRE(scope.size() == 0);
}

template <class T>
Async<> keep(Async<T> work, std::optional<T>& out) {
  out.emplace(co_await std::move(work));
}
template <class T>
T wait_for(asio::io_context& loop, Async<T> work) {
  std::optional<T> out;
  run_loop(loop, keep(std::move(work), out));
  REQUIRE(out.has_value());
  return std::move(*out);
}
inline void wait_for(asio::io_context& loop, Async<> work) { run_loop(loop, std::move(work)); }

// What an exec session says, to its end.
inline Async<> collect(Channel<driver::ExecOutput>& output, std::string& text, std::optional<std::int32_t>& code) {
  for (;;) {
    const auto message = co_await output.receive();
    if (!message) co_return;
    text += message->stdout_data;
    if (message->exit_code) code = message->exit_code;
  }
}

// The numbered files of one stream in order, joined.
inline std::string read_logs(const std::string& directory, const std::string& base) {
  std::string out;
  for (int i = 0; i < 1000; ++i) {
    const auto text = read_file(directory + "/" + base + "." + std::to_string(i));
    if (text) out += *text;
  }
  return out;
}

// An allocation directory as the host makes it.
struct Allocation {
  Allocation() : directory(*TempDir::make("drover-alloc-")) {
    // mkdtemp makes it 0700; an allocation's directory can be walked by the task's user.
    std::filesystem::permissions(directory.path(), std::filesystem::perms(0755));
    for (const char* name : {"/alloc/logs", "/alloc/data", "/alloc/tmp", "/web/local", "/web/secrets", "/web/tmp"}) {
      std::filesystem::create_directories(directory.path() + name);
      std::filesystem::permissions(directory.path() + name, std::filesystem::perms::all);
    }
    std::filesystem::permissions(directory.path() + "/web", std::filesystem::perms::all);
  }
  driver::TaskConfig config(const nlohmann::json& options, const std::string& start = "00000001") const {
    driver::TaskConfig out;
    out.alloc_id = std::filesystem::path(directory.path()).filename();
    out.name = "web";
    out.id = out.alloc_id + "/web/" + start;
    out.alloc_dir = directory.path();
    out.driver_config = plugin::to_msgpack(options);
    out.env = {{"PATH", "/usr/local/bin:/usr/bin:/bin"}, {"GREETING", "hello"}};
    return out;
  }
  std::string stdout_text() const { return read_logs(directory.path() + "/alloc/logs", "web.stdout"); }
  std::string stderr_text() const { return read_logs(directory.path() + "/alloc/logs", "web.stderr"); }

  TempDir directory;
};

}  // namespace drover::testing
