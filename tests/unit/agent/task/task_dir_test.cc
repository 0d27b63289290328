#include <doctest/doctest.h>

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "agent/task/task_dir.h"
#include "sdk/base/file.h"

using namespace drover;
using namespace drover::agent;

namespace {

struct Alloc {
  TempDir parent = std::move(*TempDir::make());
  std::string dir = parent.path() + "/6f1c";
  Alloc() { REQUIRE(build_alloc_dir(dir)); }
  ~Alloc() { (void)remove_alloc_dir(dir); }
  [[nodiscard]] std::string at(const std::string& path) const { return dir + "/" + path; }
  void host(const std::string& name, const std::string& text) const { REQUIRE(write_file(parent.path() + "/" + name, text)); }
  [[nodiscard]] std::string host(const std::string& name) const { return *read_file(parent.path() + "/" + name); }
};

unsigned mode_of(const std::string& path) {
  struct stat info {};
  REQUIRE(::lstat(path.c_str(), &info) == 0);
  return info.st_mode & 07777;
}
uid_t owner_of(const std::string& path) {
  struct stat info {};
  REQUIRE(::lstat(path.c_str(), &info) == 0);
  return info.st_uid;
}
bool is_memory(const std::string& path) {
  struct statfs info {};
  struct stat own {}, above {};
  REQUIRE(::statfs(path.c_str(), &info) == 0);
  REQUIRE(::stat(path.c_str(), &own) == 0);
  REQUIRE(::stat((path + "/..").c_str(), &above) == 0);
  return info.f_type == TMPFS_MAGIC && own.st_dev != above.st_dev;
}

// True, with the reason, when this host refuses the mount that a test is about.
bool without_mounts(const TaskDirs& dirs) {
  if (!dirs.on_disk_because.empty()) MESSAGE("skipped: ", dirs.on_disk_because);
  return !dirs.on_disk_because.empty();
}

}  // namespace

TEST_CASE("task directories: layout and modes, and building again changes nothing") {
  const Alloc alloc;
  for (int round = 0; round < 2; ++round) {
    REQUIRE(build_alloc_dir(alloc.dir));
    auto built = build_task_dir(alloc.dir, "web", 0);
    REQUIRE(built);
    CHECK(mode_of(alloc.dir) == 0755);
    for (const char* path : {"alloc", "alloc/data", "alloc/logs", "alloc/tmp", "web", "web/local"}) {
      CHECK_MESSAGE(mode_of(alloc.at(path)) == 0777, path);
      CHECK(owner_of(alloc.at(path)) == (::geteuid() == 0 ? 65534 : ::geteuid()));
    }
    CHECK(mode_of(alloc.at("web/tmp")) == 01777);
    CHECK(mode_of(alloc.at("web/secrets")) == (::geteuid() == 0 ? 0777 : 0700));
    CHECK(mode_of(alloc.at("web/private")) == 0700);
    CHECK(owner_of(alloc.at("web/private")) == ::geteuid());
    if (round == 0) REQUIRE(write_file(alloc.at("web/secrets/token"), "kept"));
  }
  CHECK(*read_file(alloc.at("web/secrets/token")) == "kept");
}

TEST_CASE("N_051_secrets: memory of the asked size, where nothing runs and nothing is a device") {
  const Alloc alloc;
  auto built = build_task_dir(alloc.dir, "web", 3);
  REQUIRE(built);
  if (without_mounts(*built)) return;
  const std::string secrets = alloc.at("web/secrets");
  CHECK(is_memory(secrets));
  struct statvfs info {};
  REQUIRE(::statvfs(secrets.c_str(), &info) == 0);
  CHECK((info.f_flag & ST_NOEXEC) != 0);
  CHECK((info.f_flag & ST_NOSUID) != 0);
  CHECK((info.f_flag & ST_NODEV) != 0);
  CHECK(info.f_blocks * info.f_frsize == 3u << 20);
  CHECK(std::filesystem::exists(secrets + "/.nomad-mount"));
}

TEST_CASE("N_051_private: nothing but root gets in, and what an agent of before has mounted stays until the end") {
  const Alloc alloc;
  auto built = build_task_dir(alloc.dir, "web", 0);
  REQUIRE(built);
  if (without_mounts(*built)) return;
  const std::string place = alloc.at("web/private");
  CHECK(mode_of(place) == 0700);
  CHECK(!is_memory(place));
  REQUIRE(::mount("tmpfs", place.c_str(), "tmpfs", MS_NOEXEC | MS_NOSUID | MS_NODEV, "size=1m,mode=0777") == 0);
  REQUIRE(build_task_dir(alloc.dir, "web", 0));
  CHECK(is_memory(place));
  REQUIRE(forget_secrets(alloc.dir, "web"));
  CHECK(!is_memory(place));
}

TEST_CASE("N_051_secrets: a mount that would not keep them is refused, not used") {
  const Alloc alloc;
  auto built = build_task_dir(alloc.dir, "web", 0);
  REQUIRE(built);
  if (without_mounts(*built)) return;
  const std::string secrets = alloc.at("web/secrets");
  // As after a remount by hand: still memory, but programs run from it.
  REQUIRE(::mount("none", secrets.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV, nullptr) == 0);
  auto again = build_task_dir(alloc.dir, "web", 0);
  REQUIRE(!again);
  CHECK(again.error().message() == "\"" + secrets + "\" would not keep secrets: the tmpfs on it lacks noexec, nosuid or nodev; unmount it");
  // And a directory of the disk mounted over it.
  REQUIRE(::umount2(secrets.c_str(), MNT_DETACH) == 0);
  REQUIRE(::mount(alloc.at("alloc/data").c_str(), secrets.c_str(), nullptr, MS_BIND, nullptr) == 0);
  struct statfs info {};
  REQUIRE(::statfs(secrets.c_str(), &info) == 0);
  again = build_task_dir(alloc.dir, "web", 0);
  if (info.f_type != TMPFS_MAGIC) {
    REQUIRE(!again);
    CHECK(again.error().message() == "\"" + secrets + "\" would not keep secrets: what is mounted on it is no tmpfs; unmount it");
  } else {
    CHECK(!again);
  }
}

TEST_CASE("N_051_secrets: an unmounted tmpfs is mounted again before anything is written there") {
  const Alloc alloc;
  auto built = build_task_dir(alloc.dir, "web", 0);
  REQUIRE(built);
  if (without_mounts(*built)) return;
  REQUIRE(::umount2(alloc.at("web/secrets").c_str(), MNT_DETACH) == 0);
  REQUIRE(!is_memory(alloc.at("web/secrets")));
  REQUIRE(build_task_dir(alloc.dir, "web", 0));
  CHECK(is_memory(alloc.at("web/secrets")));
}

TEST_CASE("secrets: forgotten with the task's end, and the directory can be built again") {
  const Alloc alloc;
  auto built = build_task_dir(alloc.dir, "web", 0);
  REQUIRE(built);
  if (without_mounts(*built)) return;
  REQUIRE(write_file(alloc.at("web/secrets/token"), "hidden"));
  REQUIRE(forget_secrets(alloc.dir, "web"));
  CHECK(!std::filesystem::exists(alloc.at("web/secrets/token")));
  CHECK(!is_memory(alloc.at("web/secrets")));
  REQUIRE(forget_secrets(alloc.dir, "web"));
  REQUIRE(forget_secrets(alloc.dir, "never-built"));
  REQUIRE(build_task_dir(alloc.dir, "web", 0));
  CHECK(is_memory(alloc.at("web/secrets")));
}

TEST_CASE("N_004_reserved_names: a task cannot take the name of a directory that is not its own") {
  const Alloc alloc;
  for (const char* name : {"alloc", "", ".", "..", "../other", "a/b", "/etc"}) {
    CHECK_MESSAGE(!check_task_name(name), name);
    CHECK(!build_task_dir(alloc.dir, name, 0));
    CHECK(!write_log_settings(alloc.dir, name, nullptr));
    CHECK(!forget_secrets(alloc.dir, name));
  }
  CHECK(!check_task_name(std::string("web\0x", 5)));
  // Names that the genuine program takes, and that collide with nothing: ours lie a level below.
  for (const char* name : {"local", "secrets", "private", "tmp", "logs", "data", "web.stdout", "..."}) {
    CHECK_MESSAGE(check_task_name(name), name);
    CHECK(build_task_dir(alloc.dir, name, 0));
  }
}

TEST_CASE("R_011_task_directories: a link that a task put in place of one is neither followed nor changed") {
  for (const char* replaced : {"web/local", "web/tmp", "web/secrets", "web/private", "alloc/logs", "alloc/data"}) {
    const Alloc alloc;
    REQUIRE(build_task_dir(alloc.dir, "web", 0));
    REQUIRE(forget_secrets(alloc.dir, "web"));
    const std::string victim = alloc.parent.path() + "/victim";
    REQUIRE(make_directories(victim, 0700));
    std::filesystem::remove_all(alloc.at(replaced));
    REQUIRE(::symlink(victim.c_str(), alloc.at(replaced).c_str()) == 0);
    const bool shared = std::string_view(replaced).starts_with("alloc/");
    const Result<> again = shared ? build_alloc_dir(alloc.dir) : [&]() -> Result<> {
      auto built = build_task_dir(alloc.dir, "web", 0);
      if (!built) return fail(built.error());
      return {};
    }();
    REQUIRE_MESSAGE(!again, replaced);
    CHECK(again.error().message() == "\"" + alloc.at(replaced) + "\" is not the directory it has to be: a task has put a link in its place; remove it");
    CHECK(mode_of(victim) == 0700);
    CHECK(owner_of(victim) == ::geteuid());
    CHECK(std::filesystem::is_empty(victim));
  }
}

TEST_CASE("N_002_log_settings: a link that a task put in their place is replaced, a link in place of the directory refused") {
  const Alloc alloc;
  alloc.host("shadow", "host");
  REQUIRE(::symlink("../../../shadow", alloc.at("alloc/logs/.web.logs.json").c_str()) == 0);
  REQUIRE(write_log_settings(alloc.dir, "web", nullptr));
  CHECK(alloc.host("shadow") == "host");
  CHECK(*read_file(alloc.at("alloc/logs/.web.logs.json")) == "{\"max_files\":10,\"max_file_size_mb\":10,\"disabled\":false}\n");
  model::LogConfig logs;
  logs.max_files = 3;
  logs.max_file_size_mb = 7;
  logs.disabled = true;
  REQUIRE(write_log_settings(alloc.dir, "web", &logs));
  CHECK(*read_file(alloc.at("alloc/logs/.web.logs.json")) == "{\"max_files\":3,\"max_file_size_mb\":7,\"disabled\":true}\n");

  REQUIRE(make_directories(alloc.parent.path() + "/victim", 0700));
  std::filesystem::remove_all(alloc.at("alloc/logs"));
  REQUIRE(::symlink("../../victim", alloc.at("alloc/logs").c_str()) == 0);
  CHECK(!write_log_settings(alloc.dir, "web", nullptr));
  CHECK(std::filesystem::is_empty(alloc.parent.path() + "/victim"));
}

TEST_CASE("remove_alloc_dir: with its mounts, leaving nothing") {
  const Alloc alloc;
  REQUIRE(build_task_dir(alloc.dir, "web", 0));
  REQUIRE(build_task_dir(alloc.dir, "db", 0));
  REQUIRE(write_log_settings(alloc.dir, "web", nullptr));
  REQUIRE(remove_alloc_dir(alloc.dir));
  CHECK(!std::filesystem::exists(alloc.dir));
  CHECK(read_file("/proc/self/mountinfo")->find(alloc.dir) == std::string::npos);
}

TEST_CASE("R_011_task_directories: a directory and a link that change places all the time lead nobody astray") {
  const Alloc alloc;
  const std::string victim = alloc.parent.path() + "/victim";
  REQUIRE(make_directories(victim, 0700));
  REQUIRE(make_directories(alloc.at("web"), 0777));
  REQUIRE(make_directories(alloc.at("web/local"), 0700));
  REQUIRE(::symlink(victim.c_str(), alloc.at("web/other").c_str()) == 0);
  const std::string local = alloc.at("web/local"), other = alloc.at("web/other");
  std::atomic<bool> stop = false;
  std::thread swapper([&] {
    while (!stop) (void)::syscall(SYS_renameat2, AT_FDCWD, local.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE);
  });
  int built = 0, refused = 0;
  // Until both have been met, and some more; the bound is for a scheduler that never lets the swapper run.
  for (int round = 0; round < 20'000 && (round < 500 || built == 0 || refused == 0); ++round) ++(build_task_dir(alloc.dir, "web", 0) ? built : refused);
  stop = true;
  swapper.join();
  CHECK(built + refused >= 500);
  CHECK(mode_of(victim) == 0700);
  CHECK(owner_of(victim) == ::geteuid());
  CHECK(std::filesystem::is_empty(victim));
}
