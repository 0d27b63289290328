// What a plugin that runs keeps telling: fingerprints, events of tasks, devices and their figures. A stream that ends is opened
// again, after an error not at once, and said in one line, not in one a second.
#include <boost/asio/experimental/awaitable_operators.hpp>

#include "agent/pluginhost/manager_impl.h"
#include "sdk/device/check.h"

namespace drover::pluginhost {
namespace {
using namespace std::chrono_literals;
using namespace asio::experimental::awaitable_operators;
constexpr std::chrono::nanoseconds first_pause = 1s, longest_pause = 60s;
constexpr std::chrono::seconds stats_interval{1}, stats_limit{5};
constexpr std::chrono::nanoseconds ping_interval = 10s, ping_limit = 5s;

Async<> forever() {
  for (;;) co_await sleep_for(24h);
}

// What a stream did when it ended; unavailable is the process's end, which is said elsewhere.
template <class Ended>
const Error* failure(const Ended& ended) {
  const auto* result = std::get_if<0>(&ended);
  return result == nullptr || result->has_value() || result->error().code() == Code::unavailable ? nullptr : &result->error();
}

class Pause {
 public:
  Async<> wait() {
    co_await sleep_for(pause_);
    pause_ = std::min(pause_ * 2, longest_pause);
  }
  void good() { pause_ = first_pause; }

 private:
  std::chrono::nanoseconds pause_ = first_pause;
};

// Returns when `limit` has passed and still nothing was said.
template <class Said>
Async<> silence(Said said, std::chrono::nanoseconds limit) {
  co_await sleep_for(limit);
  if (said()) co_await forever();
}

template <class T, class Take>
Async<> take_all(Channel<T>& channel, Take take) {
  for (;;) {
    auto next = co_await channel.receive();
    if (!next) co_return;
    take(std::move(*next));
  }
}
}  // namespace

Async<> DriverManager::Impl::watch_fingerprints(PluginEntry& entry) {
  std::string said;
  Pause pause;
  for (;;) {
    Channel<driver::Fingerprint> channel(executor, 16);
    const auto take = [&](driver::Fingerprint next) {
      const bool news = !entry.fingerprinted.is_set() || !(next == entry.fingerprint);
      entry.fingerprint = std::move(next);
      entry.fingerprinted.set();
      pause.good();
      said.clear();
      if (news) notify(entry);
    };
    auto both = entry.client.fingerprint(channel) || take_all(channel, take);
    const auto end = co_await std::move(both);
    if (const Error* error = failure(end); error != nullptr && error->message() != said) {
      said = error->message();
      entry.fingerprint = {.attributes = {}, .health = driver::Health::undetected, .description = "failed to fingerprint driver"};
      entry.fingerprinted.set();
      log.warn("fingerprint failed", "driver", entry.name, "error", said);
      notify(entry);
    }
    co_await pause.wait();
  }
}

Async<> DriverManager::Impl::watch_task_events(PluginEntry& entry) {
  std::string said;
  Pause pause;
  for (;;) {
    Channel<driver::TaskEvent> channel(executor, 64);
    const auto take = [&](const driver::TaskEvent& event) {
      pause.good();
      said.clear();
      if (task_event) task_event(entry.name, event);
    };
    auto both = entry.client.task_events(channel) || take_all(channel, take);
    const auto end = co_await std::move(both);
    if (const Error* error = failure(end); error != nullptr && error->code() != Code::unimplemented && error->message() != said) {
      said = error->message();
      log.warn("the stream of task events failed", "driver", entry.name, "error", said);
    }
    co_await pause.wait();
  }
}

// Asked once a process: a driver that offers it says so at once.
Async<> DriverManager::Impl::watch_task_stats(PluginEntry& entry) {
  Pause pause;
  for (;;) {
    Channel<std::vector<driver::TaskStats>> channel(executor, 4);
    const auto take = [&](std::vector<driver::TaskStats> next) {
      pause.good();
      if (entry.all_stats != true) set_all_stats(entry, true);
      if (task_stats) task_stats(entry.name, std::move(next));
    };
    const auto answers = [&entry] { return entry.all_stats.has_value(); };
    auto both = entry.client.all_task_stats(stats_interval, channel) || take_all(channel, take) || silence(answers, stats_limit);
    const auto end = co_await std::move(both);
    const auto* result = std::get_if<0>(&end);
    const bool gone = result != nullptr && !*result && result->error().code() == Code::unavailable;
    if (!entry.all_stats && !gone) set_all_stats(entry, false);
    if (entry.all_stats == false) co_await forever();
    co_await pause.wait();
  }
}

Async<> DriverManager::Impl::watch_health(PluginEntry& entry) {
  UnixNanos silent_since = 0;
  for (;;) {
    co_await sleep_for(entry.hung.empty() ? ping_interval : std::chrono::nanoseconds(1s));
    const UnixNanos asked = clock.unix_nanos();
    const auto answer = co_await entry.process->ping(ping_limit);
    // Any answer is one; old plugins do not know the question.
    const bool silent = !answer && answer.error().code() == Code::deadline_exceeded;
    if (silent && silent_since == 0) silent_since = asked;
    if (!silent) silent_since = 0;
    std::string hung = silent ? fmt::format("the plugin (pid {}) does not answer; its tasks are left alone; if it does not recover, end it and it is started again", entry.process->pid()) : "";
    if (hung == entry.hung) continue;
    if (silent) log.warn("plugin does not answer", "plugin", entry.name, "pid", entry.process->pid());
    else log.info("plugin answers again", "plugin", entry.name);
    entry.hung = std::move(hung);
    notify(entry);
  }
}

Async<> DriverManager::Impl::watch_devices(PluginEntry& entry) {
  std::string said;
  Pause pause;
  for (;;) {
    Channel<std::vector<device::DeviceGroup>> channel(executor, 16);
    const auto take = [&](std::vector<device::DeviceGroup> next) {
      std::vector<std::string> refused;
      auto accepted = device::accept_groups(std::move(next), refused);
      const bool news = !entry.fingerprinted.is_set() || accepted != entry.groups;
      if (refused != entry.refused) {
        for (const std::string& why : refused) log.warn("a device group is refused", "plugin", entry.name, "reason", why);
      }
      entry.groups = std::move(accepted);
      entry.listed = true;
      entry.owners_changed.set();
      entry.refused = std::move(refused);
      entry.fingerprinted.set();
      pause.good();
      said.clear();
      if (news) notify(entry);
    };
    auto both = entry.devices.fingerprint(channel) || take_all(channel, take);
    const auto end = co_await std::move(both);
    // A stream that just ends says nothing about the devices: some plugins list them once a process.
    if (const Error* error = failure(end); error != nullptr && error->message() != said) {
      said = error->message();
      entry.groups.clear();
      entry.fingerprinted.set();
      entry.refused = {said};
      // That is how a plugin says that its configuration keeps it off.
      const bool off = said.find("not enabled") != std::string::npos;
      log.write(off ? LogLevel::info : LogLevel::warn, off ? "the device plugin is not enabled" : "finding devices failed", {{"plugin", entry.name}, {"error", said}});
      notify(entry);
    }
    co_await pause.wait();
  }
}

Async<> DriverManager::Impl::watch_device_stats(PluginEntry& entry) {
  Pause pause;
  co_await entry.fingerprinted.wait();
  for (;;) {
    Channel<std::vector<device::DeviceGroupStats>> channel(executor, 4);
    const auto take = [&](std::vector<device::DeviceGroupStats> next) {
      entry.stats = std::move(next);
      pause.good();
    };
    auto both = entry.devices.stats(stats_interval, channel) || take_all(channel, take);
    [[maybe_unused]] const auto end = co_await std::move(both);
    co_await pause.wait();
  }
}

}  // namespace drover::pluginhost
