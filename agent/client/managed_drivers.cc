#include "agent/client/managed_drivers.h"

#include <nlohmann/json.hpp>

#include "sdk/plugin/config.h"

namespace drover::agent {
namespace {
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
    auto started = co_await client().start_task(std::move(config));
    if (!started) co_return fail(started.error());
    co_return Started{std::move(started->handle.encoded), std::move(started->network)};
  }
  [[nodiscard]] Async<Result<>> recover(std::string handle) override { return client().recover_task(std::move(handle)); }
  [[nodiscard]] Async<Result<Started>> adopt(driver::TaskConfig config) override {
    auto adopted = co_await client().adopt_task(std::move(config));
    if (!adopted) co_return fail(adopted.error());
    co_return Started{std::move(adopted->handle.encoded), std::nullopt};
  }
  [[nodiscard]] Async<Result<driver::ExitResult>> wait(std::string id) override { return client().wait_task(std::move(id)); }
  [[nodiscard]] Async<Result<>> stop(std::string id, std::chrono::nanoseconds timeout, std::string signal) override {
    return client().stop_task(std::move(id), timeout, std::move(signal));
  }
  [[nodiscard]] Async<Result<>> destroy(std::string id, bool force) override { return client().destroy_task(std::move(id), force); }
  [[nodiscard]] Async<Result<>> signal(std::string id, std::string signal) override { return client().signal_task(std::move(id), std::move(signal)); }
  [[nodiscard]] Async<Result<>> stats(std::string id, std::chrono::nanoseconds interval, Channel<driver::TaskStats>& out) override {
    return client().task_stats(std::move(id), interval, out);
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
};

ManagedDrivers::ManagedDrivers(Executor executor, pluginhost::DriverManager& manager) : manager_(manager), changed_(executor) {}
ManagedDrivers::~ManagedDrivers() = default;

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
