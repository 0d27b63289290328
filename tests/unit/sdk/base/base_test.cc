#include <doctest/doctest.h>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "sdk/base/encoding.h"
#include "sdk/base/fail_point.h"
#include "sdk/base/file.h"
#include "sdk/base/log.h"
#include "sdk/base/process.h"
#include "sdk/base/text.h"
#include "sdk/base/uuid.h"

using namespace drover;

TEST_CASE("error: context is put before the message and the code is kept") {
  const Error error(Code::not_found, "no such task");
  const Error outer = error.context("starting \"web\"");
  CHECK(outer.message() == "starting \"web\": no such task");
  CHECK(outer.code() == Code::not_found);
  CHECK(to_http_status(outer) == 404);
}

TEST_CASE("error: errno decides the code and the text is lower case") {
  auto missing = open_file("/nonexistent/file", 0);
  REQUIRE(!missing);
  CHECK(missing.error().code() == Code::not_found);
  CHECK(missing.error().message() == "opening \"/nonexistent/file\": no such file or directory");
}

TEST_CASE("duration: Go's syntax is read and written") {
  CHECK(parse_duration("1h30m")->count() == 5'400'000'000'000);
  CHECK(parse_duration("1.5s")->count() == 1'500'000'000);
  CHECK(parse_duration("-250ms")->count() == -250'000'000);
  CHECK(parse_duration("0")->count() == 0);
  CHECK(parse_duration("5").error().message() == "time: missing unit in duration \"5\"");
  CHECK(parse_duration("5x").error().message() == "time: unknown unit \"x\" in duration \"5x\"");
  CHECK(!parse_duration(""));
  CHECK(!parse_duration("10000000h"));
  CHECK(format_duration(std::chrono::hours(1)) == "1h0m0s");
  CHECK(format_duration(std::chrono::milliseconds(250)) == "250ms");
  CHECK(format_duration(std::chrono::microseconds(1500)) == "1.5ms");
  CHECK(format_duration(std::chrono::milliseconds(61500)) == "1m1.5s");
}

TEST_CASE("rfc3339: both ways") {
  CHECK(format_rfc3339(1'500'000'000'123'000'000) == "2017-07-14T02:40:00.123Z");
  CHECK(format_rfc3339(0) == "1970-01-01T00:00:00Z");
  CHECK(format_rfc3339(1'709'251'199'000'000'001) == "2024-02-29T23:59:59.000000001Z");
  CHECK(format_rfc3339(-1) == "1969-12-31T23:59:59.999999999Z");
  CHECK(format_rfc3339(std::numeric_limits<std::int64_t>::min()) == "1677-09-21T00:12:43.145224192Z");
  CHECK(format_rfc3339(std::numeric_limits<std::int64_t>::max()) == "2262-04-11T23:47:16.854775807Z");
  CHECK(*parse_rfc3339("2017-07-14T04:40:00.123+02:00") == 1'500'000'000'123'000'000);
  CHECK(!parse_rfc3339("2017-07-14"));
}

TEST_CASE("base64: round trip and refusal") {
  for (const std::string text : {"", "a", "ab", "abc", "abcd"}) CHECK(*base64_decode(base64_encode(text)) == text);
  CHECK(base64_encode("hello") == "aGVsbG8=");
  CHECK(!base64_decode("a"));
  CHECK(!base64_decode("aGVsbG8"));
  CHECK(!base64_decode("!!!!"));
}

TEST_CASE("uuid: version 4 form") {
  CHECK(is_uuid(make_uuid()));
  Rng one(7);
  Rng two(7);
  CHECK(make_uuid(one) == make_uuid(two));
  CHECK(!is_uuid("0a"));
}

TEST_CASE("file: durable replacement leaves the new content and no temporary") {
  auto dir = TempDir::make();
  REQUIRE(dir);
  const std::string path = dir->path() + "/a/b/record";
  REQUIRE(make_directories(dir->path() + "/a/b"));
  REQUIRE(replace_file_durably(path, "one"));
  REQUIRE(replace_file_durably(path, "two"));
  CHECK(*read_file(path) == "two");
  CHECK(!read_file(path + ".tmp"));
  CHECK(read_file(path, 2).error().code() == Code::too_large);
}

TEST_CASE("file: directories get the mode that was asked for under any umask") {
  auto dir = TempDir::make();
  REQUIRE(dir);
  const mode_t before = ::umask(0077);
  const auto made = make_directories(dir->path() + "/a//b/", 0711);
  ::umask(before);
  REQUIRE(made);
  for (const char* name : {"/a", "/a/b"}) {
    struct stat info {};
    REQUIRE(::stat((dir->path() + name).c_str(), &info) == 0);
    CHECK((info.st_mode & 07777) == 0711);
  }
  // One that was there keeps its own.
  REQUIRE(make_directories(dir->path() + "/a", 0755));
  struct stat info {};
  REQUIRE(::stat((dir->path() + "/a").c_str(), &info) == 0);
  CHECK((info.st_mode & 07777) == 0711);
}

TEST_CASE("process: a pidfd names this process and its start time") {
  auto self = Process::open(::getpid());
  REQUIRE(self);
  CHECK(self->alive());
  CHECK(self->signal(0));
  CHECK(*process_start_ticks(::getpid()) > 0);
  CHECK(is_uuid(*boot_id()));
}

TEST_CASE("log: P-22 text cannot be forged by line breaks, JSON is one object") {
  const std::vector<std::pair<std::string, std::string>> pairs{{"task", "web\n[ERROR] x"}, {"code", "1"}};
  const LogRecord record{1'500'000'000'123'000'000, LogLevel::warn, "agent.task", "task\nexited", pairs};
  CHECK(format_text(record) ==
        "2017-07-14T02:40:00.123Z [WARN]  agent.task: task\\x0aexited: task=\"web\\n[ERROR] x\" code=1");
  CHECK(format_json(record) ==
        R"({"@level":"warn","@message":"task\nexited","@module":"agent.task","@timestamp":"2017-07-14T02:40:00.123000Z","task":"web\n[ERROR] x","code":"1"})");
}

TEST_CASE("fail point: F-02 kills the victims of an armed point once, and is nothing without the variable") {
  fail_point("here");
  CHECK_FALSE(take_fail_point("here"));
  const auto directory = TempDir::make();
  REQUIRE(directory);
  const std::string file = directory->path() + "/here";
  const auto child_ends_by = [&](const std::string& victims) {
    REQUIRE(write_file(file, victims));
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::execl("/proc/self/exe", "base-test", "--test-case=fail point: the child of the test", "--no-skip", nullptr);
      ::_exit(127);
    }
    int status = 0;
    REQUIRE(::waitpid(pid, &status, 0) == pid);
    CHECK(::access(file.c_str(), F_OK) != 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  };
  REQUIRE(::setenv("DROVER_FAIL_POINTS", directory->path().c_str(), 1) == 0);
  CHECK(child_ends_by("") == SIGKILL);
  CHECK(child_ends_by("self\n") == SIGKILL);
  const pid_t other = ::fork();
  if (other == 0) {
    for (;;) ::pause();
  }
  CHECK(child_ends_by(std::to_string(other)) == 0);
  int status = 0;
  REQUIRE(::waitpid(other, &status, 0) == other);
  CHECK(WIFSIGNALED(status));
  ::unsetenv("DROVER_FAIL_POINTS");
}

TEST_CASE("fail point: the child of the test" * doctest::skip()) {
  fail_point("elsewhere");
  fail_point("here");
  fail_point("here");
}
