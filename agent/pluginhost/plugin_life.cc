// One plugin's life as the supervisor decides it: brought up, served, put aside, tried again.
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <csignal>
#include <nlohmann/json.hpp>

#include "agent/pluginhost/leftovers.h"
#include "agent/pluginhost/manager_impl.h"
#include "lib/version/version.h"
#include "sdk/base/text.h"

namespace drover::pluginhost {
namespace {
using namespace std::chrono_literals;
constexpr const char* api_version = plugin::api_version;

bool speaks(const driver::RemoteInfo& info) {
  return std::ranges::any_of(info.api_versions, [](const std::string& v) { return v == api_version || "v" + v == api_version; });
}
// A reason in one sentence, for health descriptions: what happened, and the plugin's last words.
std::string sentence(const std::string& reason) {
  const auto end = reason.find('\n');
  if (end == std::string::npos) return reason;
  std::string_view first = std::string_view(reason).substr(0, end);
  constexpr std::string_view heading = ", last lines on stderr:";
  if (first.ends_with(heading)) first.remove_suffix(heading.size());
  const std::string_view rest = trim(std::string_view(reason).substr(end));
  return fmt::format("{}: {}", first, rest.substr(rest.rfind('\n') + 1));
}
}  // namespace

std::function<void(const plugin::PluginLog&)> DriverManager::Impl::log_lines_of(PluginEntry& entry) {
  // The process may outlast the entry's manager by a turn of the loop.
  return [self = weak_from_this(), &entry, to = logger_of(entry)](const plugin::PluginLog& record) {
    const auto impl = self.lock();
    if (!impl) return;
    const UnixNanos now = impl->clock.unix_nanos();
    std::uint64_t dropped = 0;
    if (!entry.line_rate.pass(impl->reckoning.now(), dropped)) return;
    const auto keep = [&](LogLevel level, const std::string& message, const std::vector<std::pair<std::string, std::string>>& pairs) {
      to.write(level, message, pairs);
      entry.lines.add(format_text({now, level, entry.candidate.name, message, pairs}));
    };
    if (dropped > 0) keep(LogLevel::warn, fmt::format("dropped {} lines of the plugin: it writes more than 1000 a second", dropped), {});
    keep(std::min(record.level, LogLevel::error), record.message, record.pairs);
  };
}

bool DriverManager::Impl::denied(const std::string& name) const {
  const auto in = [&](const std::vector<std::string>& list) { return std::ranges::find(list, name) != list.end(); };
  return in(options.denylist) || (!options.allowlist.empty() && !in(options.allowlist));
}

Unexpected DriverManager::Impl::skip(PluginEntry& entry, std::string reason, std::string remedy) {
  advance(entry, Happened::skip);
  entry.reason = reason;
  entry.remedy = std::move(remedy);
  return fail(Error(Code::cancelled, std::move(reason)));
}

// Who the process is, and whether it is wanted here.
Async<Result<>> DriverManager::Impl::identify(PluginEntry& entry) {
  entry.step = "identify";
  auto info = co_await entry.setup.plugin_info();
  if (!info) co_return fail(info.error(), "failed to get plugin info for plugin \"{}\"", entry.candidate.path);
  if (info->type == driver::PluginType::unknown) co_return fail(Code::invalid_argument, "the plugin says that it is neither a driver nor a device");
  if (info->name.empty()) co_return fail(Code::invalid_argument, "the plugin has no name");
  if (!speaks(*info)) co_return fail(Code::conflict, "the plugin speaks API versions {}, this agent {}", join(info->api_versions, ", "), api_version);
  if (info->version.empty()) logger_of(entry).warn("the plugin has no version; it counts as older than any other", "plugin", info->name);
  if (denied(info->name)) co_return skip(entry, "driver.allowlist or driver.denylist keeps it away", "change the lists in the client block");
  entry.info = std::move(*info);
  entry.name = entry.info.name;
  entry.client.set_name(entry.name);
  for (const auto& each : entries) {
    PluginEntry& other = *each;
    const bool there = other.process && (other.supervision.phase == Phase::running || other.supervision.phase == Phase::starting);
    if (&other == &entry || !there || other.info.name != entry.name || other.info.type != entry.info.type) continue;
    if (goes_before(other, entry)) {
      co_return skip(entry, fmt::format("\"{}\" (version {}) provides {} {}, this is version {}", other.candidate.path, other.info.version,
                                        driver::to_string(entry.info.type), entry.name, entry.info.version), "remove one of the two");
    }
    [[maybe_unused]] const auto replaced = skip(other, fmt::format("\"{}\" (version {}) provides {} {}, this is version {}", entry.candidate.path, entry.info.version,
                                                                   driver::to_string(entry.info.type), entry.name, other.info.version), "remove one of the two");
    log.info("of two plugins with the same name the newer one is used", "plugin", entry.name, "used", entry.candidate.path, "not_used", other.candidate.path);
    other.disconnect();
    other.displaced.set();
  }
  co_return Result<>{};
}

bool DriverManager::Impl::goes_before(const PluginEntry& a, const PluginEntry& b) {
  // What is no version is older than any.
  const auto va = Version::parse(a.info.version), vb = Version::parse(b.info.version);
  const int order = va && vb ? va->compare(*vb) : static_cast<int>(va.has_value()) - static_cast<int>(vb.has_value());
  if (order != 0) return order > 0;
  if (a.candidate.first_party != b.candidate.first_party) return b.candidate.first_party;
  return a.candidate.path > b.candidate.path;
}

Async<Result<>> DriverManager::Impl::configure(PluginEntry& entry) {
  entry.step = "config";
  const auto schema = co_await entry.setup.config_schema();
  if (!schema) co_return fail(schema.error(), "the configuration schema of plugin \"{}\"", entry.name);
  std::string encoded;
  const std::string& given = entry.candidate.block.config_json;
  if (!*schema && !given.empty() && given != "{}") {
    co_return fail(Code::invalid_argument, "plugin \"{}\" takes no configuration: remove the config block", entry.candidate.name);
  }
  if (*schema) {
    const auto checked = plugin::check_schema(*schema);
    if (!checked) co_return fail(checked.error(), "the configuration schema of plugin \"{}\"", entry.name);
    const auto config = given.empty() ? nlohmann::json(nullptr) : nlohmann::json::parse(given, nullptr, false);
    // P-41: what is sent is what was checked, with the defaults that the check filled in.
    auto bytes = plugin::encode_config(*schema, config, nlohmann::json::object());
    if (!bytes) co_return fail(bytes.error(), "the config block of plugin \"{}\"", entry.candidate.name);
    encoded = std::move(*bytes);
  }
  auto done = co_await entry.setup.set_config(std::move(encoded), api_version, options.topology);
  if (!done) co_return fail(done.error(), "setting config for plugin \"{}\" ({}) failed", entry.name, driver::to_string(entry.info.type));
  entry.configured = true;
  co_return Result<>{};
}

Async<Result<>> DriverManager::Impl::learn(PluginEntry& entry) {
  if (!entry.is_driver()) co_return Result<>{};
  entry.step = "init";
  const auto done = co_await entry.setup.init();
  if (!done) co_return fail(done.error(), "initialising plugin \"{}\"", entry.name);
  entry.step = "schema";
  auto schema = co_await entry.setup.task_config_schema();
  if (!schema) co_return fail(schema.error(), "plugin \"{}\"", entry.name);
  const auto checked = plugin::check_schema(*schema);
  if (!checked) co_return fail(checked.error(), "the schema of tasks of plugin \"{}\"", entry.name);
  entry.step = "capabilities";
  auto capabilities = co_await entry.setup.capabilities();
  if (!capabilities) co_return fail(capabilities.error(), "the capabilities of plugin \"{}\"", entry.name);
  entry.task_schema = std::move(*schema);
  entry.capabilities = std::move(*capabilities);
  co_return Result<>{};
}

// Everything between the process's start and the first stream (3.4, in one launch).
Async<Result<>> DriverManager::Impl::set_up(PluginEntry& entry) {
  entry.setup.connect(entry.process->client());
  auto known = co_await identify(entry);
  if (!known) co_return known;
  limit(entry);
  auto configured = co_await configure(entry);
  if (!configured) co_return configured;
  auto learnt = co_await learn(entry);
  co_return learnt;
}

// No configuration is sent to a process that already runs (1.11). A device plugin is always started anew (6.4).
Async<Result<>> DriverManager::Impl::take_over(PluginEntry& entry, plugin::Reattach tuple) {
  entry.step = "re-attach";
  auto process = co_await plugin::reattach(executor, logger_of(entry), std::move(tuple), log_lines_of(entry));
  if (!process) co_return fail(process.error());
  entry.process = std::move(*process);
  entry.configured = true;
  entry.setup.connect(entry.process->client());
  auto known = co_await identify(entry);
  if (!known) co_return known;
  entry.cgroup = plugin_cgroup(options.cgroup_slice, entry.candidate.name, options.socket_dir);
  limit(entry);
  if (!entry.is_driver()) co_return fail(Code::not_found, "device plugins are started anew");
  auto learnt = co_await learn(entry);
  co_return learnt;
}

// P-20. A plugin without a cgroup of its own is no worse off than the agent.
void DriverManager::Impl::confine(PluginEntry& entry, int pid) {
  set_oom_score(pid, entry.candidate.first_party);
  entry.cgroup = plugin_cgroup(options.cgroup_slice, entry.candidate.name, options.socket_dir);
  if (entry.cgroup.empty()) return;
  if (const auto entered = enter_plugin_cgroup(entry.cgroup, pid); !entered) {
    logger_of(entry).warn("the plugin gets no cgroup of its own, and no limits", "reason", entered.error());
    entry.cgroup.clear();
  }
}

// Once it is known what it is.
void DriverManager::Impl::limit(PluginEntry& entry) {
  if (entry.cgroup.empty()) return;
  const bool written = !(entry.candidate.block.limits == PluginLimits{});
  for (const std::string& problem : set_plugin_limits(entry.cgroup, entry.candidate.block.limits, !entry.is_driver())) {
    logger_of(entry).write(written ? LogLevel::warn : LogLevel::debug, "a limit of the plugin does not hold", {{"reason", problem}});
  }
}

// P-12: a plugin that fails because it was asked for TLS must load all the same. Whether that was the reason is tried once.
Async<Result<>> DriverManager::Impl::start_process(PluginEntry& entry) {
  using Tls = PluginEntry::Tls;
  const bool tls = entry.candidate.asks_for_tls();
  auto up = co_await start_once(entry, tls && entry.tls != Tls::breaks);
  if (entry.process && !entry.process->tls_refused()) {
    if (entry.process->reattach().secure()) entry.tls = Tls::works;
    co_return up;
  }
  // One that is only slow is not kept waiting twice.
  if (up || !tls || entry.tls != Tls::untried || (!entry.process && up.error().code() != Code::unavailable)) co_return up;
  const std::string reason = up.error().message();
  co_await drop(entry);
  up = co_await start_once(entry, false);
  entry.tls = up ? Tls::breaks : Tls::not_to_blame;
  if (up) {
    logger_of(entry).warn("the plugin does not start when it is asked for TLS, and is used without; `mutual_tls = false` in its plugin block says so from the beginning",
                          "plugin", entry.name, "reason", reason);
  }
  co_return up;
}

Async<Result<>> DriverManager::Impl::start_once(PluginEntry& entry, bool tls) {
  entry.step = "launch";
  plugin::LaunchOptions launch{.executable = entry.candidate.path, .arguments = entry.candidate.block.args,
                               .environment = plugin::filter_environment(options.environment),
                               .directory = options.socket_dir + "/" + entry.candidate.name, .tls = tls, .on_spawn = [this, &entry](int pid) { confine(entry, pid); }, .on_log = log_lines_of(entry)};
  for (const Process& leftover : find_leftovers(launch.executable, launch.directory)) {
    log.warn("an earlier process of the plugin was left and is ended; its tasks go on", "plugin", entry.candidate.name, "pid", leftover.pid());
    if (const auto killed = leftover.signal(SIGKILL); !killed) log.warn("it could not be ended", "error", killed.error());
  }
  auto process = co_await plugin::launch(executor, logger_of(entry), std::move(launch));
  if (!process) co_return fail(process.error());
  entry.process = std::move(*process);
  entry.configured = false;
  auto ready = co_await set_up(entry);
  co_return ready;
}

Async<Result<>> DriverManager::Impl::bring_up(PluginEntry& entry, std::optional<plugin::Reattach> tuple, bool& taken_over) {
  if (tuple) {
    auto up = co_await take_over(entry, std::move(*tuple));
    taken_over = up.has_value();
    if (up || entry.supervision.phase == Phase::skipped) co_return up;
    log.info("plugin not re-attached", "plugin", entry.candidate.name, "reason", up.error());
    co_await drop(entry);
  }
  auto up = co_await start_process(entry);
  co_return up;
}

Async<> DriverManager::Impl::supervise(PluginEntry& entry, std::optional<plugin::Reattach> tuple) {
  bool taken_over = false;
  Next next = advance(entry, Happened::begin);
  for (;;) {
    switch (next.act) {
      case Act::start: {
        notify(entry);
        entry.displaced.reset();
        auto up = co_await bring_up(entry, std::exchange(tuple, std::nullopt), taken_over);
        // Another one was found better meanwhile.
        if (up && entry.supervision.phase == Phase::skipped) up = fail(Code::cancelled, "{}", entry.reason);
        // P-42: what does not come up is not left behind.
        if (!up) co_await drop(entry);
        if (!up && entry.supervision.phase != Phase::skipped) entry.reason = up.error().message();
        next = advance(entry, up ? Happened::up : Happened::failed);
        if (!up) now_down(entry, next);
        break;
      }
      case Act::serve:
        co_await serve(entry, std::exchange(taken_over, false));
        next = advance(entry, Happened::ended);
        now_down(entry, next);
        break;
      case Act::pause: {
        const bool asked = co_await entry.woken.wait_for(std::max(next.pause, 0ns));
        entry.woken.reset();
        if (asked) entry.tls = PluginEntry::Tls::untried;
        next = advance(entry, asked ? Happened::reset : Happened::time_over);
        break;
      }
      case Act::rest:
        co_await entry.woken.wait();
        entry.woken.reset();
        next = advance(entry, Happened::reset);
        break;
    }
  }
}

Async<> DriverManager::Impl::drop(PluginEntry& entry) {
  entry.disconnect();
  if (!entry.process) {
    leave_plugin_cgroup(std::exchange(entry.cgroup, {}));
    co_return;
  }
  entry.stderr_tail = entry.process->stderr_tail();
  auto process = std::move(entry.process);
  co_await process->stop();
  leave_plugin_cgroup(std::exchange(entry.cgroup, {}));
  store();
}

Async<> DriverManager::Impl::process_end(PluginEntry& entry, std::string& how) { how = co_await entry.process->wait(); }

// While the plugin runs. Ends with its process.
Async<> DriverManager::Impl::serve(PluginEntry& entry, bool taken_over) {
  entry.step = "running";
  entry.reason.clear();
  entry.remedy.clear();
  if (entry.is_driver()) entry.client.connect(entry.process->client());
  else entry.devices.connect(entry.process->client());
  entry.process_number = ++processes;
  entry.wants_no_hints = entry.wants_no_releases = false;
  store();
  log.info(taken_over ? "plugin re-attached" : "plugin started", "plugin", entry.name, "type", driver::to_string(entry.info.type), "version", entry.info.version,
           "pid", entry.process->pid());
  entry.settled.set();
  notify(entry);
  if (entry.supervision.restarts > 0 && entry.is_driver() && recovered) recovered(entry.name);
  using namespace asio::experimental::awaitable_operators;
  const std::uint64_t killed_before = oom_kills_in(entry.cgroup);
  std::string how;
  if (entry.is_driver()) {
    auto until_end = process_end(entry, how) || entry.displaced.wait() || watch_fingerprints(entry) || watch_task_events(entry) ||
                     watch_task_stats(entry) || watch_health(entry);
    co_await std::move(until_end);
  } else {
    auto until_end = process_end(entry, how) || entry.displaced.wait() || watch_devices(entry) || watch_device_stats(entry) || tell_of_owners(entry) ||
                     watch_health(entry);
    co_await std::move(until_end);
  }
  if (!entry.displaced.is_set()) entry.reason = "plugin exited: " + how;
  if (oom_kills_in(entry.cgroup) > killed_before) entry.reason += ": its cgroup was out of memory, see `limits` in its plugin block";
  co_await drop(entry);
}

// It does not run, for now or for good: said once.
void DriverManager::Impl::now_down(PluginEntry& entry, const Next& next) {
  entry.fingerprint = {.attributes = {}, .health = driver::Health::undetected, .description = sentence(entry.reason)};
  entry.listed = false;
  entry.groups.clear();
  entry.stats.clear();
  entry.hung.clear();
  set_all_stats(entry, std::nullopt);
  if (entry.supervision.phase != Phase::skipped) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(next.pause).count();
    entry.last_error = entry.reason;
    entry.last_step = entry.step;
    entry.last_error_at = clock.unix_nanos();
    const std::string when = next.act == Act::start ? "it is started again at once" : fmt::format("the next start is tried in {} s", seconds);
    entry.remedy = entry.supervision.phase == Phase::failed
                       ? fmt::format("it ended 10 times within 10 minutes; mend it, then `plugin reset {}`; one start is tried in {} s", entry.name, seconds)
                       : fmt::format("see `plugin logs {}`; {}", entry.name, when);
    entry.fingerprint.description += "; " + entry.remedy;
    log.warn("plugin is down", "plugin", entry.candidate.name, "step", entry.step, "reason", entry.reason, "next_start_s", seconds);
  }
  entry.settled.set();
  entry.fingerprinted.set();
  notify(entry);
}

// A plugin of an earlier run whose file or block is gone.
Async<> DriverManager::Impl::stop_leftover(plugin::Reattach tuple) {
  auto process = co_await plugin::reattach(executor, log, std::move(tuple));
  if (process) co_await (*process)->stop();
}

Async<> DriverManager::Impl::stop_one(PluginEntry& entry) {
  if (entry.process) {
    if (entry.is_driver()) [[maybe_unused]] const auto result = co_await entry.client.shutdown();
    co_await drop(entry);
  }
  if (entry.supervision.phase != Phase::skipped) advance(entry, Happened::stop);
}

}  // namespace drover::pluginhost
