// The mounts of a task and those of the host: what each sees of the other.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

#include "plugins/exec/driver.h"
#include "plugins/exec/mount_base.h"
#include "sdk/base/text.h"
#include "tests/unit/plugins/support.h"

using namespace drover;
using namespace drover::testing;
using namespace std::chrono_literals;

namespace {

bool is_root() { return ::geteuid() == 0; }

// A directory of the host that passes its mounts on, as / does under systemd.
struct SharedMount {
  TempDir place = *TempDir::make("drover-shared-");
  SharedMount() {
    REQUIRE(::mount("tmpfs", path().c_str(), "tmpfs", 0, "size=1m,mode=755") == 0);
    REQUIRE(::mount(nullptr, path().c_str(), nullptr, MS_SHARED, nullptr) == 0);
    for (const char* name : {"/from-host", "/from-task"}) std::filesystem::create_directory(path() + name);
  }
  ~SharedMount() {
    for (const char* name : {"/from-host", "/from-task", ""}) ::umount2((path() + name).c_str(), MNT_DETACH);
  }
  [[nodiscard]] const std::string& path() const { return place.path(); }
};

// Mounts of the namespace behind a descriptor, as mountinfo of a thread in it tells them.
std::vector<std::string> mounts_in(int name_space) {
  std::vector<std::string> out;
  std::thread([&] {
    const Fd self(::open("/proc/thread-self", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (::unshare(CLONE_FS) != 0 || ::setns(name_space, CLONE_NEWNS) != 0) return;
    const Fd file(::openat(self.get(), "mountinfo", O_RDONLY | O_CLOEXEC));
    char text[4096];
    const ssize_t size = ::read(file.get(), text, sizeof text);
    if (size > 0) out = split(std::string_view(text, static_cast<std::size_t>(size) - 1), '\n');
  }).join();
  return out;
}

// A FIFO of the task, open at both ends: neither side waits for the other to open it.
Fd open_fifo(const std::string& path) {
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  return Fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
}

}  // namespace

TEST_CASE("exec: tasks' mounts start from a namespace that has none of the host's, however many those are" * doctest::skip(!is_root())) {
  const SharedMount shared;
  const auto base = exec::make_mount_base();
  REQUIRE(base);
  const auto mounts = mounts_in(base->get());
  REQUIRE(mounts.size() == 1);
  CHECK(mounts[0].find(" / / ro,") != std::string::npos);
  // Taken out there, not here.
  CHECK(read_file("/proc/self/mountinfo")->find(shared.path()) != std::string::npos);
}

TEST_CASE("exec: mounts pass between host and task as a volume's propagation says, and no others" * doctest::skip(!is_root())) {
  const SharedMount shared;
  Allocation alloc;
  asio::io_context loop;
  exec::ExecDriver driver(loop.get_executor(), Logger(), ExecutorHost{DROVER_EXECUTOR_PATH, alloc.directory.path() + "/state"}, system_clock());
  REQUIRE(wait_for(loop, driver.set_config(plugin::to_msgpack({{"allow_degraded", true}, {"allow_caps", {"all"}}}), "v0.1.0")));
  const std::string script =
      "read line < /local/go; test -e /follows/from-host/file && test -e /both/from-host/file && echo passed; "
      "test -e /apart/from-host/file || echo apart; mkdir /local/m; "
      "mount -t tmpfs none /local/m && touch /local/m/file && mount -t tmpfs none /follows/from-task && touch /follows/from-task/kept && "
      "mount -t tmpfs none /both/from-task && touch /both/from-task/told && echo mounted; echo done > /local/told; read line < /local/go";
  auto config = alloc.config({{"command", "/bin/sh"}, {"args", {"-c", script}}, {"cap_add", {"sys_admin"}}});
  config.user = "root";
  for (const auto& [target, mode] : {std::pair("/apart", "private"), std::pair("/follows", "host-to-task"), std::pair("/both", "bidirectional")}) {
    config.mounts.push_back({.task_path = target, .host_path = shared.path(), .readonly = false, .propagation_mode = mode, .selinux_label = {}});
  }
  const std::string local = alloc.directory.path() + "/web/local";
  const Fd go = open_fifo(local + "/go"), told = open_fifo(local + "/told");
  const auto started = wait_for(loop, driver.start_task(config));
  REQUIRE_MESSAGE(started, started.error().message());
  REQUIRE(::mount("tmpfs", (shared.path() + "/from-host").c_str(), "tmpfs", 0, "size=1m,mode=755") == 0);
  REQUIRE(write_file(shared.path() + "/from-host/file", ""));
  REQUIRE(::write(go.get(), "\n", 1) == 1);
  REQUIRE(wait_for(loop, wait_readable(told.get())));
  CHECK(::access((shared.path() + "/from-task/told").c_str(), F_OK) == 0);
  CHECK(::access((shared.path() + "/from-task/kept").c_str(), F_OK) != 0);
  CHECK(::access((local + "/m").c_str(), F_OK) == 0);
  CHECK(::access((local + "/m/file").c_str(), F_OK) != 0);
  REQUIRE(::write(go.get(), "\n", 1) == 1);
  CHECK(wait_for(loop, driver.wait_task(config.id))->exit_code == 0);
  CHECK(alloc.stdout_text() == "passed\napart\nmounted\n");
  CHECK(alloc.stderr_text() == "");
  CHECK(wait_for(loop, driver.destroy_task(config.id, true)));
  wait_for(loop, driver.close());
}
