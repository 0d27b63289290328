// Runs tasks of the exec and raw_exec drivers in this process for the tests of tests/security: one JSON request a line on
// standard input, one JSON answer a line on standard output. What a hostile task does is then a script, and what the driver and its
// executor did with it is seen without an agent.
// Usage: task-runner EXECUTOR STATE_DIR
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "plugins/exec/driver.h"
#include "plugins/raw_exec/driver.h"
#include "sdk/async/scope.h"
#include "sdk/plugin/config.h"

using namespace drover;
using nlohmann::json;
using namespace std::chrono_literals;

namespace {

template <class T>
Async<> keep(Async<T> work, std::optional<T>& out) {
  out.emplace(co_await std::move(work));
}

Async<> take_events(Channel<driver::TaskEvent>& channel, std::vector<std::string>& out) {
  for (;;) {
    auto event = co_await channel.receive();
    if (!event) co_return;
    out.push_back(event->message);
  }
}

Async<> take_output(Channel<driver::ExecOutput>& channel, std::string& text, std::optional<std::int32_t>& code) {
  for (;;) {
    const auto message = co_await channel.receive();
    if (!message) co_return;
    text += message->stdout_data + message->stderr_data;
    if (message->exit_code) code = message->exit_code;
  }
}

Async<> take_fingerprint(Channel<driver::Fingerprint>& channel, std::optional<driver::Fingerprint>& out) {
  out = co_await channel.receive();
}

json error_of(const Error& error) { return {{"error", error.message()}}; }

std::string text_or(const json& object, const char* key, std::string fallback = {}) {
  return object.contains(key) ? object[key].get<std::string>() : fallback;
}

driver::TaskConfig config_of(const json& task) {
  driver::TaskConfig out;
  out.alloc_dir = text_or(task, "alloc_dir");
  out.alloc_id = out.alloc_dir.substr(out.alloc_dir.rfind('/') + 1);
  out.name = text_or(task, "name", "web");
  out.id = out.alloc_id + "/" + out.name + "/" + text_or(task, "start", "00000001");
  out.user = text_or(task, "user");
  out.stdout_path = text_or(task, "stdout_path");
  out.stderr_path = text_or(task, "stderr_path");
  out.driver_config = plugin::to_msgpack(task.value("config", json::object()));
  out.env = task.value("env", std::map<std::string, std::string>{{"PATH", "/usr/local/bin:/usr/bin:/bin"}});
  for (const auto& mount : task.value("mounts", json::array())) {
    out.mounts.push_back({.task_path = text_or(mount, "task"), .host_path = text_or(mount, "host"), .readonly = mount.value("readonly", false),
                          .propagation_mode = text_or(mount, "propagation"), .selinux_label = {}});
  }
  for (const auto& device : task.value("devices", json::array())) {
    out.devices.push_back({.task_path = text_or(device, "task"), .host_path = text_or(device, "host"), .permissions = text_or(device, "permissions", "rwm")});
  }
  if (task.contains("resources")) {
    const json& given = task["resources"];
    driver::Resources resources;
    resources.cpu_shares = given.value("cpu_shares", 0);
    resources.memory_mb = given.value("memory_mb", 0);
    resources.memory_max_mb = given.value("memory_max_mb", 0);
    resources.linux_resources.percent_ticks = given.value("percent_ticks", 0.0);
    resources.linux_resources.cpuset_cpus = text_or(given, "cpuset_cpus");
    out.resources = resources;
  }
  return out;
}

json exit_of(const driver::ExitResult& exit) {
  return {{"code", exit.exit_code}, {"signal", exit.signal}, {"oom", exit.oom_killed}, {"unknown", exit.error}};
}

class Runner {
 public:
  Runner(std::string executor, std::string state_dir) : host_{std::move(executor), std::move(state_dir)} {}
  ~Runner() {
    if (driver_) run(driver_->close());
  }

  json answer(const json& request) {
    const std::string op = request.value("op", "");
    if (op == "driver") return make_driver(request);
    if (!driver_) return {{"error", "no driver"}};
    const std::string id = request.contains("task") ? config_of(request["task"]).id : request.value("id", "");
    if (op == "start") {
      const auto started = wait(driver_->start_task(config_of(request["task"])));
      if (!started) return error_of(started.error());
      const auto status = wait(driver_->inspect_task(id));
      return {{"id", id}, {"pid", std::stoi(status->driver_attributes.at("pid"))}};
    }
    if (op == "recover") {
      driver::TaskHandle handle;
      handle.version = 1;
      handle.config = config_of(request["task"]);
      const auto recovered = wait(driver_->recover_task(std::move(handle)));
      if (!recovered) return error_of(recovered.error());
      const auto status = wait(driver_->inspect_task(id));
      return {{"id", id}, {"pid", std::stoi(status->driver_attributes.at("pid"))}};
    }
    if (op == "wait") {
      const auto exit = wait(driver_->wait_task(id));
      return exit ? exit_of(*exit) : error_of(exit.error());
    }
    if (op == "destroy") return plain(wait(driver_->destroy_task(id, true)));
    if (op == "signal") return plain(wait(driver_->signal_task(id, request.value("signal", ""))));
    if (op == "stop") return plain(wait(driver_->stop_task(id, std::chrono::milliseconds(request.value("grace_ms", 0)), request.value("signal", ""))));
    if (op == "exec") {
      const auto result = wait(driver_->exec_task(id, request["command"].get<std::vector<std::string>>(), 20s));
      if (!result) return error_of(result.error());
      auto out = exit_of(result->exit);
      out["stdout"] = result->stdout_data;
      out["stderr"] = result->stderr_data;
      return out;
    }
    if (op == "terminal") return terminal(id, request);
    if (op == "fingerprint") return fingerprint();
    if (op == "events") return events();
    if (op == "stats") return stats(id);
    return {{"error", "unknown op"}};
  }

 private:
  json make_driver(const json& request) {
    if (driver_) run(driver_->close());
    const Logger log;
    if (request.value("name", "exec") == "exec") driver_ = std::make_unique<exec::ExecDriver>(loop_.get_executor(), log, host_, system_clock());
    else driver_ = std::make_unique<raw_exec::RawExecDriver>(loop_.get_executor(), log, host_, system_clock());
    return plain(wait(driver_->set_config(plugin::to_msgpack(request.value("config", json::object())), "v0.1.0")));
  }
  json terminal(const std::string& id, const json& request) {
    Channel<driver::ExecInput> input(loop_.get_executor(), 64);
    Channel<driver::ExecOutput> output(loop_.get_executor(), 64);
    for (const auto& part : request["input"]) {
      driver::ExecInput message;
      if (part.is_string()) message.stdin_data = part.get<std::string>();
      else message.resize = driver::TerminalSize{part[0].get<int>(), part[1].get<int>()};
      static_cast<void>(input.try_send(std::move(message)));
    }
    std::string text;
    std::optional<std::int32_t> code;
    Scope scope(loop_.get_executor());
    scope.spawn(take_output(output, text, code));
    const auto done = wait(driver_->exec_task_streaming(id, {.command = request["command"].get<std::vector<std::string>>(), .tty = true}, input, output));
    if (done) while (!code && loop_.run_one() > 0) {}
    run(scope.close());
    if (!done) return error_of(done.error());
    return {{"output", text}, {"code", code.value_or(-1)}};
  }
  json fingerprint() {
    Channel<driver::Fingerprint> channel(loop_.get_executor(), 1);
    std::optional<driver::Fingerprint> found;
    Scope scope(loop_.get_executor());
    scope.spawn(driver_->fingerprint(channel));
    wait_for_it(take_fingerprint(channel, found));
    channel.close();
    run(scope.close());
    json attributes = json::array();
    for (const auto& [name, value] : found->attributes) attributes.push_back(name);
    return {{"health", static_cast<int>(found->health)}, {"description", found->description}, {"attributes", attributes}};
  }
  json events() {
    Channel<driver::TaskEvent> channel(loop_.get_executor(), 16);
    std::vector<std::string> texts;
    Scope scope(loop_.get_executor());
    scope.spawn(driver_->task_events(channel));
    scope.spawn(take_events(channel, texts));
    loop_.restart();
    while (loop_.poll() > 0) {}
    channel.close();
    run(scope.close());
    return {{"events", texts}};
  }
  json stats(const std::string& id) {
    Channel<driver::TaskStats> channel(loop_.get_executor(), 1);
    Scope scope(loop_.get_executor());
    std::optional<Result<>> ended;
    scope.spawn(keep(driver_->task_stats(id, 50ms, channel), ended));
    json out = json::object();
    for (int i = 0; i < 2; ++i) {
      std::optional<std::optional<driver::TaskStats>> sample;
      wait_for_it(keep(channel.receive(), sample));
      if (!sample || !*sample) break;
      const auto& memory = (*sample)->total.memory;
      out = {{"rss", memory.rss}, {"usage", memory.usage}, {"processes", (*sample)->by_pid.size()}, {"measured", memory.measured}};
    }
    channel.close();
    run(scope.close());
    return out;
  }

  void wait_for_it(Async<> work) { run(std::move(work)); }
  void run(Async<> work) {
    Scope scope(loop_.get_executor());
    loop_.restart();
    scope.spawn(std::move(work));
    while (scope.size() > 0 && loop_.run_one() > 0) {}
  }
  template <class T>
  T wait(Async<T> work) {
    std::optional<T> out;
    run(keep(std::move(work), out));
    return std::move(*out);
  }
  static json plain(const Result<>& result) { return result ? json::object() : error_of(result.error()); }

  ExecutorHost host_;
  asio::io_context loop_;
  std::unique_ptr<ExecutorDriver> driver_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  Runner runner(argv[1], argv[2]);
  for (std::string line; std::getline(std::cin, line);) {
    const auto request = json::parse(line, nullptr, false);
    std::cout << runner.answer(request).dump(-1, ' ', false, json::error_handler_t::replace) << std::endl;
  }
  return 0;
}
