#include "agent/client/managed_drivers.h"

#include <nlohmann/json.hpp>
#include <unordered_map>

#include "sdk/base/defer.h"
#include "sdk/driver/check.h"
#include "sdk/plugin/config.h"

namespace drover::agent {
namespace {
constexpr std::size_t most_early = 10'000;

// Waits for `changed` for what is left until `end`; false when nothing is left.
Async<bool> wait_until(Condition& changed, std::chrono::steady_clock::time_point end) {
  const auto left = end - std::chrono::steady_clock::now();
  if (left <= std::chrono::nanoseconds(0)) co_return false;
  [[maybe_unused]] const bool woken = co_await changed.wait_for(left);
  co_return true;
}
}  // namespace

class ManagedDrivers::Entry final : public TaskDriver {
 public:
  Entry(std::string name, pluginhost::DriverManager& manager, Condition& changed, driver::DriverClient& client)
      : name_(std::move(name)), manager_(manager), changed_(changed), client_(&client) {}

  [[nodiscard]] driver::Capabilities capabilities() const override { return manager_.capabilities(name_).value_or(driver::Capabilities{}); }

  [[nodiscard]] bool writes_fifos() const override { return !manager_.is_first_party(name_); }

  [[nodiscard]] Result<std::string> encode_config(const std::string& config_json, const std::string& variables_json) const override {
    const auto schema = manager_.schema(name_);
    if (!schema) return fail(schema.error());
    const auto config = nlohmann::json::parse(config_json, nullptr, false);
    const auto variables = nlohmann::json::parse(variables_json, nullptr, false);
    if (config.is_discarded()) return fail(Code::invalid_argument, "the config block is not valid JSON");
    return plugin::encode_config(*schema, config, plugin::nest_variables(variables));
  }

  [[nodiscard]] Async<Result<Started>> start(driver::TaskConfig config) override {
    const std::string id = config.id;
    auto started = co_await client().start_task(std::move(config));
    if (!started) co_return fail(started.error());
    if (const auto checked = driver::check_handle(started->handle); !checked) {
      // It runs, and could not be found again.
      [[maybe_unused]] const auto destroyed = co_await client().destroy_task(id, true);
      co_return fail(checked.error());
    }
    co_return Started{std::move(started->handle.encoded), std::move(started->network)};
  }
  [[nodiscard]] Async<Result<>> recover(std::string handle) override { return client().recover_task(std::move(handle)); }
  [[nodiscard]] Async<Result<Started>> adopt(driver::TaskConfig config) override {
    auto adopted = co_await client().adopt_task(std::move(config));
    if (!adopted) co_return fail(adopted.error());
    // What the start would have told; a driver that cannot say it has no network.
    auto status = co_await client().inspect_task(adopted->handle.config.id);
    co_return Started{std::move(adopted->handle.encoded), status ? std::move(status->network) : std::nullopt};
  }
  [[nodiscard]] Async<Result<driver::ExitResult>> wait(std::string id) override { return client().wait_task(std::move(id)); }
  [[nodiscard]] Async<Result<>> stop(std::string id, std::chrono::nanoseconds timeout, std::string signal) override {
    return client().stop_task(std::move(id), timeout, std::move(signal));
  }
  [[nodiscard]] Async<Result<>> destroy(std::string id, bool force) override {
    auto destroyed = co_await client().destroy_task(id, force);
    early_.erase(id);  // a last sample that nobody asked for
    co_return destroyed;
  }
  [[nodiscard]] Async<Result<>> signal(std::string id, std::string signal) override { return client().signal_task(std::move(id), std::move(signal)); }
  [[nodiscard]] Async<Result<>> stats(std::string id, std::chrono::nanoseconds interval, Channel<driver::TaskStats>& out) override {
    const bool all = co_await manager_.gives_all_stats(name_);
    if (!all) {
      auto ended = co_await client().task_stats(std::move(id), interval, out);
      co_return ended;
    }
    listeners_[id] = &out;
    if (auto early = early_.extract(id)) [[maybe_unused]] const bool taken = out.try_send(std::move(early.mapped()));
    const Defer leave([&] {
      if (const auto at = listeners_.find(id); at != listeners_.end() && at->second == &out) listeners_.erase(at);
    });
    co_await manager_.all_stats_over(name_);
    early_.clear();
    co_return fail(Code::unavailable, "plugin is shut down");
  }
  void measured(std::vector<driver::TaskStats> stats) {
    for (auto& one : stats) {
      const auto at = listeners_.find(one.id);
      // Who has not taken the last ones yet gets the next.
      if (at != listeners_.end()) [[maybe_unused]] const bool taken = at->second->try_send(std::move(one));
      else if (early_.size() < most_early) early_.insert_or_assign(one.id, std::move(one));
    }
  }
  [[nodiscard]] Async<Result<>> exec(std::string id, driver::ExecOptions options, Channel<driver::ExecInput>& input,
                                     Channel<driver::ExecOutput>& output) override {
    return client().exec_task_streaming(std::move(id), std::move(options), input, output);
  }
  [[nodiscard]] Async<bool> wait_ready(std::chrono::nanoseconds limit) override {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!client().connected()) {
      const bool left = co_await wait_until(changed_, end);
      if (!left) co_return false;
    }
    co_return true;
  }

 private:
  // Another plugin may have taken the driver over (plugin protocol 3.3); the old client then only says that its process is gone.
  driver::DriverClient& client() {
    if (const auto found = manager_.driver(name_)) client_ = *found;
    return *client_;
  }

  std::string name_;
  pluginhost::DriverManager& manager_;
  Condition& changed_;
  driver::DriverClient* client_;  // of the plugin that last had the name
  // By the driver's id of the task. Of one that is just being started or taken over the sample comes before anybody asks for it.
  std::unordered_map<std::string, Channel<driver::TaskStats>*> listeners_;
  std::unordered_map<std::string, driver::TaskStats> early_;
};

ManagedDrivers::ManagedDrivers(Executor executor, pluginhost::DriverManager& manager) : manager_(manager), changed_(executor) {}
ManagedDrivers::~ManagedDrivers() = default;

void ManagedDrivers::measured(const std::string& driver, std::vector<driver::TaskStats> stats) {
  if (const auto at = entries_.find(driver); at != entries_.end()) at->second->measured(std::move(stats));
}

Async<Result<TaskDriver*>> ManagedDrivers::find(std::string name, std::chrono::nanoseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  for (;;) {
    auto client = manager_.driver(name);
    const bool known = client && manager_.capabilities(name);
    if (known) {
      auto& entry = entries_[name];
      if (!entry) entry = std::make_unique<Entry>(name, manager_, changed_, **client);
      co_return entry.get();
    }
    const bool left = co_await wait_until(changed_, end);
    if (!left) {
      if (client) co_return fail(Error(Code::unavailable, fmt::format("driver \"{}\" has not answered yet", name)).with_recoverable());
      co_return fail(client.error());
    }
  }
}

}  // namespace drover::agent
