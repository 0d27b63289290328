#include <doctest/doctest.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "agent/fs/beneath.h"
#include "agent/fs/remove_tree.h"
#include "sdk/base/file.h"

using namespace drover;
using namespace drover::agent;

namespace {

struct Place {
  TempDir dir = std::move(*TempDir::make());
  Fd fd = std::move(*open_file(dir.path(), O_PATH | O_DIRECTORY));
  [[nodiscard]] std::string at(const std::string& path) const { return dir.path() + "/" + path; }
  [[nodiscard]] bool has(const std::string& path) const { return std::filesystem::exists(std::filesystem::symlink_status(at(path))); }
};

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

// A test that mounts takes back what a failed assertion left.
struct Mounted {
  std::string path;
  bool done;
  Mounted(const std::string& kind, const std::string& source, std::string target, unsigned long flags)
      : path(std::move(target)), done(::mount(source.c_str(), path.c_str(), kind.c_str(), flags, nullptr) == 0) {}
  ~Mounted() { if (done) ::umount2(path.c_str(), MNT_DETACH); }
};

}  // namespace

TEST_CASE("R_019_remove_tree: what links of a task point at stays") {
  const Place place;
  REQUIRE(make_directories(place.at("host/inner")));
  REQUIRE(write_file(place.at("host/file"), "keep"));
  REQUIRE(make_directories(place.at("alloc/web/local")));
  REQUIRE(symlink("../../../host", place.at("alloc/web/local/up").c_str()) == 0);
  REQUIRE(symlink(place.at("host/file").c_str(), place.at("alloc/web/local/file").c_str()) == 0);
  REQUIRE(symlink("loop", place.at("alloc/web/local/loop").c_str()) == 0);
  REQUIRE(mkfifo(place.at("alloc/web/local/fifo").c_str(), 0600) == 0);
  REQUIRE(remove_tree(place.at("alloc")));
  CHECK(!place.has("alloc"));
  CHECK(place.has("host/inner"));
  CHECK(*read_file(place.at("host/file")) == "keep");
  CHECK(remove_tree(place.at("alloc")));  // again: nothing there is success
}

TEST_CASE("R_019_remove_tree: a link in place of the directory itself is refused") {
  const Place place;
  REQUIRE(make_directories(place.at("host/inner")));
  REQUIRE(symlink("host", place.at("alloc").c_str()) == 0);
  CHECK(!remove_tree(place.at("alloc")));
  CHECK(place.has("host/inner"));
}

TEST_CASE("R_019_remove_tree: what is mounted below is unmounted, not emptied") {
  const Place place;
  REQUIRE(make_directories(place.at("volume/data")));
  REQUIRE(write_file(place.at("volume/data/file"), "keep"));
  REQUIRE(make_directories(place.at("alloc/web/volume")));
  REQUIRE(make_directories(place.at("alloc/web/secrets")));
  REQUIRE(write_file(place.at("alloc/web/file"), ""));
  // The first is a bind of the same file system, whose device number tells nothing; the second hides files below it.
  const Mounted bind("", place.at("volume"), place.at("alloc/web/volume"), MS_BIND);
  const Mounted tmpfs("tmpfs", "tmpfs", place.at("alloc/web/secrets"), 0);
  const Mounted twice("tmpfs", "tmpfs", place.at("alloc/web/secrets"), 0);
  const Mounted file("", place.at("volume/data/file"), place.at("alloc/web/file"), MS_BIND);
  if (!bind.done || !tmpfs.done || !twice.done || !file.done) {
    MESSAGE("skipped: this process may not mount");
    return;
  }
  REQUIRE(remove_tree(place.at("alloc")));
  CHECK(!place.has("alloc"));
  CHECK(*read_file(place.at("volume/data/file")) == "keep");
}

TEST_CASE("A_31_remove_tree: a tree deeper than any limit of descriptors or path length") {
  const Place place;
  REQUIRE(make_directories(place.at("alloc")));
  Fd at(::open(place.at("alloc").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  for (int depth = 0; depth < 3000; ++depth) {
    REQUIRE(::mkdirat(at.get(), "deeper-directory", 0700) == 0);
    if (depth % 500 == 0) REQUIRE(::mknodat(at.get(), "file", S_IFREG | 0600, 0) == 0);
    at = Fd(::openat(at.get(), "deeper-directory", O_PATH | O_DIRECTORY | O_CLOEXEC));
    REQUIRE(at);
  }
  at.reset();
  const std::size_t before = open_descriptors();
  REQUIRE(remove_tree(place.at("alloc")));
  CHECK(!place.has("alloc"));
  CHECK(open_descriptors() == before);
}

TEST_CASE("make_directory_beneath: mode and owner whatever the umask and whatever stood there") {
  const Place place;
  const mode_t old = ::umask(077);
  const auto first = make_directory_beneath(place.fd.get(), "local", 0777, "local");
  ::umask(old);
  REQUIRE(first);
  struct stat info {};
  REQUIRE(::stat(place.at("local").c_str(), &info) == 0);
  CHECK((info.st_mode & 07777) == 0777);
  CHECK(info.st_uid == (::geteuid() == 0 ? 65534 : ::geteuid()));
  REQUIRE(::chmod(place.at("local").c_str(), 0700) == 0);
  REQUIRE(make_directory_beneath(place.fd.get(), "local", 01777, "local"));
  REQUIRE(::stat(place.at("local").c_str(), &info) == 0);
  CHECK((info.st_mode & 07777) == 01777);
}

TEST_CASE("R_011_make_directory: a link, a file or a mount in its place is refused by name, and untouched") {
  const Place place;
  REQUIRE(make_directories(place.at("host"), 0700));
  REQUIRE(symlink("host", place.at("link").c_str()) == 0);
  REQUIRE(write_file(place.at("file"), ""));
  const auto link = make_directory_beneath(place.fd.get(), "link", 0777, "/allocs/1/web/local");
  REQUIRE(!link);
  CHECK(link.error().message() == "\"/allocs/1/web/local\" is not the directory it has to be: a task has put a link in its place; remove it");
  const auto file = make_directory_beneath(place.fd.get(), "file", 0777, "f");
  REQUIRE(!file);
  CHECK(file.error().message() == "\"f\" is not the directory it has to be: a task has put a file in its place; remove it");
  struct stat info {};
  REQUIRE(::stat(place.at("host").c_str(), &info) == 0);
  CHECK((info.st_mode & 07777) == 0700);
  REQUIRE(make_directories(place.at("mounted")));
  const Mounted mounted("", place.at("host"), place.at("mounted"), MS_BIND);
  if (!mounted.done) return;
  const auto covered = make_directory_beneath(place.fd.get(), "mounted", 0777, "m");
  REQUIRE(!covered);
  CHECK(covered.error().message() == "\"m\" is not the directory it has to be: something is mounted on it; unmount it");
  REQUIRE(::stat(place.at("host").c_str(), &info) == 0);
  CHECK((info.st_mode & 07777) == 0700);
}

TEST_CASE("N_008_replace_file: a link is replaced, not written through") {
  const Place place;
  REQUIRE(write_file(place.at("shadow"), "host"));
  REQUIRE(symlink("shadow", place.at("settings").c_str()) == 0);
  REQUIRE(symlink("shadow", place.at("settings.new").c_str()) == 0);
  const Fd directory(::open(place.dir.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  REQUIRE(replace_file_beneath(directory.get(), "settings", "ours", 0644));
  CHECK(*read_file(place.at("shadow")) == "host");
  CHECK(*read_file(place.at("settings")) == "ours");
  CHECK(!std::filesystem::is_symlink(place.at("settings")));
  CHECK(!place.has("settings.new"));
}
