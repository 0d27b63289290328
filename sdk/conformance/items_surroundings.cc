// Items 92 to 97: what of the configuration a host sends reaches the task.
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "sdk/async/process.h"
#include "sdk/base/text.h"
#include "sdk/conformance/rig.h"

namespace drover::conformance {
namespace {
using namespace std::chrono_literals;

// Runs a script that leaves its findings in the file "out" of the task's directory. Null after an entry in `check`.
Async<TaskPtr> run_script(Bench& bench, Check& check, std::string script, std::function<void(pb::TaskConfig&)> change) {
  const RunPtr run = co_await bench.ready(check);
  TaskPtr task = run ? co_await start_task(bench, check, *run, {.wanted = {"", std::move(script)}, .change = std::move(change)}) : nullptr;
  if (!task) co_return nullptr;
  const auto ended = co_await wait_task(*run, task->id(), 60s);
  [[maybe_unused]] const auto destroyed = co_await destroy_task(*run, task->id(), true);
  if (!check.expect(ended && ended->result().exit_code() == 0, "a task that ends with exit code 0", describe(ended) + (task->err ? ", stderr " + quote(task->err->text()) : ""))) co_return nullptr;
  co_return task;
}

Async<> item_92(Bench& bench, Check& check) {
  const std::map<std::string, std::string> wanted = {{"CONF_LINES", "one\ntwo\n"}, {"CONF_QUOTES", "'\"`$HOME\\"}, {"CONF_UTF8", "h\u00e9llo \u4e16"}, {"CONF_EMPTY", ""}};
  const TaskPtr task = co_await run_script(bench, check, "printf '%s|%s|%s|%s|' \"$CONF_LINES\" \"$CONF_QUOTES\" \"$CONF_UTF8\" \"${CONF_EMPTY-unset}\" > \"$NOMAD_TASK_DIR/out\"",
                                           [&](pb::TaskConfig& config) { for (const auto& [key, value] : wanted) (*config.mutable_env())[key] = value; });
  if (!task) co_return;
  const std::string expected = fmt::format("{}|{}|{}||", wanted.at("CONF_LINES"), wanted.at("CONF_QUOTES"), wanted.at("CONF_UTF8"));
  check.expect(task->file("out") == expected, quote(expected), quote(task->file("out")));
  Check large(Level::should);
  const TaskPtr big = co_await run_script(bench, large, "echo \"$CONF_3\" | wc -c > \"$NOMAD_TASK_DIR/out\"", [](pb::TaskConfig& config) {
    for (int i = 0; i < 8; ++i) (*config.mutable_env())[fmt::format("CONF_{}", i)] = std::string(65536, 'x');
  });
  if (big) large.should(trim(big->file("out")) == "65537", "512 KiB of environment", quote(big->file("out")));
  for (const Finding& finding : std::move(large).result(92, 0).findings) check.should(false, "512 KiB of environment: " + finding.expected, finding.seen);
}

Async<> item_93(Bench& bench, Check& check) {
  const RunPtr run = co_await bench.ready(check);
  if (!run) co_return;
  const auto capabilities = co_await bench.capabilities(*run);
  if (!capabilities || capabilities->fs_isolation() == pb::NONE) co_return check.skip("the driver does not isolate files");
  if (capabilities->mount_configs() == pb::NO_MOUNTS) co_return check.skip("the driver takes no mounts");
  const std::string host = bench.new_directory("m");
  for (const char* name : {"/ro", "/rw"}) {
    DROVER_CHECK(make_directories(host + name, 0777).has_value());
    ::chmod((host + name).c_str(), 0777);
  }
  DROVER_CHECK(write_file(host + "/ro/file", "from the host").has_value());
  const TaskPtr task = co_await run_script(bench, check, "cat /conf-ro/file > \"$NOMAD_TASK_DIR/out\"; echo x > /conf-rw/written; echo x > /conf-ro/refused; test -c /dev/conf-zero && echo ' and a device' >> \"$NOMAD_TASK_DIR/out\"; exit 0", [&](pb::TaskConfig& config) {
    for (const bool readonly : {true, false}) {
      auto& mount = *config.add_mounts();
      mount.set_task_path(readonly ? "/conf-ro" : "/conf-rw");
      mount.set_host_path(host + (readonly ? "/ro" : "/rw"));
      mount.set_readonly(readonly);
      mount.set_propagation_mode("private");
    }
    auto& device = *config.add_devices();
    device.set_task_path("/dev/conf-zero");
    device.set_host_path("/dev/zero");
    device.set_cgroup_permissions("rwm");
  });
  if (!task) co_return;
  check.expect(task->file("out").starts_with("from the host"), "a file of a read-only mount", quote(task->file("out")));
  check.expect(task->file("out").find("and a device") != std::string::npos, "the device /dev/conf-zero", "none");
  check.expect(!read_file(host + "/rw/written").value_or("").empty(), "what the task writes into a read-write mount", "nothing");
  check.expect(!read_file(host + "/ro/refused").has_value(), "nothing written into a read-only mount", "the task could write");
}

Async<Result<pb::CreateNetworkResponse>> create(Run& run, std::string alloc) {
  pb::CreateNetworkRequest request;
  request.set_alloc_id(std::move(alloc));
  request.set_hostname("conformance");
  auto answer = co_await run.call<pb::CreateNetworkResponse>(driver_service + "CreateNetwork", request, 60s);
  co_return answer;
}

Async<> item_94(Bench& bench, Check& check) {
  const RunPtr run = co_await bench.ready(check);
  if (!run) co_return;
  const auto capabilities = co_await bench.capabilities(*run);
  if (!capabilities || !capabilities->must_create_network()) co_return check.skip("the driver makes no networks");
  const std::string alloc = "00000000-0000-4000-8000-0000000000c0";
  const auto first = co_await create(*run, alloc);
  if (!check.expect(first && first->has_isolation_spec(), "CreateNetwork gives an isolation_spec", first ? "none" : first.error().message())) co_return;
  check.expect(first->created(), "created = true the first time", "false");
  struct stat info {};
  check.expect(::stat(first->isolation_spec().path().c_str(), &info) == 0, "a path that exists", quote(first->isolation_spec().path()));
  const auto second = co_await create(*run, alloc);
  check.expect(second && !second->created(), "created = false the second time", second ? "true" : second.error().message());
  pb::DestroyNetworkRequest destroy;
  destroy.set_alloc_id(alloc);
  *destroy.mutable_isolation_spec() = first->isolation_spec();
  for (const char* which : {"first", "second"}) {
    const auto done = co_await run->call<pb::DestroyNetworkResponse>(driver_service + "DestroyNetwork", destroy, 60s);
    check.expect(done.has_value(), fmt::format("the {} DestroyNetwork works", which), done ? "" : done.error().message());
  }
}

Async<> item_95(Bench& bench, Check& check) {
  if (::geteuid() != 0) co_return check.skip("needs root");
  const RunPtr run = co_await bench.ready(check);
  if (!run) co_return;
  const auto capabilities = co_await bench.capabilities(*run);
  bool group = false;
  if (capabilities) {
    for (const int mode : capabilities->network_isolation_modes()) group = group || mode == pb::NetworkIsolationSpec::GROUP;
  }
  if (!group) co_return check.skip("the driver joins no networks");
  // A process that has a network namespace of its own, until it is killed.
  const auto holder = spawn_process({.executable = "/usr/bin/unshare", .arguments = {"-n", "sleep", "600"}, .environment = {"PATH=/usr/bin:/bin"}});
  if (!holder) co_return check.skip(holder.error().message());
  const std::string path = fmt::format("/proc/{}/ns/net", holder->pid());
  char own[64] = {}, other[64] = {};
  [[maybe_unused]] const ssize_t own_size = ::readlink("/proc/self/ns/net", own, sizeof own - 1);
  for (int i = 0; i < 100; ++i) {
    [[maybe_unused]] const ssize_t size = ::readlink(path.c_str(), other, sizeof other - 1);
    if (std::string_view(own) != other) break;
    co_await sleep_for(20ms);
  }
  const TaskPtr task = co_await run_script(bench, check, "cat /proc/net/dev > \"$NOMAD_TASK_DIR/out\"", [&](pb::TaskConfig& config) {
    config.mutable_network_isolation_spec()->set_mode(pb::NetworkIsolationSpec::GROUP);
    config.mutable_network_isolation_spec()->set_path(path);
  });
  [[maybe_unused]] const auto killed = holder->signal(SIGKILL);
  ExitStatus status;
  for (int i = 0; i < 100; ++i) {
    const auto reaped = holder->try_reap(status);
    if (!reaped || *reaped) break;
    co_await sleep_for(10ms);
  }
  if (!task) co_return;
  std::vector<std::string> seen;
  for (const std::string& line : split(task->file("out"), '\n')) {
    if (const std::size_t colon = line.find(':'); colon != std::string::npos) seen.emplace_back(trim(std::string_view(line).substr(0, colon)));
  }
  check.expect(seen == std::vector<std::string>{"lo"}, "the interface lo and no other", join(seen, ", "));
}

Async<> item_96(Bench& bench, Check& check) {
  if (::access("/sys/fs/cgroup/cgroup.controllers", F_OK) != 0) co_return check.skip("this machine has no cgroup v2");
  const TaskPtr task = co_await run_script(bench, check, "cat /proc/self/cgroup > \"$NOMAD_TASK_DIR/out\"; f=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)/memory.max; test -r $f && cat $f >> \"$NOMAD_TASK_DIR/out\"; exit 0",
                                           [](pb::TaskConfig& config) { config.mutable_resources()->mutable_linux_resources()->set_memory_limit_bytes(128LL << 20); });
  if (task) check.expect(task->file("out").find("134217728") != std::string::npos, "134217728 in memory.max of the task's cgroup", quote(task->file("out")));
}

Async<> item_97(Bench& bench, Check& check) {
  if (::geteuid() != 0) co_return check.skip("needs root");
  const RunPtr run = co_await bench.ready(check);
  if (!run) co_return;
  const auto capabilities = co_await bench.capabilities(*run);
  std::vector<std::pair<std::string, std::string>> users = {{bench.settings().recipe.user().empty() ? "nobody" : bench.settings().recipe.user(), ""}, {"65534", "65534"}};
  if (capabilities && capabilities->dynamic_workload_users()) users.emplace_back("nomad-80123", "80123");
  for (const auto& [user, id] : users) {
    const TaskPtr task = co_await run_script(bench, check, "id -u > \"$NOMAD_TASK_DIR/out\"", [&](pb::TaskConfig& config) { config.set_user(user); });
    if (!task) {
      check.note(fmt::format("with user {}", quote(user)));
      continue;
    }
    const std::string seen(trim(task->file("out")));
    if (id.empty()) check.expect(!seen.empty() && seen != "0", fmt::format("a task that runs as {}", user), "user id " + seen);
    else check.expect(seen == id, fmt::format("user id {} for the user {}", id, quote(user)), seen);
  }
}
}  // namespace

std::vector<ItemCheck> surroundings_checks() { return {{92, item_92}, {93, item_93}, {94, item_94}, {95, item_95}, {96, item_96}, {97, item_97}}; }

}  // namespace drover::conformance
