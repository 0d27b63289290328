// What the plugin host costs, with drivers whose tasks are nothing but time: launch to ready, one StartTask through the host, calls to one
// driver while another is stopped by SIGSTOP, and a killed plugin until its task is watched again.
// All of it without TLS and with (P-12).
// Usage: plugin_bench DROVER_CHAOS_PLUGIN [calls]
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "agent/pluginhost/driver_manager.h"
#include "sdk/async/scope.h"
#include "sdk/base/file.h"
#include "sdk/base/process.h"
#include "sdk/plugin/config.h"

using namespace drover;
using Steady = std::chrono::steady_clock;

namespace {

double micros(Steady::time_point begin) { return std::chrono::duration<double, std::micro>(Steady::now() - begin).count(); }

std::string spread(std::vector<double> all) {
  std::sort(all.begin(), all.end());
  const auto at = [&](double part) { return all[static_cast<std::size_t>(part * static_cast<double>(all.size() - 1))]; };
  return fmt::format("p50 {:.0f}, p99 {:.0f}, longest {:.0f} µs", at(0.5), at(0.99), all.back());
}

// KiB of a process that nobody shares with it.
long private_kib(int pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/smaps_rollup");
  long out = 0;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("Private_")) out += std::atol(line.c_str() + line.find(':') + 1);
  }
  return out;
}

class Bench {
 public:
  Bench(Executor executor, const std::string& plugin, int calls, bool tls) : executor_(executor), calls_(calls), recovered_(executor) {
    pluginhost::Options options;
    options.directories = {.third_party = directory_.path() + "/plugins", .first_party = {}};
    DROVER_CHECK(make_directories(options.directories.third_party).has_value());
    for (const char* name : {"one", "two"}) {
      const std::string behaviour = fmt::format("{}/{}.json", directory_.path(), name);
      DROVER_CHECK(write_file(behaviour, fmt::format(R"({{"name": "{}"}})", name)).has_value());
      DROVER_CHECK(::symlink(plugin.c_str(), (options.directories.third_party + "/" + name).c_str()) == 0);
      options.blocks[name].args = {behaviour};
      options.blocks[name].mutual_tls = tls;
    }
    options.socket_dir = directory_.path() + "/run";
    options.environment = {{"PATH", "/usr/bin:/bin"}};
    manager_ = std::make_unique<pluginhost::DriverManager>(executor, Logger(), system_clock(), std::move(options));
    manager_->on_recover([this](const std::string& name) { if (name == "one") recovered_.set(); });
  }

  Async<> run() {
    const auto begin = Steady::now();
    co_await manager_->start("");
    fmt::print("launch of two plugins to ready, side by side: {:.1f} ms\n", micros(begin) / 1000);
    co_await start_tasks();
    co_await ask("InspectTask, both well");
    const auto other = Process::open(pid("two"));
    DROVER_CHECK(other && other->signal(SIGSTOP));
    Scope waiting(executor_);
    for (int i = 0; i < 100; ++i) waiting.spawn(wait_for_answer());
    co_await ask("InspectTask, the other stopped and owing 100 answers");
    DROVER_CHECK(other->signal(SIGCONT).has_value());
    co_await waiting.join();
    co_await crash();
    fmt::print("private memory of a plugin: {} KiB; of the host: {} KiB\n", private_kib(pid("two")), private_kib(::getpid()));
    co_await manager_->shutdown();
  }

 private:
  driver::DriverClient& client(const char* name) {
    auto found = manager_->driver(name);
    DROVER_CHECK(found.has_value());
    return **found;
  }
  int pid(const std::string& name) const {
    for (const auto& status : manager_->plugins()) {
      if (status.name == name) return status.pid;
    }
    return 0;
  }
  driver::TaskConfig task(int number) const {
    driver::TaskConfig out;
    out.id = fmt::format("a/b/{:08x}", number);
    out.alloc_dir = directory_.path();
    out.driver_config = plugin::to_msgpack({{"run_for", "1h"}});
    out.resources.emplace();
    return out;
  }
  Async<> start_tasks() {
    std::vector<double> all;
    for (int i = 0; i < calls_; ++i) {
      const auto begin = Steady::now();
      auto started = co_await client("one").start_task(task(i));
      DROVER_CHECK(started.has_value());
      all.push_back(micros(begin));
      handle_ = std::move(started->handle.encoded);
    }
    fmt::print("StartTask of a driver that does nothing: {}\n", spread(all));
  }
  Async<> ask(const char* what) {
    std::vector<double> all;
    for (int i = 0; i < calls_; ++i) {
      const auto begin = Steady::now();
      const auto status = co_await client("one").inspect_task("a/b/00000000");
      DROVER_CHECK(status.has_value());
      all.push_back(micros(begin));
    }
    fmt::print("{}: {}\n", what, spread(all));
  }
  Async<> wait_for_answer() { [[maybe_unused]] const auto status = co_await client("two").inspect_task("none"); }
  Async<> crash() {
    // P-23: a plugin that ran well for ten seconds is started again at once.
    co_await sleep_for(std::chrono::seconds(10));
    const auto begin = Steady::now();
    DROVER_CHECK(Process::open(pid("one"))->signal(SIGKILL).has_value());
    co_await recovered_.wait();
    const auto taken = co_await client("one").recover_task(handle_);
    DROVER_CHECK(taken.has_value());
    fmt::print("SIGKILL of a plugin that ran for ten seconds until its task is taken over: {:.0f} ms\n", micros(begin) / 1000);
  }

  Executor executor_;
  int calls_;
  Event recovered_;
  TempDir directory_ = std::move(*TempDir::make());
  std::unique_ptr<pluginhost::DriverManager> manager_;
  std::string handle_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: plugin-bench DROVER_CHAOS_PLUGIN [calls]\n");
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);
  asio::io_context loop(1);
  for (const bool tls : {false, true}) {
    fmt::print("{}:\n", tls ? "over mutual TLS" : "without TLS");
    Scope scope(loop.get_executor());
    Bench bench(loop.get_executor(), std::filesystem::absolute(argv[1]).string(), argc > 2 ? std::atoi(argv[2]) : 1000, tls);
    scope.spawn(bench.run());
    loop.run();
    loop.restart();
  }
  return 0;
}
