#include "lib/snapshot/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "lib/snapshot/gzip_parts.h"
#include "lib/snapshot/hash.h"
#include "lib/snapshot/spool.h"
#include "sdk/base/encoding.h"

namespace drover::snapshot {
namespace {
struct Free {
  void operator()(archive* one) const { archive_free(one); }
  void operator()(archive_entry* one) const { archive_entry_free(one); }
};
using Handle = std::unique_ptr<archive, Free>;

constexpr std::size_t part_bytes = 256 * 1024;
constexpr std::size_t largest_text = 1 << 20;  // of the two small files

Error damaged(archive* one) {
  const char* why = archive_error_string(one);
  return Error(Code::invalid_argument, fmt::format("failed to read snapshot: {}", why != nullptr ? why : "the data is damaged"));
}

Unexpected not_written(archive* tar) {
  const char* why = archive_error_string(tar);
  return fail(Code::internal, "writing the snapshot: {}", why != nullptr ? why : "the file could not be made");
}

// The file that is made, and its sum.
struct Target {
  const ByteSink& sink;
  Sha256 sum{};
  std::uint64_t bytes = 0;

  Result<> put(std::string_view part) {
    sum.add(part);
    bytes += part.size();
    return sink(part);
  }
};

// Where the bytes of a tar go to, and why that failed. Content that is packed already only passes.
struct Frame {
  GzipParts out;
  bool passing = false;
  Result<> result{};

  static la_ssize_t put(archive* tar, void* self, const void* bytes, std::size_t size) {
    auto& frame = *static_cast<Frame*>(self);
    if (!frame.passing) frame.result = frame.out.add({static_cast<const char*>(bytes), size});
    if (frame.result) return static_cast<la_ssize_t>(size);
    archive_set_error(tar, EIO, "%s", frame.result.error().message().c_str());
    return -1;
  }
};

Result<> begin_file(archive* tar, const char* name, std::uint64_t size, std::int64_t seconds) {
  const std::unique_ptr<archive_entry, Free> entry(archive_entry_new());
  archive_entry_set_pathname(entry.get(), name);
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_entry_set_perm(entry.get(), 0600);
  archive_entry_set_mtime(entry.get(), seconds, 0);
  archive_entry_set_size(entry.get(), static_cast<la_int64_t>(size));
  if (archive_write_header(tar, entry.get()) != ARCHIVE_OK) return not_written(tar);
  return {};
}

Result<> add_bytes(archive* tar, std::string_view bytes) {
  if (archive_write_data(tar, bytes.data(), bytes.size()) != static_cast<la_ssize_t>(bytes.size())) return not_written(tar);
  return {};
}

Result<> add_file(archive* tar, const char* name, std::string_view content, std::int64_t seconds) {
  DROVER_TRY(begin_file(tar, name, content.size(), seconds));
  return add_bytes(tar, content);
}

// A spool's content, from its start.
Result<> copy_spool(int file, Target& target) {
  for (std::uint64_t at = 0;;) {
    const auto bytes = read_at(file, at, part_bytes);
    if (!bytes) return fail(bytes.error());
    if (bytes->empty()) return {};
    DROVER_TRY(target.put(*bytes));
    at += bytes->size();
  }
}

// Tells the tar of content that is in its place already.
Result<> pass_by(archive* tar, Frame& frame, std::uint64_t size) {
  const std::string nothing(part_bytes, '\0');
  frame.passing = true;
  for (std::uint64_t left = size; left > 0;) {
    const std::size_t part = std::min<std::uint64_t>(left, nothing.size());
    DROVER_TRY(add_bytes(tar, std::string_view(nothing).substr(0, part)));
    left -= part;
  }
  frame.passing = false;
  return {};
}

// The content of the file that the tar is at.
Result<> read_content(archive* tar, const ByteSink& sink) {
  for (std::uint64_t at = 0;;) {
    const void* part = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    const int code = archive_read_data_block(tar, &part, &size, &offset);
    if (code == ARCHIVE_EOF) return {};
    if (code != ARCHIVE_OK || static_cast<std::uint64_t>(offset) != at) return fail(damaged(tar));
    DROVER_TRY(sink({static_cast<const char*>(part), size}));
    at += size;
  }
}

Result<Meta> read_meta(const std::string& text) {
  const auto document = nlohmann::json::parse(text, nullptr, false);
  if (!document.is_object()) return fail(Code::invalid_argument, "failed to read snapshot: meta.json is no object");
  Meta out;
  try {
    out = {.version = document.value("Version", std::uint64_t{0}), .id = document.value("ID", ""), .index = document.value("Index", std::uint64_t{0}),
           .term = document.value("Term", std::uint64_t{0}), .cluster_id = document.value("ClusterID", ""), .build = document.value("Build", ""),
           .created = document.value("Created", std::int64_t{0}), .size = document.value("Size", std::uint64_t{0})};
  } catch (const nlohmann::json::exception&) {
    return fail(Code::invalid_argument, "failed to read snapshot: meta.json has values of other types");
  }
  if (out.version == 0 || out.version > format_version) {
    return fail(Code::invalid_argument, "the snapshot is of format {}, written by version {}; this version reads up to {}: restore it with that version",
                out.version, out.build, format_version);
  }
  return out;
}

struct Contents {
  std::map<std::string, std::string> texts;  // of the small files
  std::optional<std::string> state_sum;      // in hex
};

Result<Contents> read_contents(archive* tar, const ByteSink& state) {
  Contents out;
  for (;;) {
    archive_entry* entry = nullptr;
    const int code = archive_read_next_header(tar, &entry);
    if (code == ARCHIVE_EOF) return out;
    if (code != ARCHIVE_OK) return fail(damaged(tar));
    const char* const given = archive_entry_pathname(entry);
    const std::string name = given != nullptr ? given : "";
    if (name == "state.bin") {
      if (out.state_sum) return fail(Code::invalid_argument, "failed to read snapshot: it has \"state.bin\" twice");
      Sha256 sum;
      DROVER_TRY(read_content(tar, [&](std::string_view part) {
        sum.add(part);
        return state(part);
      }));
      out.state_sum = hex_encode(sum.finish());
      continue;
    }
    std::string& text = out.texts[name];
    text.clear();
    DROVER_TRY(read_content(tar, [&](std::string_view part) -> Result<> {
      if (text.size() + part.size() > largest_text) return fail(Code::invalid_argument, "failed to read snapshot: \"{}\" is too large", name);
      text += part;
      return {};
    }));
    // Before the state, which a later version may write in ways that nobody here can read.
    if (name == "meta.json") {
      if (const auto meta = read_meta(text); !meta) return fail(meta.error());
    }
  }
}

std::string sums(const std::string& meta, const std::string& state_sum) {
  return fmt::format("{}  meta.json\n{}  state.bin\n", hex_encode(sha256(meta)), state_sum);
}

// Numbers of server/fsm's records.
std::string record_name(unsigned type) {
  static const std::map<unsigned, std::string> names{{0, "Node"}, {1, "Job"}, {2, "Index"}, {3, "Eval"}, {4, "Alloc"}, {6, "PeriodicLaunch"},
    {7, "JobSummary"}, {9, "JobVersion"}, {10, "Deployment"}, {13, "SchedulerConfig"}, {17, "ScalingPolicy"}, {19, "ScalingEvents"},
    {28, "NodePool"}, {29, "JobSubmission"}, {40, "JobText"}, {64, "Namespace"}, {65, "HostVolume"}, {66, "TaskGroupHostVolumeClaim"},
    {70, "AutopilotConfig"}, {71, "IndexOffset"}, {72, "PendingRestore"}, {73, "PendingRestoreText"}, {74, "PendingRestoreRecord"}};
  const auto at = names.find(type);
  return at == names.end() ? fmt::format("Unknown({})", type) : at->second;
}

}  // namespace

Result<Written> write_archive(Meta meta, const StateWriter& state, const std::string& directory, const ByteSink& out) {
  auto spool = Spool::open(directory);
  if (!spool) return fail(spool.error());
  Sha256 state_sum;
  meta.size = 0;
  GzipParts packed([&](std::string_view part) { return spool->add(part); });
  DROVER_TRY(state([&](std::string_view part) {
    state_sum.add(part);
    meta.size += part.size();
    return packed.add(part);
  }));
  DROVER_TRY(packed.flush());
  nlohmann::ordered_json document;
  document["Version"] = meta.version;
  document["ID"] = meta.id;
  document["Index"] = meta.index;
  document["Term"] = meta.term;
  document["ClusterID"] = meta.cluster_id;
  document["Build"] = meta.build;
  document["Created"] = meta.created;
  document["Size"] = meta.size;
  const std::string text = document.dump() + "\n";
  const std::int64_t seconds = meta.created / 1'000'000'000;
  Target target{.sink = out};
  Frame frame{.out = GzipParts([&](std::string_view part) { return target.put(part); })};
  const Handle tar(archive_write_new());
  archive_write_set_format_gnutar(tar.get());
  // No blocks: what is told to the tar is with the frame when that returns.
  archive_write_set_bytes_per_block(tar.get(), 0);
  if (archive_write_open(tar.get(), &frame, nullptr, Frame::put, nullptr) != ARCHIVE_OK) return not_written(tar.get());
  DROVER_TRY(add_file(tar.get(), "meta.json", text, seconds));
  DROVER_TRY(begin_file(tar.get(), "state.bin", meta.size, seconds));
  DROVER_TRY(frame.out.flush());
  DROVER_TRY(copy_spool(spool->file(), target));
  DROVER_TRY(pass_by(tar.get(), frame, meta.size));
  DROVER_TRY(add_file(tar.get(), "SHA256SUMS", sums(text, hex_encode(state_sum.finish())), seconds));
  if (archive_write_close(tar.get()) != ARCHIVE_OK) return not_written(tar.get());
  DROVER_TRY(frame.result);
  DROVER_TRY(frame.out.flush());
  return Written{.bytes = target.bytes, .sha256 = target.sum.finish()};
}

Result<Meta> read_archive(int in, const ByteSink& state) {
  char magic[2] = {};
  const off_t at = ::lseek(in, 0, SEEK_CUR);
  if (::pread(in, magic, sizeof magic, at) != 2 || magic[0] != '\x1f' || magic[1] != '\x8b') {
    return fail(Code::invalid_argument, "failed to decompress snapshot: gzip: invalid header");
  }
  const Handle tar(archive_read_new());
  archive_read_support_filter_gzip(tar.get());
  archive_read_support_format_tar(tar.get());
  if (archive_read_open_fd(tar.get(), in, part_bytes) != ARCHIVE_OK) return fail(damaged(tar.get()));
  auto contents = read_contents(tar.get(), state);
  if (!contents) return fail(contents.error());
  auto& texts = contents->texts;
  for (const char* name : {"meta.json", "SHA256SUMS"}) {
    if (!texts.contains(name)) return fail(Code::invalid_argument, "failed to read snapshot: it has no \"{}\"", name);
  }
  if (!contents->state_sum) return fail(Code::invalid_argument, "failed to read snapshot: it has no \"state.bin\"");
  if (texts["SHA256SUMS"] != sums(texts["meta.json"], *contents->state_sum)) {
    return fail(Code::invalid_argument, "failed checking integrity of snapshot: hash check failed: the file is damaged, take another one");
  }
  return read_meta(texts["meta.json"]);
}

void RecordCounter::take(std::string_view bytes) {
  while (!bytes.empty() && !wrong_) {
    if (left_ > 0) {
      const std::size_t skipped = std::min<std::uint64_t>(left_, bytes.size());
      left_ -= skipped;
      bytes.remove_prefix(skipped);
      continue;
    }
    head_.push_back(bytes.front());
    bytes.remove_prefix(1);
    if (head_.size() < 5) continue;
    std::uint64_t size = 0;
    for (std::size_t i = 0; i < 4; ++i) size |= static_cast<std::uint64_t>(static_cast<unsigned char>(head_[i])) << (8 * i);
    const auto type = static_cast<unsigned>(static_cast<unsigned char>(head_[4]));
    head_.clear();
    wrong_ = size == 0;
    if (wrong_) return;
    left_ = size - 1;
    Count& place = counts_[type];
    place.name = record_name(type);
    ++place.count;
    place.bytes += size;
  }
}

Result<std::vector<Count>> RecordCounter::counts() const {
  if (wrong_) return fail(Code::invalid_argument, "a record has no content");
  if (left_ > 0 || !head_.empty()) return fail(Code::invalid_argument, "the last record is cut off");
  std::vector<Count> out;
  for (const auto& [type, count] : counts_) out.push_back(count);
  return out;
}

}  // namespace drover::snapshot
