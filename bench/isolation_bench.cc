// What isolating a task costs: start to noticed end of /bin/true through the exec driver and its executor, against
// posix_spawn of the same program, with bubblewrap and crun beside it where they are installed. Runs take turns.
// Usage (root): isolation_bench EXECUTOR [runs]
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "plugins/exec/driver.h"
#include "sdk/async/scope.h"
#include "sdk/base/file.h"
#include "sdk/plugin/config.h"

extern char** environ;

using namespace drover;
using Milliseconds = std::chrono::duration<double, std::milli>;

namespace {

constexpr const char* program = "/bin/true";

// Milliseconds from the call to the reaped end; negative when the program failed.
double spawn(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const auto begin = std::chrono::steady_clock::now();
  pid_t pid = 0;
  int status = 0;
  if (::posix_spawnp(&pid, arguments[0], nullptr, nullptr, arguments.data(), environ) != 0) return -1;
  if (::waitpid(pid, &status, 0) != pid || status != 0) return -1;
  return Milliseconds(std::chrono::steady_clock::now() - begin).count();
}

class ExecRuns {
 public:
  explicit ExecRuns(std::string executor)
      : driver_(loop_.get_executor(), Logger(), ExecutorHost{std::move(executor), directory_.path() + "/state"}, system_clock()) {
    for (const char* name : {"/alloc/logs", "/alloc/data", "/alloc/tmp", "/web/local", "/web/secrets", "/web/tmp"}) {
      std::filesystem::create_directories(directory_.path() + name);
    }
    std::filesystem::permissions(directory_.path(), std::filesystem::perms(0755));
    run_loop(configure());
  }
  ~ExecRuns() { run_loop(driver_.close()); }

  double run() {
    double out = -1;
    run_loop(one(out));
    return out;
  }

 private:
  void run_loop(Async<> work) {
    Scope scope(loop_.get_executor());
    loop_.restart();
    scope.spawn(std::move(work));
    while (scope.size() > 0 && loop_.run_one() > 0) {}
  }
  Async<> configure() {
    auto set = co_await driver_.set_config(plugin::to_msgpack({{"allow_degraded", true}}), "v0.1.0");
    if (!set) fmt::print(stderr, "exec: {}\n", set.error().message());
  }
  Async<> one(double& out) {
    driver::TaskConfig config;
    config.alloc_id = "bench";
    config.name = "web";
    config.id = fmt::format("bench/web/{:08}", ++count_);
    config.alloc_dir = directory_.path();
    config.env = {{"PATH", "/usr/bin:/bin"}};
    config.driver_config = plugin::to_msgpack({{"command", program}});
    const std::string id = config.id;
    const auto begin = std::chrono::steady_clock::now();
    auto started = co_await driver_.start_task(std::move(config));
    if (!started) {
      fmt::print(stderr, "exec: {}\n", started.error().message());
      co_return;
    }
    auto ended = co_await driver_.wait_task(id);
    if (ended && ended->exit_code == 0) out = Milliseconds(std::chrono::steady_clock::now() - begin).count();
    auto destroyed = co_await driver_.destroy_task(id, true);
    if (!destroyed) fmt::print(stderr, "exec: {}\n", destroyed.error().message());
  }

  TempDir directory_ = *TempDir::make("isolation-bench-");
  asio::io_context loop_;
  exec::ExecDriver driver_;
  int count_ = 0;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct Row {
  std::string name;
  std::vector<double> times;
  bool failed = false;

  void add(double time) {
    failed = failed || time < 0;
    times.push_back(time);
  }
};

// An OCI bundle that runs `program` in the host's root, read-only.
std::string make_bundle(const std::string& directory) {
  static_cast<void>(spawn({"crun", "spec", "--bundle", directory}));
  const auto text = read_file(directory + "/config.json");
  if (!text) return {};
  auto config = nlohmann::json::parse(*text);
  config["process"]["args"] = {program};
  config["process"]["terminal"] = false;
  config["root"] = {{"path", "/"}, {"readonly", true}};
  return write_file(directory + "/config.json", config.dump()) ? directory : "";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: {} EXECUTOR [runs]\n", argv[0]);
    return 2;
  }
  const int runs = argc > 2 ? std::atoi(argv[2]) : 200;
  const TempDir bundle_dir = *TempDir::make("isolation-bench-");
  const std::string bundle = make_bundle(bundle_dir.path());
  ExecRuns exec(std::filesystem::absolute(argv[1]));
  std::vector<Row> rows{{.name = "posix_spawn"}, {.name = "exec"}, {.name = "bubblewrap"}, {.name = "crun"}};
  for (int i = 0; i < runs; ++i) {
    rows[0].add(spawn({program}));
    if (!rows[1].failed) rows[1].add(exec.run());
    if (!rows[2].failed) rows[2].add(spawn({"bwrap", "--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", program}));
    if (!rows[3].failed) rows[3].add(spawn({"crun", "run", "--bundle", bundle, fmt::format("bench-{}", i)}));
  }
  const double base = median(rows[0].times);
  for (const Row& row : rows) {
    if (row.failed) fmt::print("{:<12} not measured: it is not installed or cannot run here\n", row.name);
    else fmt::print("{:<12} p50 {:6.2f} ms, over posix_spawn {:6.2f} ms\n", row.name, median(row.times), median(row.times) - base);
  }
  return rows[1].failed ? 1 : 0;
}
