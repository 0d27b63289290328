#include "sdk/executor/delegated_scope.h"

#include <dlfcn.h>
#include <spawn.h>
#include <sys/stat.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <string_view>

#include "sdk/base/defer.h"
#include "sdk/base/file.h"
#include "sdk/base/text.h"

namespace drover {
namespace {

constexpr const char* unit = "nomad-tasks.scope";
constexpr const char* manager[] = {"org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager"};
constexpr std::uint64_t wait_us = 5'000'000;

// The functions we need of libsystemd, by name.
struct SystemBus {
  std::unique_ptr<void, int (*)(void*)> library{::dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL), [](void* handle) { return handle != nullptr ? ::dlclose(handle) : 0; }};
  decltype(&::sd_bus_open_system) open_system = nullptr;
  decltype(&::sd_bus_new) make = nullptr;
  decltype(&::sd_bus_set_address) set_address = nullptr;
  decltype(&::sd_bus_set_bus_client) set_bus_client = nullptr;
  decltype(&::sd_bus_start) start = nullptr;
  decltype(&::sd_bus_set_method_call_timeout) set_timeout = nullptr;
  decltype(&::sd_bus_call_method) call = nullptr;
  decltype(&::sd_bus_flush_close_unref) close = nullptr;
  decltype(&::sd_bus_error_free) free_error = nullptr;

  template <class F>
  bool find(F& function, const char* name) {
    function = reinterpret_cast<F>(::dlsym(library.get(), name));
    return function != nullptr;
  }
  bool load() {
    return library && find(open_system, "sd_bus_open_system") && find(make, "sd_bus_new") && find(set_address, "sd_bus_set_address") &&
           find(set_bus_client, "sd_bus_set_bus_client") && find(start, "sd_bus_start") && find(set_timeout, "sd_bus_set_method_call_timeout") &&
           find(call, "sd_bus_call_method") && find(close, "sd_bus_flush_close_unref") && find(free_error, "sd_bus_error_free");
  }
  int connect(sd_bus** bus, const std::string& address) const {
    if (address.empty()) return open_system(bus);
    int error = make(bus);
    if (error >= 0) error = set_address(*bus, address.c_str());
    if (error >= 0) error = set_bus_client(*bus, 1);
    return error >= 0 ? start(*bus) : error;
  }
};

// "/nomad.slice/nomad-tasks.scope" of a process.
std::string cgroup_of(pid_t pid) {
  const auto text = read_file(fmt::format("/proc/{}/cgroup", pid));
  for (const auto& line : split(text ? *text : "", '\n')) {
    if (line.starts_with("0::")) return line.substr(3);
  }
  return {};
}

bool is_populated(const std::string& directory) {
  const auto events = read_file(directory + "/cgroup.events");
  return events && events->find("populated 1") != std::string::npos;
}

Result<pid_t> start_holder() {
  // It must outlive us and do nothing: whoever comes after us finds the scope because this process is in it.
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  const Defer destroy([&] { ::posix_spawnattr_destroy(&attributes); });
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  char name[] = "sleep", forever[] = "infinity";
  char* arguments[] = {name, forever, nullptr};
  char* environment[] = {nullptr};
  pid_t pid = 0;
  const int error = ::posix_spawn(&pid, "/bin/sleep", nullptr, &attributes, arguments, environment);
  if (error != 0) return fail(errno_error(error, "starting the process that holds the scope of tasks"));
  return pid;
}

Result<> ask_for_scope(const SystemBus& functions, sd_bus* bus, pid_t holder) {
  sd_bus_error error = SD_BUS_ERROR_NULL;
  const int done = functions.call(bus, manager[0], manager[1], manager[2], "StartTransientUnit", &error, nullptr, "ssa(sv)a(sa(sv))", unit, "fail", 5,
                                  "Description", "s", "Tasks of drover", "Slice", "s", "nomad.slice", "Delegate", "b", 1, "CollectMode", "s", "inactive-or-failed",
                                  "PIDs", "au", 1, static_cast<std::uint32_t>(holder), 0);
  const std::string message = error.message != nullptr ? error.message : "";
  functions.free_error(&error);
  if (done < 0) return fail(errno_error(-done, fmt::format("systemd: starting \"{}\": {}", unit, message)));
  return {};
}

}  // namespace

Result<std::string> delegated_scope(const std::string& cgroup_mount, const std::string& bus_address) {
  const std::string place = fmt::format("{}/nomad.slice/{}", cgroup_mount, unit);
  if (is_populated(place)) return place;
  SystemBus functions;
  if (!functions.load()) return fail(Code::unavailable, "cgroup_mode = \"delegated\" needs libsystemd.so.0: install the package libsystemd0, or use \"compat\"");
  sd_bus* bus = nullptr;
  const int connected = functions.connect(&bus, bus_address);
  const Defer close([&] { if (bus != nullptr) functions.close(bus); });
  if (connected < 0) return fail(errno_error(-connected, "cgroup_mode = \"delegated\": connecting to systemd; use \"compat\" where there is none"));
  functions.set_timeout(bus, wait_us);
  const auto holder = start_holder();
  if (!holder) return fail(holder.error());
  if (auto asked = ask_for_scope(functions, bus, *holder); !asked) {
    ::kill(*holder, SIGKILL);
    return fail(std::move(asked).error());
  }
  // The answer comes when the job is queued; the process has been moved when the job is done.
  for (int attempt = 0; attempt < 5000 && !cgroup_of(*holder).ends_with(unit); ++attempt) ::usleep(1000);
  if (!cgroup_of(*holder).ends_with(unit)) {
    ::kill(*holder, SIGKILL);
    return fail(Code::deadline_exceeded, "systemd did not make \"{}\" within 5 s", unit);
  }
  DROVER_TRY(make_directories(place + "/holder"));
  DROVER_TRY(write_file(place + "/holder/cgroup.procs", std::to_string(*holder)));
  return place;
}

}  // namespace drover
