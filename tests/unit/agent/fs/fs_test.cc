#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>

#include "agent/fs/alloc_files.h"
#include "agent/fs/stream.h"
#include "sdk/async/scope.h"
#include "sdk/base/file.h"

using namespace drover;
using namespace drover::agent;
using namespace std::chrono_literals;

namespace {

struct Tree {
  TempDir dir = std::move(*TempDir::make());
  Tree() {
    for (const char* path : {"/alloc/logs", "/alloc/data", "/web/local", "/web/secrets", "/web/private"}) REQUIRE(make_directories(dir.path() + path));
    put("alloc/data/f.txt", "0123456789\n");
    put("web/secrets/token", "hidden");
    put("web/private/key", "hidden");
  }
  [[nodiscard]] std::string at(const std::string& path) const { return dir.path() + "/" + path; }
  void put(const std::string& path, const std::string& text) const { REQUIRE(write_file(at(path), text)); }
  [[nodiscard]] AllocFiles files() const { return std::move(*AllocFiles::open(dir.path())); }
};

std::string refusal(const AllocFiles& files, std::string_view path) {
  auto file = files.read(path);
  return file ? std::string("read") : file.error().message();
}

// Collects what is written; `on_write` may change files in between.
class Collect final : public ByteSink {
 public:
  std::string text;
  std::function<void(const std::string&)> on_flush;
  std::size_t limit = std::string::npos;
  Async<bool> write(std::string_view bytes) override {
    text += bytes;
    co_return text.size() < limit;
  }
  Async<bool> flush() override {
    if (on_flush) on_flush(text);
    co_return text.size() < limit;
  }
};

Async<> run(Scope&, Async<> work) { co_await std::move(work); }
void drive(const std::function<Async<>()>& work) {
  asio::io_context loop;
  Scope scope(loop.get_executor());
  scope.spawn(run(scope, work()));
  loop.run();
}

}  // namespace

TEST_CASE("files: ls, stat and read stay in the directory") {
  Tree tree;
  const auto files = tree.files();
  const auto list = files.list("/alloc/data");
  REQUIRE(list);
  REQUIRE(list->size() == 1);
  CHECK(list->front().name == "f.txt");
  CHECK(list->front().file_mode == "-rw-r--r--");
  CHECK(files.stat("alloc/data/f.txt")->content_type == "text/plain; charset=utf-8");
  CHECK(files.stat("alloc")->content_type == "application/octet-stream");
  CHECK(files.stat("/x").error().message() == "stat " + tree.at("x") + ": no such file or directory");
  CHECK(files.list("nope").error().message() == "open " + tree.at("nope") + ": no such file or directory");
  CHECK(refusal(files, "alloc/data") == "file \"alloc/data\" is a directory");
  CHECK(refusal(files, "/alloc/./data/../data/f.txt") == "read");
}

TEST_CASE("N_012 alloc fs: links and dots that lead out are refused") {
  Tree tree;
  const auto files = tree.files();
  CHECK(refusal(files, "../../../etc/passwd") == "Path escapes the alloc directory");
  REQUIRE(symlink("/etc", tree.at("web/local/abs").c_str()) == 0);
  REQUIRE(symlink("../../../..", tree.at("web/local/up").c_str()) == 0);
  REQUIRE(symlink("../../alloc/data/f.txt", tree.at("web/local/in").c_str()) == 0);
  CHECK(refusal(files, "web/local/abs/passwd") == "Path escapes the alloc directory");
  CHECK(refusal(files, "web/local/up/etc/passwd") == "Path escapes the alloc directory");
  CHECK(refusal(files, "web/local/in") == "read");
  CHECK(!files.list("web/local/abs"));
}

TEST_CASE("N_007 alloc fs: secrets are refused by identity, also through links") {
  Tree tree;
  const auto files = tree.files();
  CHECK(refusal(files, "web/secrets/token") == "Reading secret file prohibited: web/secrets/token");
  CHECK(refusal(files, "web/private/key") == "Reading private file prohibited: web/private/key");
  REQUIRE(symlink("../secrets", tree.at("web/local/s").c_str()) == 0);
  CHECK(refusal(files, "web/local/s/token") == "Reading secret file prohibited: web/local/s/token");
  CHECK(files.list("web/secrets"));
}

TEST_CASE("N_002 alloc fs: a log that is a link or a FIFO is not read") {
  Tree tree;
  const auto files = tree.files();
  REQUIRE(symlink("/etc/passwd", tree.at("alloc/logs/web.stdout.0").c_str()) == 0);
  REQUIRE(mkfifo(tree.at("alloc/logs/web.stdout.1").c_str(), 0600) == 0);
  CHECK(!files.read_log("web.stdout.0"));
  CHECK(!files.read_log("web.stdout.1"));
}

TEST_CASE("files: modes and types are written as Go does") {
  CHECK(file_mode_text(S_IFDIR | 0777) == "drwxrwxrwx");
  CHECK(file_mode_text(S_IFDIR | S_ISVTX | 0777) == "dtrwxrwxrwx");
  CHECK(file_mode_text(S_IFSOCK | 0666) == "Srw-rw-rw-");
  CHECK(sniff_content_type("<html><body>") == "text/html; charset=utf-8");
  CHECK(sniff_content_type("{\"a\":1}") == "text/plain; charset=utf-8");
  CHECK(sniff_content_type("\x89PNG\r\n\x1A\n") == "image/png");
  CHECK(sniff_content_type(std::string_view("a\0b", 3)) == "application/octet-stream");
}

TEST_CASE("stream: frames, offsets and origins") {
  Tree tree;
  const auto files = tree.files();
  Pool pool(1);
  const auto frames = [&](StreamOptions options) {
    Collect sink;
    drive([&] { return stream_file(pool, std::move(*files.read("alloc/data/f.txt")), "alloc/data/f.txt", options, sink); });
    return sink.text;
  };
  CHECK(frames({}) == encode_frame("alloc/data/f.txt", 11, "0123456789\n", ""));
  CHECK(frames({}) == R"({"Data":"MDEyMzQ1Njc4OQo=","File":"alloc/data/f.txt","Offset":11})");
  CHECK(frames({.offset = 4}) == encode_frame("alloc/data/f.txt", 11, "456789\n", ""));
  CHECK(frames({.offset = 4, .from_end = true}) == encode_frame("alloc/data/f.txt", 11, "789\n", ""));
  CHECK(frames({.offset = 99}).empty());
  CHECK(frames({.offset = 99, .from_end = true}) == encode_frame("alloc/data/f.txt", 11, "0123456789\n", ""));
  CHECK(encode_frame("", 0, "", "") == "{}");
}

TEST_CASE("stream: following sees growth, truncation and deletion") {
  Tree tree;
  const auto files = tree.files();
  Pool pool(1);
  Collect sink;
  int step = 0;
  sink.on_flush = [&](const std::string&) {
    if (step == 0) {
      const auto fd = open_file(tree.at("alloc/data/f.txt"), O_WRONLY | O_APPEND);
      REQUIRE(write_all(fd->get(), "more\n"));
    }
    if (step == 2) REQUIRE(truncate(tree.at("alloc/data/f.txt").c_str(), 0) == 0);
    if (step == 4) REQUIRE(unlink(tree.at("alloc/data/f.txt").c_str()) == 0);
    ++step;
  };
  drive([&] { return stream_file(pool, std::move(*files.read("alloc/data/f.txt")), "f", {.follow = true}, sink); });
  const std::string expected = encode_frame("f", 11, "0123456789\n", "") + encode_frame("f", 16, "more\n", "") +
                               encode_frame("f", 0, "", "file truncated") + encode_frame("f", 0, "", "file deleted");
  CHECK(sink.text == expected);
}

TEST_CASE("logs: rotated files are read in order, from either end") {
  Tree tree;
  tree.put("alloc/logs/web.stdout.1", "one\n");
  tree.put("alloc/logs/web.stdout.2", "two\n");
  tree.put("alloc/logs/web.stdout.10", "ten\n");
  tree.put("alloc/logs/web.stderr.0", "err\n");
  Pool pool(1);
  auto files = std::make_shared<const AllocFiles>(tree.files());
  const auto text = [&](StreamOptions options) {
    options.plain = true;
    Collect sink;
    drive([&] { return stream_logs(pool, files, "web", "stdout", options, sink); });
    return sink.text;
  };
  CHECK(text({}) == "one\ntwo\nten\n");
  CHECK(text({.offset = 5}) == "wo\nten\n");
  CHECK(text({.offset = 6, .from_end = true}) == "o\nten\n");
  CHECK(text({.from_end = true}) == "ten\n");
  CHECK(text({.offset = 600, .from_end = true}) == "one\ntwo\nten\n");
  CHECK(text({.offset = 600}).empty());
  CHECK(text({.offset = -3}) == "en\n");
}

TEST_CASE("logs: following goes on in the next file, and a deleted log ends it") {
  Tree tree;
  tree.put("alloc/logs/web.stdout.0", "a\n");
  Pool pool(1);
  auto files = std::make_shared<const AllocFiles>(tree.files());
  Collect sink;
  int step = 0;
  sink.on_flush = [&](const std::string&) {
    if (step == 0) {
      const auto fd = open_file(tree.at("alloc/logs/web.stdout.0"), O_WRONLY | O_APPEND);
      REQUIRE(write_all(fd->get(), "last of 0\n"));
      tree.put("alloc/logs/web.stdout.1", "b\n");
      REQUIRE(unlink(tree.at("alloc/logs/web.stdout.0").c_str()) == 0);
    }
    if (step == 2) REQUIRE(unlink(tree.at("alloc/logs/web.stdout.1").c_str()) == 0);
    ++step;
  };
  drive([&] { return stream_logs(pool, files, "web", "stdout", {.follow = true}, sink); });
  const std::string zero = "alloc/logs/web.stdout.0", one = "alloc/logs/web.stdout.1";
  CHECK(sink.text == encode_frame(zero, 2, "a\n", "") + encode_frame(zero, 12, "last of 0\n", "") + encode_frame(one, 2, "b\n", "") +
                         encode_frame(one, 2, "", "file deleted"));
}
