#include "agent/client/client.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <nlohmann/json.hpp>

#include "agent/client/drain_self.h"
#include "agent/client/gauges.h"
#include "agent/client/managed_drivers.h"
#include "agent/client/node_facts.h"
#include "agent/client/plugin_facts.h"
#include "agent/client/plugin_options.h"
#include "agent/client/usage.h"
#include "agent/logs/collector.h"
#include "agent/state/state.h"
#include "agent/sync/desired.h"
#include "agent/sync/status_sender.h"
#include "agent/task/events.h"
#include "agent/task/task_dir.h"
#include "lib/model/codec.h"
#include "sdk/async/pool.h"
#include "sdk/async/scope.h"
#include "sdk/base/file.h"
#include "sdk/base/text.h"
#include "sdk/base/uuid.h"
#include "sdk/plugin/schema_json.h"

namespace drover::agent {
namespace {
using namespace std::chrono_literals;
constexpr auto plugins_limit = 5s;      // how long the first registration waits for plugins
constexpr auto query_wait = 5min;
constexpr auto first_retry = 250ms;
constexpr auto longest_retry = 15s;
constexpr auto fingerprint_pause = 50ms;  // changes of several drivers become one registration
}  // namespace

struct Client::Impl {
  explicit Impl(ClientOptions given)
      : options(std::move(given)),
        log(options.log.named("client")),
        rng(Rng::from_system()),
        pool(2),
        scope(options.executor),
        runner_scope(options.executor),
        manager(options.executor, log.named("driver_manager"), options.clock, plugin_options(options)),
        drivers(options.executor, manager),
        collector(options.executor, log.named("logs"), {options.plugin_directories.first_party + "/../drover-logd", options.config.client.state_dir + "/logd.sock"}),
        node_changed(options.executor),
        allocs_changed(options.executor),
        plugins_ready(options.executor),
        server_contacted(options.executor) {}

  // -- Start -----------------------------------------------------------------------------------------------------------

  Result<> open() {
    const std::string& state_dir = options.config.client.state_dir;
    DROVER_TRY(make_directories(state_dir, 0711));
    DROVER_TRY(make_directories(options.config.client.alloc_dir, 0711));
    auto opened = StateStore::open({.path = state_dir + "/state.db", .executor = options.executor, .clock = &options.clock});
    if (!opened) return fail(opened.error(), "opening the client's state");
    store = std::move(opened->store);
    stored = std::move(opened->state);
    for (const std::string& problem : stored.problems) log.error("the client's state was damaged", "problem", problem);
    DROVER_TRY(identify(state_dir));
    auto facts = gather_node_facts(options, node_id, secret_id);
    base_node = std::move(facts);
    manager.set_topology(plugin_topology(base_node));
    current_node = std::make_shared<const model::Node>(base_node);
    return {};
  }

  // client-id and secret-id, made once (client contract 2.1).
  Result<> identify(const std::string& dir) {
    const auto read_or_make = [&](const char* name, std::string& out) -> Result<> {
      const std::string path = dir + "/" + name;
      if (auto text = read_file(path, 256); text && is_uuid(trim(*text))) {
        out = trim(*text);
        return {};
      }
      out = make_uuid();
      return replace_file_durably(path, out, 0600);
    };
    DROVER_TRY(read_or_make("client-id", node_id));
    return read_or_make("secret-id", secret_id);
  }

  void begin() {
    task_services.emplace(TaskServices{
        .executor = options.executor, .clock = options.clock, .rng = rng, .log = log, .drivers = drivers,
        .node = [this] { return current_node; }, .region = options.config.region, .alloc_root = options.config.client.alloc_dir,
        .host_environment = filter_host_environment(options.environment),
        .server_contacted = server_contacted,
        .meter = options.meter,
        .reserve_devices = [this](device::Owner owner, device::DeviceSet devices) { return manager.reserve(std::move(owner), std::move(devices)); },
        .hold_devices = [this](device::Owner owner, device::DeviceSet devices) { manager.hold(std::move(owner), std::move(devices)); },
        .release_devices = [this](device::Owner owner, device::DeviceSet devices) { return manager.release(std::move(owner), std::move(devices)); },
        .collect_logs = [this](std::string dir, std::string task, std::uint64_t files, std::uint64_t bytes) {
          return collector.collect(std::move(dir), std::move(task), files, bytes);
        },
        .release_logs = [this](std::string dir, std::string task) { return collector.release(std::move(dir), std::move(task)); },
        .store_task = [this](std::string alloc, std::string task, std::string bytes) { return store_task(std::move(alloc), std::move(task), std::move(bytes)); }});
    if (const auto limit = options.config.client.max_kill_timeout.value; limit.count() > 0) task_services->max_kill_timeout = limit;
    alloc_services.emplace(AllocServices{
        .tasks = *task_services,
        .store_alloc = [this](std::string id, std::string bytes, std::map<std::string, std::string> tasks) { return store_alloc(std::move(id), std::move(bytes), std::move(tasks)); },
        .forget_alloc = [this](std::string id) { return forget_alloc(std::move(id)); },
        .changed = [this](const std::string& id) { sender->changed(id); alloc_changed(id); allocs_changed.notify_all(); },
        .remove_directory = [this](std::string directory) { return remove_directory(std::move(directory)); }});
    sender.emplace(options.executor, options.caller, node_id, secret_id,
                   [this](const std::string& id) -> std::shared_ptr<const model::Allocation> {
                     const auto at = runners.find(id);
                     return at == runners.end() ? nullptr : at->second->client_update();
                   },
                   log.named("status"));
    manager.on_change([this](const std::string&) {
      drivers.changed();
      node_changed.set();
      tell_of_lost_devices();
    });
    manager.on_task_event([this](const std::string&, const driver::TaskEvent& event) { driver_told(event); });
    manager.on_task_stats([this](const std::string& driver, std::vector<driver::TaskStats> stats) { drivers.measured(driver, std::move(stats)); });
    manager.on_recover([this](const std::string&) { drivers.changed(); });
    manager.on_reattach_change([this] { scope.spawn(store_reattach()); });
    scope.spawn(sender->run());
    scope.spawn(main());
  }

  Async<> main() {
    const auto reattach = stored.plugins.find("driver");
    scope.spawn(start_plugins(reattach == stored.plugins.end() ? "" : reattach->second));
    restore();
    [[maybe_unused]] const bool all = co_await plugins_ready.wait_for(plugins_limit);
    rebuild_node();
    const nanoseconds ttl = co_await register_until_done();
    scope.spawn(heartbeat(ttl));
    scope.spawn(watch_desired());
    scope.spawn(watch_node());
    reverse.emplace(scope, options.streams, model::NodeConnectRequest{node_id, secret_id}, options.serve, rng, log.named("requests"));
    scope.spawn(reverse->run());
  }

  Async<> start_plugins(std::string reattach) {
    co_await manager.start(std::move(reattach));
    for (const auto& status : manager.plugins()) {
      if (status.phase != pluginhost::Phase::running && status.phase != pluginhost::Phase::starting) {
        log.warn("a driver plugin is not running", "plugin", status.name.empty() ? status.file : status.name, "reason", status.reason, "remedy", status.remedy);
      }
    }
    drivers.changed();
    plugins_ready.set();
  }

  // Allocations of an earlier agent: the same runners, with stored records.
  void restore() {
    for (auto& [id, record] : stored.allocs) {
      if (!record.alloc) continue;
      auto alloc = std::make_shared<model::Allocation>();
      if (auto decoded = model::from_msgpack(*record.alloc, *alloc); !decoded) {
        log.error("a stored allocation cannot be read and is left out", "alloc_id", id, "error", decoded.error());
        continue;
      }
      std::map<std::string, TaskLocal> tasks;
      for (auto& [name, task] : record.tasks) {
        if (!task.local) continue;
        if (auto local = decode_task_local(*task.local); local) tasks[name] = std::move(*local);
      }
      // Its index is taken as unseen, so that the first answer of the servers brings the newest version.
      // A task without a record may run all the same: records with a damaged checksum are left out (F-37).
      add_runner(std::move(alloc), std::move(tasks), 0, true);
    }
    stored.allocs.clear();
  }

  void add_runner(std::shared_ptr<const model::Allocation> alloc, std::map<std::string, TaskLocal> tasks, std::uint64_t index, bool may_run_already) {
    const std::string id = alloc->id;
    auto runner = std::make_unique<AllocRunner>(*alloc_services, std::move(alloc), std::move(tasks), may_run_already);
    AllocRunner& running = *runner;
    runners[id] = std::move(runner);
    known[id] = index;
    runner_scope.spawn(running.run());
  }

  // -- Storage ---------------------------------------------------------------------------------------------------------

  Async<Result<>> store_task(std::string alloc, std::string task, std::string bytes) {
    std::vector<StateChange> changes;
    changes.push_back(StateChange::put({StateKind::task_local, std::move(alloc), std::move(task)}, std::move(bytes)));
    return store->commit(std::move(changes));
  }
  Async<Result<>> store_alloc(std::string id, std::string bytes, std::map<std::string, std::string> tasks) {
    std::vector<StateChange> changes;
    changes.push_back(StateChange::put({StateKind::alloc, id, ""}, std::move(bytes)));
    for (auto& [name, record] : tasks) changes.push_back(StateChange::put({StateKind::task_local, id, name}, std::move(record)));
    return store->commit(std::move(changes));
  }
  Async<Result<>> forget_alloc(std::string id) {
    std::vector<StateChange> changes;
    changes.push_back(StateChange::remove_alloc(std::move(id)));
    return store->commit(std::move(changes));
  }
  Async<> store_reattach() {
    std::vector<StateChange> changes;
    changes.push_back(StateChange::put({StateKind::plugin, "", "driver"}, manager.reattach_json()));
    auto done = co_await store->commit(std::move(changes));
    if (!done) log.error("storing how to reach the plugins failed", "error", done.error());
  }
  Async<Result<>> remove_directory(std::string directory) {
    auto work = [directory] { return remove_alloc_dir(directory); };
    return run_blocking(pool, std::move(work));
  }

  // Events of a driver reach the task they name (plugin protocol 5.3); late ones have none.
  void driver_told(const driver::TaskEvent& event) {
    const auto at = runners.find(event.alloc_id);
    TaskRunner* const task = at == runners.end() ? nullptr : at->second->task(event.task_name);
    if (task == nullptr) log.warn("a driver tells of a task that is not here", "alloc_id", event.alloc_id, "task", event.task_name);
    else task->add_event(events::driver_message(options.clock.unix_nanos(), event.message, event.annotations));
  }

  void tell_of_lost_devices() {
    const auto groups = manager.devices();
    // A plugin that is down has not lost its devices.
    const auto policy = options.config.client.options.find("device_lost");
    const bool fails = policy != options.config.client.options.end() && policy->second == "fail" && manager.devices_known();
    for (const auto& [id, runner] : runners) lost_devices.tell(*runner, groups, options.clock.unix_nanos(), fails);
  }

  // -- Node ------------------------------------------------------------------------------------------------------------

  void rebuild_node() {
    auto node = std::make_shared<model::Node>(base_node);
    add_driver_facts(*node, manager, driver_update_times, options.clock.unix_nanos());
    if (auto devices = device_resources(manager.devices()); !devices.empty()) node->node_resources.ensure().devices = std::move(devices);
    current_node = std::move(node);
  }

  Async<Result<nanoseconds>> register_node() {
    model::NodeRegisterRequest request;
    auto node = std::make_shared<model::Node>(*current_node);
    node->status = "ready";
    request.node = std::move(node);
    auto reply = co_await options.caller.call(wire::endpoints::node_register, std::move(request));
    if (!reply) co_return fail(reply.error());
    registered = true;
    log.info("node registration complete");
    co_return reply->heartbeat_ttl;
  }

  Async<nanoseconds> register_until_done() {
    nanoseconds retry = first_retry;
    for (;;) {
      auto ttl = co_await register_node();
      if (ttl) co_return *ttl;
      log.warn("registering the node failed; trying again", "error", ttl.error(), "in", format_duration(retry));
      co_await sleep_for(retry);
      retry = std::min<nanoseconds>(retry * 2, longest_retry);
    }
  }

  Async<> heartbeat(nanoseconds ttl) {
    nanoseconds wait = ttl.count() > 0 ? ttl : nanoseconds(10s);
    for (;;) {
      co_await sleep_for(wait);
      model::NodeUpdateStatusRequest request;
      request.node_id = node_id;
      request.secret_id = secret_id;
      request.status = "ready";
      auto reply = co_await options.caller.call(wire::endpoints::node_update_status, std::move(request));
      if (reply) {
        last_heartbeat = options.clock.monotonic();
        std::vector<std::string> servers;
        for (const auto& server : reply->servers) servers.push_back(server.rpc_advertise_addr);
        if (options.learn_servers) options.learn_servers(std::move(servers));
        wait = reply->heartbeat_ttl.count() > 0 ? reply->heartbeat_ttl : nanoseconds(10s);
      } else if (reply.error().code() == Code::not_found) {
        wait = co_await register_until_done();
      } else {
        log.warn("the heartbeat failed", "error", reply.error());
        wait = 1s + nanoseconds(static_cast<std::int64_t>(rng.below(1'000'000'000)));
      }
    }
  }

  // Registers again when drivers changed.
  Async<> watch_node() {
    for (;;) {
      co_await node_changed.wait();
      co_await sleep_for(fingerprint_pause);
      node_changed.reset();
      const auto before = current_node;
      rebuild_node();
      if (model::to_msgpack(*before) == model::to_msgpack(*current_node)) continue;
      [[maybe_unused]] const nanoseconds ttl = co_await register_until_done();
    }
  }

  // -- Allocations -----------------------------------------------------------------------------------------------------

  Async<> watch_desired() {
    std::uint64_t index = 0;
    nanoseconds retry = first_retry;
    for (;;) {
      model::NodeClientAllocsRequest request;
      request.node_id = node_id;
      request.secret_id = secret_id;
      request.min_query_index = index;
      request.max_query_time = query_wait;
      request.allow_stale = index != 0;
      auto reply = co_await options.caller.call(wire::endpoints::node_client_allocs, std::move(request));
      if (!reply) {
        log.warn("asking the servers for allocations failed", "error", reply.error());
        co_await sleep_for(retry);
        retry = std::min<nanoseconds>(retry * 2, longest_retry);
        continue;
      }
      retry = first_retry;
      if (reply->index < index) index = 0;
      if (reply->index == index && index != 0) continue;
      const bool complete = co_await apply(*reply);
      if (!complete) continue;
      index = reply->index;
      sender->open();
    }
  }

  Async<bool> apply(const model::NodeClientAllocsReply& reply) {
    std::erase_if(collected, [&](const auto& entry) { return !reply.alloc_modify_indexes.contains(entry.first); });
    const DesiredChanges changes = compare_desired(reply.alloc_modify_indexes, known, collected);
    std::map<std::string, std::shared_ptr<const model::Allocation>> fresh;
    for (const auto& alloc : reply.changed) fresh[alloc->id] = alloc;
    model::AllocGetRequest missing;
    for (const std::string& id : changes.fetch) {
      if (!fresh.contains(id)) missing.alloc_ids.push_back(id);
    }
    if (!missing.alloc_ids.empty()) {
      auto pulled = co_await options.caller.call(wire::endpoints::alloc_get_many, std::move(missing));
      if (!pulled) {
        log.warn("fetching allocations failed", "error", pulled.error());
        co_await sleep_for(first_retry);
        co_return false;
      }
      for (const auto& alloc : pulled->items) fresh[alloc->id] = alloc;
    }
    for (const std::string& id : changes.remove) remove_runner(id);
    for (const std::string& id : changes.fetch) {
      const auto at = fresh.find(id);
      if (at == fresh.end()) continue;
      const std::uint64_t index = reply.alloc_modify_indexes.find(id)->second;
      if (const auto runner = runners.find(id); runner != runners.end()) {
        known[id] = index;
        runner->second->update(at->second);
        sender->changed(id);
      } else if (is_over(*at->second)) {
        collected[id] = index;
      } else {
        // What the first answer names and no record tells of may run here all the same: the state was lost (F-37, F-38).
        add_runner(at->second, {}, index, !server_contacted.is_set());
      }
    }
    server_contacted.set();
    co_return true;
  }

  // It ended here before this agent's state begins: nothing to run.
  static bool is_over(const model::Allocation& alloc) {
    return alloc.client_status == "complete" || alloc.client_status == "failed" || alloc.client_status == "lost";
  }

  void remove_runner(const std::string& id) {
    known.erase(id);
    const auto at = runners.find(id);
    if (at == runners.end()) return;
    std::unique_ptr<AllocRunner> runner = std::move(at->second);
    runners.erase(at);
    scope.spawn(destroy(std::move(runner)));
  }

  static Async<> destroy(std::unique_ptr<AllocRunner> runner) { co_await runner->destroy(); }

  // Keeps at most gc_max_allocs allocations: the oldest ended ones go.
  void alloc_changed(const std::string& id) {
    const auto at = runners.find(id);
    if (at == runners.end() || !at->second->terminal()) return;
    const std::int64_t limit = options.config.client.gc_max_allocs > 0 ? options.config.client.gc_max_allocs : 50;
    while (static_cast<std::int64_t>(runners.size()) > limit) {
      const std::string oldest = oldest_terminal();
      if (oldest.empty() || !collect(oldest)) return;
    }
  }

  // Only of those whose end the servers know.
  std::string oldest_terminal() const {
    const AllocRunner* oldest = nullptr;
    for (const auto& [id, runner] : runners) {
      if (runner->terminal() && (oldest == nullptr || runner->terminal_since() < oldest->terminal_since())) oldest = runner.get();
    }
    return oldest == nullptr || !sender->idle() ? "" : oldest->alloc().id;
  }

  bool collect(std::string_view id) {
    const auto at = runners.find(std::string(id));
    if (at == runners.end() || !at->second->terminal()) return false;
    const std::string name = at->first;
    collected[name] = known[name];
    remove_runner(name);
    return true;
  }

  // Nothing runs that a drain moves.
  bool drained(bool ignore_system_jobs) const {
    return std::ranges::all_of(runners, [&](const auto& entry) {
      const model::Allocation& alloc = entry.second->alloc();
      return entry.second->terminal() || (ignore_system_jobs && alloc.job && alloc.job->type == "system");
    });
  }

  Async<Result<>> leave() {
    const auto& settings = options.config.client.drain_on_shutdown;
    if (!settings || options.config.dev_mode) co_return Result<>{};
    const bool ignore = settings->ignore_system_jobs;
    auto drained_self = co_await drain_self({.caller = options.caller, .log = log.named("drain"), .node_id = node_id, .settings = *settings,
                                             .empty = [this, ignore] { return drained(ignore); }, .changed = allocs_changed});
    co_return drained_self;
  }

  // In dev mode nothing is kept, so nothing may stay behind either.
  Async<> shutdown() {
    co_await scope.close();
    if (options.config.dev_mode) {
      Scope ending(options.executor);
      for (auto& [id, runner] : runners) ending.spawn(runner->destroy());
      co_await ending.join();
    }
    for (auto& [id, runner] : runners) co_await runner->detach();
    co_await runner_scope.close();
    co_await collector.detach();
    if (options.config.dev_mode) co_await manager.shutdown();
    else co_await manager.detach();
    co_await store->close();
    pool.join();
  }

  ClientOptions options;
  Logger log;
  Rng rng;
  Pool pool;
  Scope scope;
  Scope runner_scope;  // AllocRunner::run()
  pluginhost::DriverManager manager;
  ManagedDrivers drivers;
  LogCollector collector;
  Event node_changed;
  Condition allocs_changed;
  Event plugins_ready;
  Event server_contacted;  // the servers have said what they want of this node
  std::unique_ptr<StateStore> store;
  StoredState stored;
  std::string node_id, secret_id;
  model::Node base_node;
  std::shared_ptr<const model::Node> current_node;
  HostUsage host_usage;
  DriverUpdateTimes driver_update_times;
  std::optional<TaskServices> task_services;
  std::optional<AllocServices> alloc_services;
  std::optional<StatusSender> sender;
  std::optional<ReverseStream> reverse;
  std::map<std::string, std::unique_ptr<AllocRunner>> runners;
  std::map<std::string, std::uint64_t, std::less<>> known;      // AllocModifyIndex of what runners have
  std::map<std::string, std::uint64_t, std::less<>> collected;  // given up here while the servers still list them
  LostDevices lost_devices;
  std::chrono::steady_clock::time_point last_heartbeat{};
  bool registered = false;
};

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::~Client() = default;

Result<std::unique_ptr<Client>> Client::start(ClientOptions options) {
  auto impl = std::make_unique<Impl>(std::move(options));
  if (auto opened = impl->open(); !opened) return fail(opened.error());
  impl->begin();
  return std::unique_ptr<Client>(new Client(std::move(impl)));
}

Async<> Client::shutdown() { co_await impl_->shutdown(); }
Async<Result<>> Client::leave() {
  auto left = co_await impl_->leave();
  co_return left;
}
void Client::refresh() {
  refresh_node_facts(impl_->options, impl_->base_node);
  impl_->node_changed.set();
}
void Client::reload_plugins(const Config& config) {
  impl_->options.config.plugins = config.plugins;
  impl_->manager.rescan(plugin_options(impl_->options).blocks);
}
std::shared_ptr<const model::Node> Client::node() const { return impl_->current_node; }

AllocRunner* Client::alloc(std::string_view id) {
  const auto at = impl_->runners.find(std::string(id));
  return at == impl_->runners.end() ? nullptr : at->second.get();
}

model::HostStats Client::host_stats() {
  const auto& resources = impl_->current_node->node_resources;
  auto out = impl_->host_usage.read(impl_->options.config.client.alloc_dir, resources ? static_cast<double>(resources->cpu.cpu_shares) : 0,
                                    impl_->options.clock.unix_nanos());
  out.device_stats = device_stats(impl_->manager.device_stats(), nullptr);
  return out;
}

model::List<model::DriverSchema> Client::driver_schemas() const {
  model::List<model::DriverSchema> out;
  const auto statuses = impl_->manager.plugins();
  for (const std::string& name : impl_->manager.drivers()) {
    const auto schema = impl_->manager.schema(name);
    if (!schema) continue;
    const auto status = std::ranges::find_if(statuses, [&](const pluginhost::PluginStatus& one) { return one.name == name; });
    out.push_back({name, status == statuses.end() ? "" : status->version, model::Any(model::Json::parse(plugin::schema_to_json(*schema).dump()))});
  }
  return out;
}

bool Client::collect(std::string_view id) { return impl_->collect(id); }

void Client::collect_all() {
  std::vector<std::string> ids;
  for (const auto& [id, runner] : impl_->runners) {
    if (runner->terminal()) ids.push_back(id);
  }
  for (const std::string& id : ids) impl_->collect(id);
}

std::string Client::alloc_root() const { return impl_->options.config.client.alloc_dir; }
pluginhost::DriverManager& Client::plugin_manager() { return impl_->manager; }

std::vector<model::AgentPlugin> Client::plugins() const {
  std::map<std::string, std::int64_t> tasks;
  for (const auto& [id, runner] : impl_->runners) {
    for (const auto& task : runner->tasks()) {
      if (task->state().state == "running") ++tasks[task->task().driver];
    }
  }
  std::vector<model::AgentPlugin> out;
  for (const auto& status : impl_->manager.plugins()) {
    const bool runs = status.type == driver::PluginType::driver && status.phase != pluginhost::Phase::skipped;
    out.push_back(agent_plugin(status, runs ? tasks[status.name] : 0));
  }
  return out;
}

void Client::publish_gauges() {
  const metrics::Meter& meter = impl_->options.meter;
  const TelemetryConfig& wanted = impl_->options.config.telemetry;
  const model::Node& node = *impl_->current_node;
  std::vector<const AllocRunner*> runners;
  for (const auto& [id, runner] : impl_->runners) runners.push_back(runner.get());
  set_allocation_gauges(meter, node, runners);
  if (wanted.publish_node_metrics) {
    set_host_gauges(meter, node, host_stats());
    set_plugin_gauges(meter, node, plugins());
  }
  if (!wanted.publish_allocation_metrics) return;
  for (const AllocRunner* runner : runners) {
    if (!runner->terminal()) set_task_gauges(meter, *runner);
  }
}

std::map<std::string, std::string> Client::stats() const {
  const auto now = impl_->options.clock.monotonic();
  const auto last = impl_->last_heartbeat;
  return {{"node_id", impl_->node_id},
          {"known_servers", impl_->registered ? "1" : "0"},
          {"num_allocations", std::to_string(impl_->runners.size())},
          {"last_heartbeat", last == decltype(last)() ? "never" : format_duration(nanoseconds(now - last))},
          {"heartbeat_ttl", "10s"}};
}

}  // namespace drover::agent
