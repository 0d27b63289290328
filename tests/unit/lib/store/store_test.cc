#include <doctest/doctest.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>

#include "lib/store/crc32c.h"
#include "lib/store/dir_lock.h"
#include "lib/store/open.h"
#include "sdk/base/file.h"

using namespace drover;

namespace {
const std::vector<std::string> first = {"CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT, data BLOB)"};

OpenedDatabase open(const std::string& path, const std::vector<std::string>& migrations = first, const DatabaseProbe& probe = {}) {
  auto out = open_database(path, migrations, 1'700'000'000'000'000'000, probe);
  if (!out) FAIL(out.error().message());
  return std::move(*out);
}

void insert(Database& database, std::int64_t id, std::string_view name, std::string_view data) {
  auto statement = database.prepare("INSERT INTO item VALUES (?, ?, ?)");
  REQUIRE(statement);
  CHECK(statement->bind(1, id).bind_text(2, name).bind_blob(3, data).run());
}
}  // namespace

TEST_CASE("store: values of every type come back, and the file is private") {
  const auto dir = TempDir::make();
  const std::string path = dir->path() + "/a.db";
  {
    auto opened = open(path);
    insert(opened.database, 1, "one", std::string("\0\1\2", 3));
    insert(opened.database, 2, "", "");
    CHECK(!opened.database.prepare("SELECT nothing FROM nowhere"));
    CHECK(opened.database.execute("INSERT INTO item VALUES (1, 'again', '')").error().code() == Code::conflict);
  }
  auto opened = open(path);
  CHECK(!opened.quarantined);
  auto rows = opened.database.prepare("SELECT name, data, NULL FROM item ORDER BY id");
  REQUIRE(rows);
  REQUIRE(*rows->step());
  CHECK(rows->text(0) == "one");
  CHECK(rows->text(1) == std::string("\0\1\2", 3));
  CHECK(rows->is_null(2));
  REQUIRE(*rows->step());
  CHECK(rows->text(1).empty());
  CHECK(!*rows->step());
  CHECK(opened.database.query_integer("PRAGMA synchronous") == 2);
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
}

TEST_CASE("store: a transaction that is not committed leaves nothing") {
  const auto dir = TempDir::make();
  auto opened = open(dir->path() + "/a.db");
  {
    auto transaction = Transaction::begin(opened.database);
    REQUIRE(transaction);
    insert(opened.database, 1, "gone", "");
  }
  CHECK(opened.database.query_integer("SELECT count(*) FROM item") == 0);
  {
    auto transaction = Transaction::begin(opened.database);
    insert(opened.database, 1, "kept", "");
    CHECK(transaction->commit());
  }
  CHECK(opened.database.query_integer("SELECT count(*) FROM item") == 1);
}

TEST_CASE("L-19: migrations run once, after a backup, and a newer file is refused unchanged") {
  const auto dir = TempDir::make();
  const std::string path = dir->path() + "/a.db";
  {
    auto opened = open(path);
    insert(opened.database, 1, "one", "");
  }
  auto second = first;
  second.push_back("ALTER TABLE item ADD COLUMN extra TEXT DEFAULT 'x'");
  for (int i = 0; i < 2; ++i) {
    auto opened = open(path, second);
    CHECK(opened.database.query_integer("SELECT count(*) FROM item WHERE extra = 'x'") == 1);
  }
  CHECK(std::filesystem::exists(path + ".backup"));
  const std::string before = *read_file(path);
  const auto refused = open_database(path, first, 0);
  REQUIRE(!refused);
  CHECK(refused.error().code() == Code::conflict);
  CHECK(refused.error().message().find("has format 2, this program reads up to 1") != std::string::npos);
  CHECK(*read_file(path) == before);
  { CHECK(open(path + ".backup").database.query_integer("SELECT count(*) FROM item") == 1); }
}

TEST_CASE("F-37: what is damaged, or no database at all, is moved aside and a new one begun") {
  const auto dir = TempDir::make();
  const std::string path = dir->path() + "/a.db";
  {
    auto opened = open(path);
    for (int i = 0; i < 200; ++i) insert(opened.database, i, "name", std::string(200, 'x'));
    CHECK(opened.database.checkpoint());
  }
  const std::string good = *read_file(path);
  std::vector<std::string> bad;
  bad.push_back(std::string(10'000, 'q'));                          // wrong magic
  bad.push_back(std::string(good).replace(4096, 4096, 4096, '\0'));  // a zeroed page
  bad.push_back(std::string(good).replace(5000, 1, 1, '\x7f').replace(4096, 8, "garbage!"));
  bad.push_back(good.substr(0, 5000));
  bad.push_back(std::string(good).replace(63, 1, 1, '\x09'));  // user_version
  for (const auto& bytes : bad) {
    REQUIRE(write_file(path, bytes));
    auto opened = open(path);
    REQUIRE(opened.quarantined);
    CHECK(opened.quarantined->path.starts_with(path + ".corrupt-1700000000"));
    CHECK(*read_file(opened.quarantined->path) == bytes);
    CHECK(!opened.quarantined->reason.empty());
    insert(opened.database, 1, "works", "");
  }
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path + suffix);
  REQUIRE(write_file(path, ""));
  { CHECK(!open(path).quarantined); }
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path + suffix);
  std::filesystem::create_directory(path);
  { CHECK(open(path).quarantined); }
  // What the owner cannot read is damage as well.
  int calls = 0;
  const auto probed = open(path, first, [&](Database&) -> Result<> {
    if (++calls == 1) return fail(Code::internal, "unreadable");
    return {};
  });
  CHECK(probed.quarantined->reason == "unreadable");
}

TEST_CASE("F-10: a second process is refused at once and told who holds the directory") {
  const auto dir = TempDir::make();
  Pipe ready = *make_pipe();
  Pipe finish = *make_pipe();
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const auto held = DirLock::acquire(dir->path());
    char byte = held ? 'y' : 'n';
    (void)!::write(ready.write_end.get(), &byte, 1);
    (void)!::read(finish.read_end.get(), &byte, 1);
    ::_exit(0);
  }
  char byte = 0;
  REQUIRE(::read(ready.read_end.get(), &byte, 1) == 1);
  CHECK(byte == 'y');
  const auto started = std::chrono::steady_clock::now();
  const auto refused = DirLock::acquire(dir->path());
  CHECK(std::chrono::steady_clock::now() - started < std::chrono::seconds(1));
  REQUIRE(!refused);
  CHECK(refused.error().code() == Code::conflict);
  CHECK(refused.error().message().find(fmt::format("is in use by process {}", child)) != std::string::npos);
  REQUIRE(::write(finish.write_end.get(), &byte, 1) == 1);
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  CHECK(DirLock::acquire(dir->path()));
}

TEST_CASE("dir lock: F-10 what a killed holder was just starting does not keep the next one out") {
  const auto dir = TempDir::make();
  REQUIRE(dir);
  REQUIRE(::prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
  int said[2], released[2];
  REQUIRE(::pipe(said) == 0);
  REQUIRE(::pipe(released) == 0);
  const pid_t holder = ::fork();
  if (holder == 0) {
    const auto held = DirLock::acquire(dir->path());
    const pid_t started = held ? ::fork() : -1;
    if (started == 0) {
      // It has the lock from its parent, as between vfork and exec, until it is told.
      char go = 0;
      ::close(released[1]);
      while (::read(released[0], &go, 1) > 0) {}
      ::_exit(0);
    }
    [[maybe_unused]] const auto wrote = ::write(said[1], &started, sizeof started);
    ::kill(::getpid(), SIGKILL);
  }
  pid_t started = -1;
  REQUIRE(::read(said[0], &started, sizeof started) == sizeof started);
  REQUIRE(started > 0);
  REQUIRE(::waitpid(holder, nullptr, 0) == holder);
  int pauses = 0;
  const auto let_it_end = [&] {
    ++pauses;
    ::close(released[1]);
    CHECK(::waitpid(started, nullptr, 0) == started);
  };
  CHECK(DirLock::acquire(dir->path(), let_it_end));
  CHECK(pauses == 1);
  for (const int fd : {said[0], said[1], released[0]}) ::close(fd);
}
