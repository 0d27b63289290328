// A driver and its tasks in memory, for tests of the runners: tasks outlive the plugin and the agent, as real ones do; the
// plugin can go down between any two calls, and forgets what it is not told again.
#pragma once

#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "agent/task/task_dir.h"
#include "agent/task/task_runner.h"
#include "sdk/async/scope.h"
#include "sdk/base/file.h"
#include "sdk/base/text.h"

namespace drover::testing {

class FakeDriver final : public agent::TaskDriver, public agent::TaskDrivers {
 public:
  explicit FakeDriver(const Executor& loop) : changed_(loop), never_(loop) {}

  struct Task {
    bool known = true;  // to the plugin that is up now
    std::optional<driver::ExitResult> exit;
    std::map<std::string, std::string> env;  // that it was started with
  };
  std::map<std::string, Task> tasks;  // by driver task id, until destroyed
  std::vector<std::string> calls;     // "start <id>"
  std::set<std::string> dies_at;      // "start" before, "started" after the task came to run; once each
  bool up = true;
  bool adopts = true;  // false: a driver that cannot recover without its own handle
  Result<> start_result;
  std::optional<driver::DriverNetwork> network;  // that a start tells
  // Samples a stream of statistics brings before it goes silent or, when it `ends`, is over.
  struct Stream {
    int samples = 0;
    bool ends = false;
  };
  std::vector<Stream> streams;  // one after another, then silent ones
  int samples = 0;              // sent so far; the memory a sample shows

  void end(const std::string& id, driver::ExitResult exit) {
    tasks.at(id).exit = std::move(exit);
    changed_.notify_all();
  }
  void go_down() {
    up = false;
    for (auto& [id, task] : tasks) task.known = false;
    changed_.notify_all();
  }
  void come_up() {
    up = true;
    changed_.notify_all();
  }
  [[nodiscard]] std::string only_id() const {
    REQUIRE(tasks.size() == 1);
    return tasks.begin()->first;
  }
  [[nodiscard]] std::size_t count(std::string_view call) const {
    std::size_t out = 0;
    for (const auto& each : calls) out += each.starts_with(call) ? 1u : 0u;
    return out;
  }

  Async<Result<agent::TaskDriver*>> find(std::string, std::chrono::nanoseconds) override { co_return this; }
  [[nodiscard]] driver::Capabilities capabilities() const override { return {}; }
  [[nodiscard]] Result<std::string> encode_config(const std::string&, const std::string&) const override { return std::string(); }

  Async<Result<Started>> start(driver::TaskConfig config) override {
    calls.push_back("start " + config.id);
    if (!up || dies("start")) co_return gone();
    if (!start_result) co_return fail(start_result.error());
    tasks[config.id] = {.exit = {}, .env = std::move(config.env)};
    if (dies("started")) co_return gone();
    co_return Started{"handle " + config.id, network};
  }
  Async<Result<>> recover(std::string handle) override {
    calls.push_back("recover " + handle);
    if (!up) co_return gone();
    const auto at = tasks.find(handle.substr(7));
    if (at == tasks.end()) co_return fail(driver::task_not_found());
    at->second.known = true;
    co_return Result<>{};
  }
  Async<Result<Started>> adopt(driver::TaskConfig config) override {
    calls.push_back("adopt " + config.id);
    if (!up) co_return gone();
    const auto slot = [](const std::string& id) { return id.substr(0, id.rfind('/')); };
    for (auto& [id, task] : tasks) {
      if (!adopts || slot(id) != slot(config.id)) continue;
      auto node = tasks.extract(id);
      node.key() = config.id;
      node.mapped().known = true;
      tasks.insert(std::move(node));
      co_return Started{"handle " + config.id, network};
    }
    co_return fail(driver::task_not_found());
  }
  Async<Result<driver::ExitResult>> wait(std::string id) override {
    for (;;) {
      if (!up) co_return gone();
      const Task* task = known(id);
      if (task == nullptr) co_return fail(driver::task_not_found());
      if (task->exit) co_return *task->exit;
      co_await changed_.wait();
    }
  }
  Async<Result<>> stop(std::string id, std::chrono::nanoseconds, std::string) override {
    calls.push_back("stop " + id);
    if (!up) co_return gone();
    if (known(id) == nullptr) co_return fail(driver::task_not_found());
    end(id, {.exit_code = 130, .signal = 2});
    co_return Result<>{};
  }
  Async<Result<>> destroy(std::string id, bool) override {
    calls.push_back("destroy " + id);
    if (!up) co_return gone();
    if (known(id) == nullptr) co_return fail(driver::task_not_found());
    tasks.erase(id);
    co_return Result<>{};
  }
  Async<Result<>> signal(std::string, std::string) override { co_return Result<>{}; }
  Async<Result<>> stats(std::string id, std::chrono::nanoseconds, Channel<driver::TaskStats>& out) override {
    calls.push_back("stats " + id);
    if (!up) co_return gone();
    Stream stream;
    if (!streams.empty()) {
      stream = streams.front();
      streams.erase(streams.begin());
    }
    for (; stream.samples > 0; --stream.samples) {
      driver::TaskStats sample;
      sample.total.memory.rss = static_cast<std::uint64_t>(++samples);
      [[maybe_unused]] const bool taken = co_await out.send(std::move(sample));
    }
    if (!stream.ends) co_await never_.wait();
    co_return Result<>{};
  }
  // Says what it was given, and ends with code 3.
  Async<Result<>> exec(std::string id, driver::ExecOptions options, Channel<driver::ExecInput>&, Channel<driver::ExecOutput>& output) override {
    calls.push_back("exec " + id + " " + join(options.command, " "));
    if (!up) co_return gone();
    driver::ExecOutput end;
    end.exit_code = 3;
    [[maybe_unused]] const bool sent = output.try_send(std::move(end));
    output.close();
    co_return Result<>{};
  }
  Async<bool> wait_ready(std::chrono::nanoseconds) override {
    while (!up) co_await changed_.wait();
    co_return true;
  }

 private:
  static Unexpected gone() { return fail(Code::unavailable, "plugin is shut down"); }
  Task* known(const std::string& id) {
    const auto at = tasks.find(id);
    return at == tasks.end() || !at->second.known ? nullptr : &at->second;
  }
  bool dies(const std::string& step) {
    if (dies_at.erase(step) == 0) return false;
    go_down();
    return true;
  }

  Condition changed_;
  Event never_;
};

// The surroundings of runners: a directory, a clock that stands still, and every record that was stored.
struct RunnerWorld {
  asio::io_context loop;
  FakeDriver driver{loop.get_executor()};
  ManualClock clock{1'700'000'000'000'000'000};
  Rng rng{1};
  Event server_contacted{loop.get_executor()};
  Event never{loop.get_executor()};
  TempDir directory = std::move(*TempDir::make());
  std::shared_ptr<const model::Node> node = std::make_shared<model::Node>();
  std::map<std::string, std::vector<agent::TaskLocal>> stored;  // by task
  std::function<void()> on_store;
  // The agent dies with this record on disk: whoever stores it waits for ever.
  std::function<bool(const agent::TaskLocal&)> dies_after;
  bool dead = false;
  agent::TaskServices services{.executor = loop.get_executor(),
                               .clock = clock,
                               .rng = rng,
                               .log = Logger(),
                               .drivers = driver,
                               .node = [this] { return node; },
                               .region = "global",
                               .alloc_root = directory.path(),
                               .server_contacted = server_contacted,
                               .store_task = [this](std::string, std::string task, std::string bytes) { return keep(std::move(task), std::move(bytes)); }};

  ~RunnerWorld() { (void)agent::remove_alloc_dir(directory.path() + "/" + alloc_id); }
  static constexpr const char* alloc_id = "6f1c0000-0000-0000-0000-000000000001";

  Async<Result<>> keep(std::string task, std::string bytes) {
    auto local = agent::decode_task_local(bytes);
    REQUIRE(local);
    if (on_store) on_store();
    stored[task].push_back(std::move(*local));
    dead = dies_after && dies_after(stored[task].back());
    if (dead) {
      dies_after = nullptr;
      co_await never.wait();
    }
    co_return Result<>{};
  }
  [[nodiscard]] std::shared_ptr<model::Allocation> allocation(std::vector<model::Task> tasks, const std::string& type = "service") const {
    auto job = std::make_shared<model::Job>();
    job->id = job->name = "job";
    job->type = type;
    model::TaskGroup group;
    group.name = "g";
    group.tasks = std::move(tasks);
    job->task_groups = {group};
    auto out = std::make_shared<model::Allocation>();
    out->id = alloc_id;
    out->name = "job.g[0]";
    out->task_group = "g";
    out->job = std::move(job);
    REQUIRE(agent::build_alloc_dir(directory.path() + "/" + alloc_id));
    return out;
  }
  // Runs the loop until `done` holds; fails when nothing is left that could make it hold.
  void run_until(const std::function<bool()>& done) {
    loop.restart();
    for (int step = 0; !done(); ++step) REQUIRE((step < 100'000 && loop.run_one_for(std::chrono::seconds(10)) > 0));
  }
};

inline model::Task make_task(const std::string& name, std::int64_t attempts = 0) {
  model::Task out;
  out.name = name;
  out.driver = "fake";
  model::RestartPolicy policy;
  policy.attempts = attempts;
  policy.interval = std::chrono::hours(1);
  policy.delay = {};
  policy.mode = "fail";
  out.restart_policy.ensure() = policy;
  return out;
}

inline std::vector<std::string> event_types(const model::TaskState& state) {
  std::vector<std::string> out;
  for (const auto& event : state.events) out.push_back(event.type);
  return out;
}

}  // namespace drover::testing
