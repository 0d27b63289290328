#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "sdk/base/file.h"
#include "lib/store/crc32c.h"
#include "server/raft/log.h"
#include "server/raft/record.h"
#include "server/raft/snapshots.h"

using namespace drover;

namespace {
LogEntryPtr entry(std::uint64_t term, std::string data) {
  return std::make_shared<const LogEntry>(LogEntry{.term = term, .data = std::move(data)});
}

std::unique_ptr<Log> open_log(const std::string& directory, std::uint64_t segment_bytes = 4096) {
  auto log = open_segmented_log({.directory = directory, .segment_bytes = segment_bytes});
  REQUIRE(log);
  return std::move(*log);
}

std::vector<std::string> texts(const LogContents& contents) {
  std::vector<std::string> out;
  for (const auto& item : contents.entries) out.push_back(item->data);
  return out;
}

std::string segment_file(const std::string& directory, std::uint64_t first) { return fmt::format("{}/log-{:020}", directory, first); }

void change_byte(const std::string& path, off_t offset, char value) {
  const auto fd = open_file(path, O_RDWR);
  REQUIRE(fd);
  REQUIRE(::pwrite(fd->get(), &value, 1, offset) == 1);
}
}  // namespace

TEST_CASE("crc32c: the known check value") {
  CHECK(crc32c("123456789") == 0xe3069283u);
  // Whatever the length and the place, as the definition has it, bit by bit.
  std::string bytes;
  for (unsigned i = 0; i < 80; ++i) bytes.push_back(static_cast<char>(i * 37 + 11));
  for (std::size_t from = 0; from < 9; ++from) {
    for (std::size_t size = 0; from + size <= bytes.size(); ++size) {
      std::uint32_t want = ~7u;
      for (const char c : bytes.substr(from, size)) {
        want ^= static_cast<unsigned char>(c);
        for (int bit = 0; bit < 8; ++bit) want = (want >> 1) ^ ((want & 1) != 0 ? 0x82f63b78u : 0u);
      }
      CHECK(crc32c(std::string_view(bytes).substr(from, size), 7) == ~want);
    }
  }
  CHECK(crc32c("56789", crc32c("1234")) == 0xe3069283u);
}

TEST_CASE("log: entries, vote and segments come back after reopening") {
  const auto dir = TempDir::make();
  {
    auto log = open_log(dir->path());
    REQUIRE(log->load());
    CHECK(log->save_vote({.term = 7, .voted_for = 3}));
    for (std::uint64_t i = 1; i <= 100; ++i) CHECK(log->append(i, {entry(7, fmt::format("entry {} {}", i, std::string(100, 'x')))}));
    CHECK(log->append(101, {entry(7, std::string(9000, 'y')), entry(7, "")}));
  }
  auto log = open_log(dir->path());
  const auto contents = log->load();
  REQUIRE(contents);
  CHECK(contents->vote == TermVote{.term = 7, .voted_for = 3});
  CHECK(contents->first_index == 1);
  REQUIRE(contents->entries.size() == 102);
  CHECK(contents->entries[41]->data.starts_with("entry 42 "));
  CHECK(contents->entries[100]->data == std::string(9000, 'y'));
  CHECK(contents->entries[101]->data.empty());
}

TEST_CASE("log: a 64 byte entry takes at most 4 KiB on disk, in a file whose size does not change") {
  const auto dir = TempDir::make();
  auto log = open_log(dir->path(), 1u << 20);
  REQUIRE(log->load());
  CHECK(log->append(1, {entry(1, std::string(64, 'a'))}));
  const auto before = std::filesystem::file_size(segment_file(dir->path(), 1));
  CHECK(log->append(2, {entry(1, std::string(64, 'a'))}));
  CHECK(std::filesystem::file_size(segment_file(dir->path(), 1)) == before);
  CHECK(record_bytes(64) <= 128);
}

TEST_CASE("log: appending at an earlier index replaces what was there, over segments") {
  const auto dir = TempDir::make();
  {
    auto log = open_log(dir->path());
    REQUIRE(log->load());
    for (std::uint64_t i = 1; i <= 60; ++i) CHECK(log->append(i, {entry(1, fmt::format("old {} {}", i, std::string(200, 'x')))}));
    CHECK(log->append(5, {entry(2, "new 5"), entry(2, "new 6")}));
    CHECK(log->append(7, {entry(2, "new 7")}));
  }
  const auto contents = open_log(dir->path())->load();
  REQUIRE(contents);
  REQUIRE(contents->entries.size() == 7);
  CHECK(contents->entries[3]->data.starts_with("old 4"));
  CHECK(contents->entries[4]->data == "new 5");
  CHECK(contents->entries[6]->data == "new 7");
}

TEST_CASE("log: compaction drops whole segments, reset starts anew") {
  const auto dir = TempDir::make();
  auto log = open_log(dir->path());
  REQUIRE(log->load());
  for (std::uint64_t i = 1; i <= 60; ++i) CHECK(log->append(i, {entry(1, std::string(200, 'x'))}));
  CHECK(log->compact(30));
  const auto some = open_log(dir->path())->load();
  CHECK(some->first_index > 1);
  CHECK(some->first_index <= 31);
  CHECK(some->last_index() == 60);
  CHECK(log->reset(101));
  CHECK(log->append(101, {entry(2, "fresh")}));
  const auto fresh = open_log(dir->path())->load();
  CHECK(fresh->first_index == 101);
  CHECK(texts(*fresh) == std::vector<std::string>{"fresh"});
}

TEST_CASE("F-81: a write torn at any byte is cut off and nothing acknowledged is lost") {
  const auto dir = TempDir::make();
  auto log = open_log(dir->path());
  REQUIRE(log->load());
  CHECK(log->append(1, {entry(1, "one"), entry(1, "two")}));
  const std::string kept = *read_file(segment_file(dir->path(), 1));
  CHECK(log->append(3, {entry(1, "three"), entry(1, "four"), entry(1, "five")}));
  const std::string full = *read_file(segment_file(dir->path(), 1));
  const std::size_t start = segment_header_bytes + 2 * record_bytes(3);
  const std::size_t end = start + 3 * record_bytes(5);
  for (std::size_t cut = start; cut < end; ++cut) {
    // Either the front part or the back part of the batch reached the disk.
    for (const bool front : {true, false}) {
      std::string torn = kept;
      if (front) torn.replace(start, cut - start, full, start, cut - start);
      else torn.replace(cut, end - cut, full, cut, end - cut);
      const auto scan = scan_segment(torn, 1);
      CHECK(scan.how != SegmentScan::End::corrupt);
      CHECK(scan.entries.size() >= 2);
      if (cut % 40 != 0) continue;
      const auto copy = TempDir::make();
      REQUIRE(write_file(segment_file(copy->path(), 1), torn));
      auto reopened = open_log(copy->path());
      const auto contents = reopened->load();
      REQUIRE(contents);
      CHECK(contents->entries.size() >= 2);
      CHECK(contents->entries[1]->data == "two");
      const std::uint64_t next = contents->last_index() + 1;
      CHECK(reopened->append(next, {entry(1, "after")}));
      const auto again = open_log(copy->path())->load();
      REQUIRE(again);
      CHECK(again->last_index() == next);
      CHECK(again->entries.back()->data == "after");
    }
  }
}

TEST_CASE("Z-20: a flipped byte before acknowledged entries refuses, naming file and offset") {
  const auto dir = TempDir::make();
  auto log = open_log(dir->path(), 1u << 16);
  REQUIRE(log->load());
  for (std::uint64_t i = 1; i <= 5; ++i) CHECK(log->append(i, {entry(1, fmt::format("entry {}", i))}));
  const std::string path = segment_file(dir->path(), 1);
  const std::string good = *read_file(path);
  const std::size_t record = record_bytes(7);
  for (std::size_t at = segment_header_bytes; at < segment_header_bytes + 4 * record; ++at) {
    // The three filler bytes and the padding are covered as well.
    change_byte(path, static_cast<off_t>(at), static_cast<char>(good[at] ^ 0x10));
    const auto contents = open_log(dir->path(), 1u << 16)->load();
    REQUIRE(!contents);
    const std::size_t offset = segment_header_bytes + (at - segment_header_bytes) / record * record;
    CHECK(contents.error().message().find(fmt::format("\"{}\" is damaged at offset {}", path, offset)) != std::string::npos);
    change_byte(path, static_cast<off_t>(at), good[at]);
  }
  CHECK(open_log(dir->path(), 1u << 16)->load()->entries.size() == 5);
}

TEST_CASE("Z-20: a zeroed page, a missing segment and a damaged vote refuse") {
  const auto dir = TempDir::make();
  auto log = open_log(dir->path());
  REQUIRE(log->load());
  CHECK(log->save_vote({.term = 1, .voted_for = 1}));
  for (std::uint64_t i = 1; i <= 60; ++i) CHECK(log->append(i, {entry(1, std::string(200, 'x'))}));
  std::vector<std::string> segments;
  for (const auto& file : std::filesystem::directory_iterator(dir->path())) {
    if (file.path().filename().string().starts_with("log-")) segments.push_back(file.path().string());
  }
  std::sort(segments.begin(), segments.end());
  REQUIRE(segments.size() >= 3);
  const std::string good = *read_file(segments[1]);
  std::string zeroed = good;
  zeroed.replace(600, 512, 512, '\0');
  REQUIRE(write_file(segments[1], zeroed));
  CHECK(!open_log(dir->path())->load());
  std::filesystem::remove(segments[1]);
  CHECK(!open_log(dir->path())->load());
  REQUIRE(write_file(segments[1], good));
  CHECK(open_log(dir->path())->load());
  change_byte(dir->path() + "/vote", 9, 'x');
  const auto contents = open_log(dir->path())->load();
  REQUIRE(!contents);
  CHECK(contents.error().message().find("/vote\" is damaged") != std::string::npos);
}

TEST_CASE("log: a prepared segment is used for the next one") {
  const auto dir = TempDir::make();
  auto log = open_log(dir->path());
  REQUIRE(log->load());
  CHECK(log->append(1, {entry(1, "x")}));
  CHECK(log->prepare());
  CHECK(log->prepare());
  CHECK(std::filesystem::exists(dir->path() + "/spare"));
  for (std::uint64_t i = 2; i <= 20; ++i) CHECK(log->append(i, {entry(1, std::string(200, 'x'))}));
  CHECK(!std::filesystem::exists(dir->path() + "/spare"));
  CHECK(open_log(dir->path())->load()->entries.size() == 20);
}

TEST_CASE("snapshots: streamed, two kept, the newest first") {
  const auto dir = TempDir::make();
  auto store = SnapshotStore::open(dir->path());
  REQUIRE(store);
  CHECK(!store->open_newest()->reader);
  const std::string big(3'000'000, 'z');
  for (std::uint64_t index = 10; index <= 30; index += 10) {
    auto pending = store->create({.index = index, .term = 2, .configuration_index = 1, .configuration = "conf"});
    REQUIRE(pending);
    CHECK(pending->write("head"));
    CHECK(pending->write(big));
    CHECK(store->commit(*pending) == (index == 10 ? 10u : index - 10));
  }
  { const auto abandoned = store->create({.index = 40, .term = 2}); }
  CHECK(store->list()->size() == 2);
  const auto newest = store->open_newest();
  REQUIRE(newest);
  REQUIRE(newest->reader);
  CHECK(newest->oldest_index == 20);
  CHECK(newest->reader->meta() == SnapshotMeta{.index = 30, .term = 2, .configuration_index = 1, .configuration = "conf"});
  CHECK(newest->reader->read_exactly(4) == "head");
  CHECK(newest->reader->read_exactly(big.size()) == big);
  CHECK(newest->reader->read(100)->empty());
  CHECK(!newest->reader->read_exactly(1));
}

TEST_CASE("F-66: a damaged snapshot is refused before it is used, and the older one takes over") {
  const auto dir = TempDir::make();
  auto store = SnapshotStore::open(dir->path());
  for (std::uint64_t index : {10u, 20u}) {
    auto pending = store->create({.index = index, .term = 1});
    CHECK(pending->write(fmt::format("state at {}", index)));
    CHECK(store->commit(*pending));
  }
  const std::string path = store->list()->front();
  const std::string good = *read_file(path);
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x04);
    REQUIRE(write_file(path, bad));
    const auto newest = store->open_newest();
    REQUIRE(newest);
    REQUIRE(newest->reader);
    CHECK(newest->reader->meta().index == 10);
    CHECK(newest->refused.size() == 1);
    REQUIRE(write_file(path, good.substr(0, at)));
    CHECK(store->open_newest()->refused.size() == 1);
  }
}
