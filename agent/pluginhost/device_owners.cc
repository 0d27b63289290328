// Who holds which devices: reserved for a task, told to the plugin, released. What is told goes in one order for each plugin, again to
// each of its processes, and not at all to one that does not want it.
#include "agent/pluginhost/manager_impl.h"
#include "sdk/device/check.h"

namespace drover::pluginhost {
namespace {
using namespace std::chrono_literals;
// How long the end of a task, and the next reservation of its devices, wait for a plugin that is away or slow.
constexpr auto release_limit = 10s;
constexpr std::chrono::nanoseconds first_pause = 1s, longest_pause = 60s;
// Far beyond what a node has of both; the oldest are forgotten.
constexpr std::size_t most_holdings = 4096;

std::string group_of(const device::DeviceSet& devices) {
  return device::group_name({.vendor = devices.vendor, .type = devices.type, .name = devices.name, .devices = {}, .attributes = {}});
}
bool has_group(const PluginEntry& entry, const std::string& wanted) {
  return std::ranges::any_of(entry.groups, [&](const device::DeviceGroup& group) { return device::group_name(group) == wanted; });
}
bool overlap(const device::DeviceSet& a, const device::DeviceSet& b) {
  return group_of(a) == group_of(b) && std::ranges::any_of(a.ids, [&](const std::string& id) { return std::ranges::find(b.ids, id) != b.ids.end(); });
}
}  // namespace

PluginEntry* DriverManager::Impl::owner_of(const std::string& group) const {
  for (const auto& entry : entries) {
    if (has_group(*entry, group)) return entry.get();
  }
  return nullptr;
}

std::shared_ptr<Holding> DriverManager::Impl::holding(device::Owner owner, device::DeviceSet devices) {
  for (const auto& each : holdings) {
    if (!(each->owner == owner) || group_of(each->devices) != group_of(devices)) continue;
    each->devices = std::move(devices);
    return each;
  }
  if (holdings.size() >= most_holdings) holdings.erase(holdings.begin());
  holdings.push_back(std::make_shared<Holding>(executor, std::move(owner), std::move(devices)));
  return holdings.back();
}

Async<Result<device::Reservation>> DriverManager::reserve(device::Owner owner, device::DeviceSet devices) {
  const auto impl = impl_;
  const std::string wanted = group_of(devices);
  // Who had them before is told of first.
  const auto before = impl->holdings;
  for (const auto& each : before) {
    if (each->freed && overlap(each->devices, devices)) [[maybe_unused]] const bool told = co_await each->released.wait_for(release_limit);
  }
  PluginEntry* const entry = impl->owner_of(wanted);
  if (entry == nullptr) co_return fail(Error(Code::unavailable, fmt::format("failed to reserve device {}: no device plugin of this node has it now", wanted)).with_recoverable());
  const auto held = impl->holding(std::move(owner), devices);
  held->freed = false;
  co_await impl->hint(*entry, held);
  auto reserved = co_await entry->devices.reserve(std::move(devices.ids));
  if (!reserved) co_return fail(Error(reserved.error().code(), fmt::format("failed to reserve device {}: {}", wanted, driver::rpc_text(reserved.error()))));
  // P-26: a task gets nothing that a plugin made up.
  const auto checked = device::check_reservation(*reserved);
  if (!checked) co_return fail(checked.error(), "failed to reserve device {}: the plugin's answer is refused", wanted);
  co_return reserved;
}

void DriverManager::hold(device::Owner owner, device::DeviceSet devices) {
  const auto held = impl_->holding(std::move(owner), std::move(devices));
  if (PluginEntry* const entry = impl_->owner_of(group_of(held->devices))) entry->owners_changed.set();
}

Async<Result<>> DriverManager::release(device::Owner owner, device::DeviceSet devices) {
  const auto impl = impl_;
  const std::string wanted = group_of(devices);
  const auto held = impl->holding(std::move(owner), std::move(devices));
  held->freed = true;
  PluginEntry* const entry = impl->owner_of(wanted);
  if (entry != nullptr) entry->owners_changed.set();
  // All plugins that there are have listed what they have: nobody is left to be told.
  if (entry == nullptr && devices_known()) std::erase(impl->holdings, held);
  else if (const bool told = co_await held->released.wait_for(release_limit); !told) co_return fail(Code::unavailable, "the plugin of device {} has not answered", wanted);
  co_return Result<>{};
}

Async<> DriverManager::Impl::hint(PluginEntry& entry, std::shared_ptr<Holding> held) {
  held->told_to = entry.process_number;
  if (entry.wants_no_hints) co_return;
  const auto told = co_await entry.devices.owner_hint(held->owner, held->devices);
  if (!told && told.error().code() == Code::unimplemented) entry.wants_no_hints = true;
  else if (!told) log.debug("the device plugin was not told of an owner", "plugin", entry.name, "alloc_id", held->owner.alloc_id, "error", told.error());
}

// False: to be tried again.
Async<bool> DriverManager::Impl::release(PluginEntry& entry, std::shared_ptr<Holding> held) {
  if (!entry.wants_no_releases) {
    const auto told = co_await entry.devices.release(held->owner, held->devices);
    const Code code = told ? Code::internal : told.error().code();
    if (!told && (code == Code::unavailable || code == Code::deadline_exceeded)) co_return false;
    if (!told && code == Code::unimplemented) entry.wants_no_releases = true;
    else if (!told) log.warn("the device plugin failed to release devices", "plugin", entry.name, "alloc_id", held->owner.alloc_id, "task", held->owner.task, "error", told.error());
  }
  // Reserved again meanwhile, by a restart of the same task.
  if (!held->freed) co_return true;
  std::erase(holdings, held);
  held->released.set();
  co_return true;
}

// One at a time, in the order in which they came.
Async<> DriverManager::Impl::tell_of_owners(PluginEntry& entry) {
  auto pause = first_pause;
  for (;;) {
    co_await entry.owners_changed.wait();
    entry.owners_changed.reset();
    const auto now = holdings;
    for (const auto& held : now) {
      if (!has_group(entry, group_of(held->devices))) continue;
      if (!held->freed && held->told_to != entry.process_number) co_await hint(entry, held);
      if (!held->freed) continue;
      const bool told = co_await release(entry, held);
      if (told) {
        pause = first_pause;
        continue;
      }
      co_await sleep_for(pause);
      pause = std::min(pause * 2, longest_pause);
      entry.owners_changed.set();
    }
  }
}

}  // namespace drover::pluginhost
