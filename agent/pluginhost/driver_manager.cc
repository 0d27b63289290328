#include "agent/pluginhost/driver_manager.h"

#include <boost/asio/post.hpp>

#include "agent/pluginhost/manager_impl.h"
#include "agent/pluginhost/reattach_record.h"
#include "sdk/base/text.h"
#include "sdk/device/check.h"

namespace drover::pluginhost {

PluginEntry* DriverManager::Impl::find(const std::string& name) const {
  PluginEntry* out = nullptr;
  for (const auto& entry : entries) {
    if (entry->name == name && entry->is_driver() && entry->supervision.phase != Phase::skipped) out = entry.get();
  }
  return out;
}

PluginEntry* DriverManager::Impl::find_any(const std::string& name) const {
  PluginEntry* out = nullptr;
  for (const auto& entry : entries) {
    const bool wanted = entry->supervision.phase != Phase::skipped;
    if (entry->name == name && (out == nullptr || wanted)) out = entry.get();
    if (entry->candidate.name == name && out == nullptr) out = entry.get();
  }
  return out;
}

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
  constexpr std::int64_t forgotten_seconds = 300;
  if (!impl->options.cgroup_slice.empty()) sweep_plugin_cgroups(impl->options.cgroup_slice, impl->clock.unix_nanos() / 1'000'000'000, forgotten_seconds);
  Catalogue catalogue = scan_plugins(impl->options.directories, impl->options.blocks);
  impl->skipped = std::move(catalogue.skipped);
  for (Candidate& candidate : catalogue.candidates) {
    PluginEntry& entry = *impl->entries.emplace_back(std::make_unique<PluginEntry>(impl->executor, std::move(candidate)));
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

void DriverManager::rescan(std::map<std::string, PluginBlock> blocks) {
  impl_->options.blocks = std::move(blocks);
  Catalogue catalogue = scan_plugins(impl_->options.directories, impl_->options.blocks);
  impl_->skipped = std::move(catalogue.skipped);
  for (Candidate& candidate : catalogue.candidates) {
    PluginEntry* known = nullptr;
    for (const auto& entry : impl_->entries) {
      if (entry->candidate.path == candidate.path) known = entry.get();
    }
    if (known == nullptr) {
      PluginEntry& entry = *impl_->entries.emplace_back(std::make_unique<PluginEntry>(impl_->executor, std::move(candidate)));
      impl_->scope.spawn(impl_->supervise(entry, std::nullopt));
      continue;
    }
    const bool changed = !(known->candidate.block == candidate.block);
    known->candidate.block = std::move(candidate.block);
    if (!known->process) known->woken.set();
    else if (changed) impl_->log.info("the plugin's changed block takes effect at its next start", "plugin", known->name);
  }
}

void DriverManager::set_topology(plugin::NodeTopology topology) { impl_->options.topology = std::move(topology); }

Async<> DriverManager::detach() {
  const auto impl = impl_;
  co_await impl->scope.close();
  for (const auto& entry : impl->entries) {
    if (!entry->process) continue;
    co_await entry->process->detach();
    entry->disconnect();
    entry->process.reset();
    impl->advance(*entry, Happened::stop);
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
    if (entry->supervision.phase != Phase::skipped && entry->is_driver()) out.push_back(entry->name);
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
  PluginEntry* entry = impl_->find(name);
  if (entry == nullptr) return fail(no_driver(name, drivers()));
  if (!entry->task_schema) return fail(Code::unavailable, "driver \"{}\" has not started: {}", name, entry->reason);
  return &entry->client;
}

Result<plugin::Spec> DriverManager::schema(const std::string& name) const {
  const PluginEntry* entry = impl_->find(name);
  if (entry == nullptr) return fail(no_driver(name, drivers()));
  if (!entry->task_schema) return fail(Code::unavailable, "driver \"{}\" has not started: {}", name, entry->reason);
  return entry->task_schema;
}

Result<driver::Capabilities> DriverManager::capabilities(const std::string& name) const {
  const PluginEntry* entry = impl_->find(name);
  if (entry == nullptr) return fail(no_driver(name, drivers()));
  if (!entry->task_schema) return fail(Code::unavailable, "driver \"{}\" has not started: {}", name, entry->reason);
  return entry->capabilities;
}

bool DriverManager::is_first_party(const std::string& name) const {
  const PluginEntry* entry = impl_->find(name);
  return entry != nullptr && entry->candidate.first_party;
}

driver::Fingerprint DriverManager::fingerprint(const std::string& name) const {
  const PluginEntry* entry = impl_->find(name);
  if (entry == nullptr) return {.attributes = {}, .health = driver::Health::undetected, .description = no_driver(name, drivers()).message()};
  if (entry->hung.empty()) return entry->fingerprint;
  driver::Fingerprint out = entry->fingerprint;
  if (out.health == driver::Health::healthy) out.health = driver::Health::unhealthy;
  out.description = entry->hung;
  return out;
}

Async<Result<driver::Fingerprint>> DriverManager::wait_fingerprint(std::string name, std::chrono::nanoseconds limit) {
  const auto impl = impl_;
  PluginEntry* entry = impl->find(name);
  if (entry == nullptr) co_return fail(no_driver(name, drivers()));
  const bool arrived = co_await entry->fingerprinted.wait_for(limit);
  if (!arrived) co_return fail(Code::deadline_exceeded, "driver \"{}\" has sent no fingerprint within {}", name, format_duration(limit));
  co_return entry->fingerprint;
}

void DriverManager::on_change(std::function<void(const std::string&)> callback) { impl_->changed = std::move(callback); }
void DriverManager::on_recover(std::function<void(const std::string&)> callback) { impl_->recovered = std::move(callback); }
void DriverManager::on_task_event(std::function<void(const std::string&, const driver::TaskEvent&)> callback) { impl_->task_event = std::move(callback); }
void DriverManager::on_task_stats(std::function<void(const std::string&, std::vector<driver::TaskStats>)> callback) { impl_->task_stats = std::move(callback); }

Async<bool> DriverManager::gives_all_stats(std::string name) {
  for (;;) {
    PluginEntry* const entry = impl_->find(name);
    if (entry == nullptr || entry->all_stats.has_value()) co_return entry != nullptr && *entry->all_stats;
    co_await entry->stats_changed.wait();
  }
}

Async<> DriverManager::all_stats_over(std::string name) {
  for (;;) {
    PluginEntry* const entry = impl_->find(name);
    if (entry == nullptr || entry->all_stats != true) co_return;
    co_await entry->stats_changed.wait();
  }
}

void DriverManager::on_reattach_change(std::function<void()> callback) { impl_->reattach_changed = std::move(callback); }

std::string DriverManager::reattach_json() const {
  std::vector<plugin::Reattach> tuples;
  for (const auto& entry : impl_->entries) {
    // One without its configuration would never get it: the next agent starts it anew.
    if (entry->process && entry->configured) tuples.push_back(entry->process->reattach());
  }
  return encode_reattach(tuples);
}

std::vector<PluginStatus> DriverManager::plugins() const {
  std::vector<PluginStatus> out;
  for (const auto& entry : impl_->entries) {
    const Supervision& supervision = entry->supervision;
    PluginStatus& status = out.emplace_back();
    status.file = entry->candidate.path;
    status.name = entry->name;
    status.type = entry->info.type;
    status.version = entry->info.version;
    status.api_versions = entry->info.api_versions;
    status.first_party = entry->candidate.first_party;
    status.phase = supervision.phase;
    status.since = supervision.since;
    status.next_start = supervision.next_start;
    status.restarts = supervision.restarts;
    status.pid = entry->process ? entry->process->pid() : 0;
    status.secure = entry->process && entry->process->reattach().secure();
    status.step = entry->step;
    status.reason = entry->hung.empty() ? entry->reason : entry->hung;
    status.remedy = entry->remedy;
    status.stderr_tail = entry->process ? entry->process->stderr_tail() : entry->stderr_tail;
    status.last_error = entry->last_error;
    status.last_step = entry->last_step;
    status.last_error_at = entry->last_error_at;
    status.fingerprint = entry->fingerprint;
    if (!entry->hung.empty()) status.fingerprint = {.attributes = {}, .health = driver::Health::unhealthy, .description = entry->hung};
    status.refused = entry->refused;
    status.devices = entry->groups;
  }
  for (const auto& skipped : impl_->skipped) {
    PluginStatus& status = out.emplace_back();
    status.file = skipped.path;
    status.name = skipped.path.substr(skipped.path.rfind('/') + 1);
    status.phase = Phase::skipped;
    status.reason = skipped.reason;
    status.remedy = skipped.remedy;
  }
  return out;
}

PluginLogRing* DriverManager::log_of(const std::string& name) const {
  PluginEntry* entry = impl_->find_any(name);
  return entry == nullptr ? nullptr : &entry->lines;
}

Result<> DriverManager::reset(const std::string& name) {
  PluginEntry* entry = impl_->find_any(name);
  if (entry == nullptr) {
    std::vector<std::string> known;
    for (const auto& each : impl_->entries) known.push_back(each->name);
    return fail(Code::not_found, "no plugin \"{}\" on this node; plugins here: {}", name, known.empty() ? "none" : join(known, ", "));
  }
  // One that runs has its history forgotten at once; the others are woken.
  if (entry->process) entry->supervision.history = {};
  else entry->woken.set();
  return {};
}

std::vector<device::DeviceGroup> DriverManager::devices() const {
  std::vector<device::DeviceGroup> out;
  for (const auto& entry : impl_->entries) out.insert(out.end(), entry->groups.begin(), entry->groups.end());
  std::ranges::sort(out, {}, device::group_name);
  // Of two plugins that say the same the first counts.
  const auto same = std::ranges::unique(out, {}, device::group_name);
  out.erase(same.begin(), same.end());
  return out;
}

bool DriverManager::devices_known() const {
  const auto knows = [](const auto& entry) { return entry->is_driver() || entry->supervision.phase == Phase::skipped || entry->listed; };
  return std::ranges::all_of(impl_->entries, knows);
}

std::vector<device::DeviceGroupStats> DriverManager::device_stats() const {
  std::vector<device::DeviceGroupStats> out;
  for (const auto& entry : impl_->entries) out.insert(out.end(), entry->stats.begin(), entry->stats.end());
  return out;
}

}  // namespace drover::pluginhost
