#include "lib/snapshot/archive.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <unistd.h>

#include "lib/snapshot/hash.h"
#include "lib/snapshot/spool.h"
#include "sdk/base/encoding.h"
#include "sdk/base/file.h"

using namespace drover;
using namespace drover::snapshot;

namespace {
std::string record(char type, const std::string& rest) {
  const std::size_t size = rest.size() + 1;
  std::string out;
  for (std::size_t i = 0; i < 4; ++i) out.push_back(static_cast<char>((size >> (8 * i)) & 0xff));
  return out + type + rest;
}
Fd file_of(std::string_view bytes) {
  auto file = open_unnamed("/tmp");
  REQUIRE(file);
  REQUIRE(write_all(file->get(), bytes));
  ::lseek(file->get(), 0, SEEK_SET);
  return std::move(*file);
}
StateWriter in_parts(std::string_view state) {
  return [state](const ByteSink& sink) -> Result<> {
    constexpr std::size_t part = 300'001;
    for (std::size_t at = 0; at < state.size(); at += part) DROVER_TRY(sink(state.substr(at, part)));
    return {};
  };
}
std::string archive_of(const Meta& about, std::string_view state) {
  std::string out;
  const auto written = write_archive(about, in_parts(state), "/tmp", [&](std::string_view part) -> Result<> {
    out += part;
    return {};
  });
  REQUIRE(written);
  CHECK(written->bytes == out.size());
  CHECK(written->sha256 == sha256(out));
  return out;
}
struct Archive {
  Meta meta;
  std::string state;
};
Result<Archive> open_archive(std::string_view bytes) {
  Archive out;
  const Fd file = file_of(bytes);
  auto read = read_archive(file.get(), [&](std::string_view part) -> Result<> {
    out.state += part;
    return {};
  });
  if (!read) return fail(read.error());
  out.meta = std::move(*read);
  return out;
}
// Given in parts of that size.
Result<std::vector<Count>> count_records(std::string_view state, std::size_t part) {
  RecordCounter counter;
  for (; !state.empty(); state.remove_prefix(std::min(part, state.size()))) counter.take(state.substr(0, part));
  return counter.counts();
}
const Meta meta{.id = "1-2", .index = 42, .term = 3, .cluster_id = "c", .build = "2.0.6", .created = 1'800'000'000'000'000'000};
}  // namespace

TEST_CASE("snapshot file: what was written is read") {
  std::string state;
  for (int i = 0; i < 5000; ++i) state += record(static_cast<char>(i % 3), fmt::format("record {}", i));
  const std::string bytes = archive_of(meta, state);
  CHECK(bytes.size() < state.size());
  const auto archive = open_archive(bytes);
  REQUIRE(archive);
  CHECK(archive->state == state);
  CHECK(archive->meta.index == 42);
  CHECK(archive->meta.created == meta.created);
  CHECK(archive->meta.size == state.size());
  for (const std::size_t part : {std::size_t{1}, std::size_t{7}, state.size()}) {
    const auto counts = count_records(archive->state, part);
    REQUIRE(counts);
    REQUIRE(counts->size() == 3);
    CHECK((*counts)[0].name == "Node");
    CHECK((*counts)[0].count == 1667);
  }
  CHECK(!count_records(std::string_view(state).substr(0, state.size() - 1), 100));
  CHECK(open_archive(archive_of(meta, ""))->state.empty());
}

TEST_CASE("snapshot file: a state of many parts, packed on several threads, is the same again") {
  std::string state;
  for (std::uint32_t i = 0; state.size() < (9u << 20) + 17; ++i) state += record(static_cast<char>(i % 3), fmt::format("record {} {}", i, i * 2654435761u));
  const std::string bytes = archive_of(meta, state);
  const auto archive = open_archive(bytes);
  REQUIRE(archive);
  CHECK(archive->state == state);
  // Also for programs of others.
  const Fd file = file_of(bytes);
  FILE* tar = ::popen(fmt::format("tar -xzOf /proc/{}/fd/{} state.bin | sha256sum", ::getpid(), file.get()).c_str(), "r");
  char sum[64] = {};
  REQUIRE(tar != nullptr);
  CHECK(::fread(sum, 1, sizeof sum, tar) == sizeof sum);
  ::pclose(tar);
  CHECK(std::string_view(sum, sizeof sum) == hex_encode(sha256(state)));
}

TEST_CASE("snapshot file: the writer's and the reader's troubles end it") {
  const std::string state = record(1, std::string(1 << 20, 'x'));
  const auto full = write_archive(meta, in_parts(state), "/tmp", [](std::string_view) -> Result<> { return fail(Code::resource_exhausted, "no room"); });
  REQUIRE(!full);
  CHECK(full.error().message().find("no room") != std::string::npos);
  const auto cut = write_archive(meta, [](const ByteSink&) -> Result<> { return fail(Code::internal, "no state"); }, "/tmp", [](std::string_view) -> Result<> { return {}; });
  REQUIRE(!cut);
  CHECK(cut.error().message() == "no state");
  const Fd whole = file_of(archive_of(meta, state));
  const auto stopped = read_archive(whole.get(), [](std::string_view) -> Result<> { return fail(Code::invalid_argument, "not like this"); });
  REQUIRE(!stopped);
  CHECK(stopped.error().message() == "not like this");
}

TEST_CASE("F-66: a snapshot file that is cut off, changed or of a later version is refused") {
  std::string state;
  for (int i = 0; i < 300; ++i) state += record(1, fmt::format("record {}", i));
  const std::string bytes = archive_of(meta, state);
  for (std::size_t size = 0; size < bytes.size(); size += 7) CHECK(!open_archive(std::string_view(bytes).substr(0, size)));
  std::size_t harmless = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ (1 << (i % 8)));
    const auto archive = open_archive(changed);
    // Heads and ends of gzip's members, 18 bytes each, say nothing of the content, and a repetition may be copied from another place.
    if (archive) {
      CHECK(archive->state == state);
      ++harmless;
    }
  }
  CHECK(harmless < 3 * 18 + bytes.size() / 50);
  CHECK(open_archive("not a snapshot").error().message() == "failed to decompress snapshot: gzip: invalid header");
  Meta later = meta;
  later.version = format_version + 1;
  const auto refused = open_archive(archive_of(later, state));
  REQUIRE(!refused);
  CHECK(refused.error().message().find("written by version 2.0.6") != std::string::npos);
}
