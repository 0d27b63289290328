#include "agent/pluginhost/driver_manager.h"

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <csignal>
#include <nlohmann/json.hpp>

#include "agent/pluginhost/leftovers.h"
#include "agent/pluginhost/reattach_record.h"
#include "agent/pluginhost/restart_policy.h"
#include "sdk/base/text.h"
#include "sdk/plugin/config.h"

namespace drover::pluginhost {
namespace {
using namespace std::chrono_literals;
constexpr const char* api_version = "v0.1.0";

// One plugin and everything known of it. Lives as long as the manager.
struct Entry {
  Entry(const Executor& executor, Candidate from) : candidate(std::move(from)), settled(executor), fingerprinted(executor) {
    status.file = candidate.path;
    status.name = candidate.name;
  }
  Candidate candidate;
  PluginStatus status;
  driver::DriverClient client;
  std::unique_ptr<plugin::PluginProcess> process;
  plugin::Spec task_schema;  // empty until the plugin has run once
  driver::Capabilities capabilities;
  driver::Fingerprint fingerprint;
  RestartHistory history;
  Event settled;        // running, or has failed once
  Event fingerprinted;
};
}  // namespace

std::string_view to_string(Phase phase) {
  switch (phase) {
    case Phase::starting: return "starting";
    case Phase::running: return "running";
    case Phase::backoff: return "backoff";
    case Phase::failed: return "failed";
    case Phase::stopped: return "stopped";
    case Phase::skipped: return "skipped";
  }
  return "unknown";
}

struct DriverManager::Impl : std::enable_shared_from_this<Impl> {
  Impl(Executor loop, Logger logger, const Clock& time, Options given)
      : executor(loop), log(std::move(logger)), clock(time), options(std::move(given)), rng(Rng::from_system()), scope(loop) {}

  Executor executor;
  Logger log;
  const Clock& clock;
  Options options;
  Rng rng;
  std::vector<std::unique_ptr<Entry>> entries;
  std::vector<Skipped> skipped;
  std::function<void(const std::string&)> changed, recovered;
  std::function<void(const std::string&, const driver::TaskEvent&)> task_event;
  std::function<void()> reattach_changed;
  bool stopping = false;
  Scope scope;

  void notify(const Entry& entry) { if (changed) changed(entry.status.name); }
  void store() { if (reattach_changed) reattach_changed(); }

  Entry* find(const std::string& name) const {
    Entry* out = nullptr;
    for (const auto& entry : entries) {
      if (entry->status.name == name && entry->status.phase != Phase::skipped) out = entry.get();
    }
    return out;
  }

  [[nodiscard]] bool denied(const std::string& name) const {
    const auto in = [&](const std::vector<std::string>& list) { return std::find(list.begin(), list.end(), name) != list.end(); };
    return in(options.denylist) || (!options.allowlist.empty() && !in(options.allowlist));
  }

  Logger logger_of(const Entry& entry) const { return log.named(entry.candidate.name); }

  // Everything between the process's start and the first stream (3.4, in one launch).
  Async<Result<>> set_up(Entry& entry) {
    driver::DriverClient& client = entry.client;
    client.connect(entry.process->client());
    const auto info = co_await client.plugin_info();
    if (!info) co_return fail(info.error(), "failed to get plugin info for plugin \"{}\"", entry.candidate.path);
    if (info->type != driver::PluginType::driver) co_return skip(entry, "it is no task driver", "remove its plugin block until its kind is supported");
    if (std::find_if(info->api_versions.begin(), info->api_versions.end(), [](const std::string& v) { return v == api_version || v == "0.1.0"; }) == info->api_versions.end()) {
      co_return fail(Code::conflict, "the plugin speaks API versions {}, this agent {}", join(info->api_versions, ", "), api_version);
    }
    if (denied(info->name)) co_return skip(entry, "driver.allowlist or driver.denylist keeps it away", "change the lists in the client block");
    // The same name twice: a third party's plugin replaces ours (3.3), otherwise the first stays.
    Entry* const other = find(info->name);
    if (other != nullptr && other != &entry && other->status.phase == Phase::running) {
      if (entry.candidate.first_party || !other->candidate.first_party) {
        co_return skip(entry, fmt::format("\"{}\" already provides the driver {}", other->candidate.path, info->name), "remove one of the two");
      }
      [[maybe_unused]] const auto replaced = skip(*other, fmt::format("\"{}\" replaces it", entry.candidate.path), "");
      other->client.connect(nullptr);
      co_await other->process->stop();
    }
    entry.status.name = info->name;
    entry.status.version = info->version;

    const auto schema = co_await client.config_schema();
    if (!schema) co_return fail(schema.error(), "the configuration schema of plugin \"{}\"", info->name);
    std::string encoded;
    const std::string& given = entry.candidate.block.config_json;
    if (!*schema && !given.empty() && given != "{}") {
      co_return fail(Code::invalid_argument, "plugin \"{}\" takes no configuration: remove the config block", entry.candidate.name);
    }
    if (*schema) {
      const auto config = given.empty() ? nlohmann::json(nullptr) : nlohmann::json::parse(given, nullptr, false);
      auto bytes = plugin::encode_config(*schema, config, nlohmann::json::object());
      if (!bytes) co_return fail(bytes.error(), "the config block of plugin \"{}\"", entry.candidate.name);
      encoded = std::move(*bytes);
    }
    auto done = co_await client.set_config(std::move(encoded), api_version, options.topology);
    if (!done) co_return fail(done.error(), "setting config for plugin \"{}\" (driver) failed", info->name);
    co_return co_await learn(entry);
  }

  Async<Result<>> learn(Entry& entry) {
    const auto done = co_await entry.client.init();
    if (!done) co_return fail(done.error(), "initialising plugin \"{}\"", entry.status.name);
    auto schema = co_await entry.client.task_config_schema();
    if (!schema) co_return fail(schema.error(), "plugin \"{}\"", entry.status.name);
    auto capabilities = co_await entry.client.capabilities();
    if (!capabilities) co_return fail(capabilities.error(), "the capabilities of plugin \"{}\"", entry.status.name);
    entry.task_schema = std::move(*schema);
    entry.capabilities = std::move(*capabilities);
    co_return Result<>{};
  }

  // No configuration is sent to a process that already runs (1.11).
  Async<Result<>> take_over(Entry& entry, plugin::Reattach tuple) {
    auto process = co_await plugin::reattach(executor, logger_of(entry), std::move(tuple));
    if (!process) co_return fail(process.error());
    entry.process = std::move(*process);
    entry.client.connect(entry.process->client());
    const auto info = co_await entry.client.plugin_info();
    if (!info) co_return fail(info.error());
    entry.status.name = info->name;
    entry.status.version = info->version;
    if (denied(info->name)) co_return skip(entry, "driver.allowlist or driver.denylist keeps it away", "change the lists in the client block");
    co_return co_await learn(entry);
  }

  Async<Result<>> start_process(Entry& entry) {
    plugin::LaunchOptions launch{.executable = entry.candidate.path, .arguments = entry.candidate.block.args,
                                 .environment = plugin::filter_environment(options.environment),
                                 .directory = options.socket_dir + "/" + entry.candidate.name};
    for (const Process& leftover : find_leftovers(launch.executable, launch.directory)) {
      log.warn("an earlier process of the plugin was left and is ended; its tasks go on", "plugin", entry.candidate.name, "pid", leftover.pid());
      if (const auto killed = leftover.signal(SIGKILL); !killed) log.warn("it could not be ended", "error", killed.error());
    }
    auto process = co_await plugin::launch(executor, logger_of(entry), std::move(launch));
    if (!process) co_return fail(process.error());
    entry.process = std::move(*process);
    co_return co_await set_up(entry);
  }

  static Unexpected skip(Entry& entry, std::string reason, std::string remedy) {
    entry.status.phase = Phase::skipped;
    entry.status.reason = reason;
    entry.status.remedy = std::move(remedy);
    return fail(Error(Code::cancelled, std::move(reason)));
  }

  // One plugin from its start to the manager's end.
  Async<> supervise(Entry& entry, std::optional<plugin::Reattach> tuple) {
    for (;;) {
      const UnixNanos began = clock.unix_nanos();
      entry.status.phase = Phase::starting;
      Result<> up;
      bool taken_over = false;
      if (tuple) {
        up = co_await take_over(entry, std::move(*tuple));
        tuple.reset();
        taken_over = up.has_value();
        if (!up && entry.status.phase != Phase::skipped) log.info("plugin not re-attached", "plugin", entry.candidate.name, "reason", up.error());
      }
      if (!taken_over && entry.status.phase != Phase::skipped) {
        co_await drop(entry);
        up = co_await start_process(entry);
      }
      std::string reason;
      if (up) {
        co_await serve(entry, taken_over, reason);
      } else {
        reason = up.error().message();
        // P-42: what does not come up is not left behind.
        co_await drop(entry);
      }
      if (entry.status.phase == Phase::skipped) {
        settle(entry);
        co_return;
      }
      const auto decision = plan_restart(entry.history, began, clock.unix_nanos(), rng.unit());
      mark_down(entry, std::move(reason), decision);
      co_await sleep_for(decision.delay);
      ++entry.status.restarts;
    }
  }

  Async<> drop(Entry& entry) {
    entry.client.connect(nullptr);
    if (!entry.process) co_return;
    auto process = std::move(entry.process);
    entry.status.pid = 0;
    co_await process->stop();
    store();
  }

  // While the plugin runs. Ends with its process, and says how it ended.
  Async<> serve(Entry& entry, bool taken_over, std::string& reason) {
    const bool replaced = entry.status.restarts > 0;
    entry.status.phase = Phase::running;
    entry.status.pid = entry.process->pid();
    entry.status.reason.clear();
    entry.status.remedy.clear();
    store();
    log.info(taken_over ? "plugin re-attached" : "plugin started", "driver", entry.status.name, "version", entry.status.version, "pid", entry.status.pid);
    settle(entry);
    notify(entry);
    if (replaced && recovered) recovered(entry.status.name);
    using namespace asio::experimental::awaitable_operators;
    auto until_end = process_end(entry, reason) || watch_fingerprints(entry) || watch_task_events(entry);
    co_await std::move(until_end);
    entry.client.connect(nullptr);
    if (entry.process) entry.status.stderr_tail = entry.process->stderr_tail();
    auto process = std::move(entry.process);
    entry.status.pid = 0;
    if (process) co_await process->stop();
    store();
  }

  static Async<> process_end(Entry& entry, std::string& reason) {
    const auto end = co_await entry.process->wait();
    reason = "plugin exited: " + end;
  }

  void mark_down(Entry& entry, std::string reason, const RestartDecision& decision) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(decision.delay).count();
    entry.status.phase = decision.broken ? Phase::failed : Phase::backoff;
    entry.status.reason = reason;
    entry.status.remedy = fmt::format("see the plugin's last lines and the agent's log; the next start is tried in {} s", seconds);
    entry.fingerprint = {.attributes = {}, .health = driver::Health::undetected, .description = reason};
    log.warn("plugin is down", "plugin", entry.candidate.name, "reason", reason, "next_start_s", seconds);
    settle(entry);
    entry.fingerprinted.set();
    notify(entry);
  }

  static void settle(Entry& entry) { entry.settled.set(); }

  Async<> take_fingerprints(Entry& entry, Channel<driver::Fingerprint>& channel) {
    for (;;) {
      auto next = co_await channel.receive();
      if (!next) co_return;
      const bool news = !entry.fingerprinted.is_set() || !(*next == entry.fingerprint);
      entry.fingerprint = std::move(*next);
      entry.fingerprinted.set();
      if (news) notify(entry);
    }
  }
  // The stream is opened again whenever it ends; after an error not at once.
  Async<> watch_fingerprints(Entry& entry) {
    std::chrono::nanoseconds pause = 1s;
    for (;;) {
      Channel<driver::Fingerprint> channel(executor, 16);
      using namespace asio::experimental::awaitable_operators;
      auto both = entry.client.fingerprint(channel) || take_fingerprints(entry, channel);
      const auto end = co_await std::move(both);
      const auto* result = std::get_if<0>(&end);
      if (result != nullptr && !*result && result->error().code() != Code::unavailable) {
        entry.fingerprint = {.attributes = {}, .health = driver::Health::undetected, .description = "failed to fingerprint driver"};
        entry.fingerprinted.set();
        log.warn("fingerprint failed", "driver", entry.status.name, "error", result->error());
        notify(entry);
      }
      co_await sleep_for(pause);
      pause = std::min<std::chrono::nanoseconds>(pause * 2, 60s);
    }
  }
  Async<> take_task_events(Entry& entry, Channel<driver::TaskEvent>& channel) {
    for (;;) {
      const auto event = co_await channel.receive();
      if (!event) co_return;
      if (task_event) task_event(entry.status.name, *event);
    }
  }
  Async<> watch_task_events(Entry& entry) {
    std::chrono::nanoseconds pause = 1s;
    for (;;) {
      Channel<driver::TaskEvent> channel(executor, 64);
      using namespace asio::experimental::awaitable_operators;
      auto both = entry.client.task_events(channel) || take_task_events(entry, channel);
      co_await std::move(both);
      co_await sleep_for(pause);
      pause = std::min<std::chrono::nanoseconds>(pause * 2, 60s);
    }
  }

  // A plugin of an earlier run whose file or block is gone.
  Async<> stop_leftover(plugin::Reattach tuple) {
    auto process = co_await plugin::reattach(executor, log, std::move(tuple));
    if (process) co_await (*process)->stop();
  }

  Async<> stop_one(Entry& entry) {
    if (entry.process) {
      [[maybe_unused]] const auto result = co_await entry.client.shutdown();
      co_await drop(entry);
    }
    if (entry.status.phase != Phase::skipped) entry.status.phase = Phase::stopped;
  }
};

DriverManager::DriverManager(Executor executor, Logger log, const Clock& clock, Options options)
    : impl_(std::make_shared<Impl>(std::move(executor), std::move(log), clock, std::move(options))) {}

DriverManager::~DriverManager() {
  impl_->scope.cancel();
  // Members unwind on the loop and refer to the Impl.
  asio::post(impl_->executor, [impl = impl_] {});
}

Async<> DriverManager::start(std::string reattach_json) {
  const auto impl = impl_;
  auto tuples = decode_reattach(reattach_json);
  Catalogue catalogue = scan_plugins(impl->options.directories, impl->options.blocks);
  impl->skipped = std::move(catalogue.skipped);
  for (Candidate& candidate : catalogue.candidates) {
    Entry& entry = *impl->entries.emplace_back(std::make_unique<Entry>(impl->executor, std::move(candidate)));
    std::optional<plugin::Reattach> tuple;
    const auto at = std::find_if(tuples.begin(), tuples.end(), [&](const auto& t) { return t.executable == entry.candidate.path; });
    if (at != tuples.end()) {
      tuple = std::move(*at);
      tuples.erase(at);
    }
    impl->scope.spawn(impl->supervise(entry, std::move(tuple)));
  }
  for (auto& tuple : tuples) impl->scope.spawn(impl->stop_leftover(std::move(tuple)));
  for (const auto& entry : impl->entries) co_await entry->settled.wait();
}

Async<> DriverManager::detach() {
  const auto impl = impl_;
  co_await impl->scope.close();
  for (const auto& entry : impl->entries) {
    if (!entry->process) continue;
    co_await entry->process->detach();
    entry->client.connect(nullptr);
    entry->process.reset();
    entry->status.phase = Phase::stopped;
  }
}

Async<> DriverManager::shutdown() {
  const auto impl = impl_;
  co_await impl->scope.close();
  for (const auto& entry : impl->entries) impl->scope.spawn(impl->stop_one(*entry));
  co_await impl->scope.join();
}

std::vector<std::string> DriverManager::drivers() const {
  std::vector<std::string> out;
  for (const auto& entry : impl_->entries) {
    if (entry->status.phase != Phase::skipped) out.push_back(entry->status.name);
  }
  return out;
}

namespace {
Error no_driver(const std::string& name, std::vector<std::string> known) {
  std::sort(known.begin(), known.end());
  return Error(Code::not_found, fmt::format("no driver \"{}\" on this node; drivers here: {}", name, known.empty() ? "none" : join(known, ", ")));
}
}  // namespace

Result<driver::DriverClient*> DriverManager::driver(const std::string& name) {
  Entry* entry = impl_->find(name);
  if (entry == nullptr) return fail(no_driver(name, drivers()));
  if (!entry->task_schema) return fail(Code::unavailable, "driver \"{}\" has not started: {}", name, entry->status.reason);
  return &entry->client;
}

Result<plugin::Spec> DriverManager::schema(const std::string& name) const {
  const Entry* entry = impl_->find(name);
  if (entry == nullptr) return fail(no_driver(name, drivers()));
  if (!entry->task_schema) return fail(Code::unavailable, "driver \"{}\" has not started: {}", name, entry->status.reason);
  return entry->task_schema;
}

Result<driver::Capabilities> DriverManager::capabilities(const std::string& name) const {
  const Entry* entry = impl_->find(name);
  if (entry == nullptr) return fail(no_driver(name, drivers()));
  if (!entry->task_schema) return fail(Code::unavailable, "driver \"{}\" has not started: {}", name, entry->status.reason);
  return entry->capabilities;
}

driver::Fingerprint DriverManager::fingerprint(const std::string& name) const {
  const Entry* entry = impl_->find(name);
  if (entry == nullptr) return {.attributes = {}, .health = driver::Health::undetected, .description = no_driver(name, drivers()).message()};
  return entry->fingerprint;
}

Async<Result<driver::Fingerprint>> DriverManager::wait_fingerprint(std::string name, std::chrono::nanoseconds limit) {
  const auto impl = impl_;
  Entry* entry = impl->find(name);
  if (entry == nullptr) co_return fail(no_driver(name, drivers()));
  const bool arrived = co_await entry->fingerprinted.wait_for(limit);
  if (!arrived) co_return fail(Code::deadline_exceeded, "driver \"{}\" has sent no fingerprint within {}", name, format_duration(limit));
  co_return entry->fingerprint;
}

void DriverManager::on_change(std::function<void(const std::string&)> callback) { impl_->changed = std::move(callback); }
void DriverManager::on_recover(std::function<void(const std::string&)> callback) { impl_->recovered = std::move(callback); }
void DriverManager::on_task_event(std::function<void(const std::string&, const driver::TaskEvent&)> callback) { impl_->task_event = std::move(callback); }
void DriverManager::on_reattach_change(std::function<void()> callback) { impl_->reattach_changed = std::move(callback); }

std::string DriverManager::reattach_json() const {
  std::vector<plugin::Reattach> tuples;
  for (const auto& entry : impl_->entries) {
    if (entry->process) tuples.push_back(entry->process->reattach());
  }
  return encode_reattach(tuples);
}

std::vector<PluginStatus> DriverManager::plugins() const {
  std::vector<PluginStatus> out;
  for (const auto& entry : impl_->entries) {
    out.push_back(entry->status);
    if (entry->process) out.back().stderr_tail = entry->process->stderr_tail();
  }
  for (const auto& skipped : impl_->skipped) {
    out.push_back({.file = skipped.path, .name = skipped.path.substr(skipped.path.rfind('/') + 1), .version = {}, .phase = Phase::skipped,
                   .pid = 0, .reason = skipped.reason, .remedy = skipped.remedy, .stderr_tail = {}, .restarts = 0});
  }
  return out;
}

}  // namespace drover::pluginhost
