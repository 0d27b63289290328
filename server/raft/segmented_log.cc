// Segment files "log-<first index>" of a fixed size, filled with zeros before use: a write then changes neither the size nor
// the extents of the file, so that fdatasync has only the written page to flush.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "sdk/base/file.h"
#include "server/raft/log.h"
#include "server/raft/record.h"

namespace drover {
namespace {

Result<> write_at(int fd, std::string_view data, std::uint64_t offset) {
  while (!data.empty()) {
    const ssize_t n = ::pwrite(fd, data.data(), data.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("writing {} bytes at offset {}", data.size(), offset);
    data.remove_prefix(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return {};
}

Result<> fill_zeros(int fd, std::uint64_t from, std::uint64_t to) {
  const std::string zeros(std::min<std::uint64_t>(1u << 20, to > from ? to - from : 0), '\0');
  while (from < to) {
    const std::size_t size = std::min<std::uint64_t>(zeros.size(), to - from);
    DROVER_TRY(write_at(fd, std::string_view(zeros).substr(0, size), from));
    from += size;
  }
  return {};
}

Result<> sync(int fd) {
  while (::fdatasync(fd) != 0) {
    if (errno != EINTR) return fail_errno("syncing");
  }
  return {};
}

// A file of `size` zeros under `path`, on disk when this returns. Nothing stays behind on failure.
Result<> make_zero_file(const std::string& path, std::uint64_t size) {
  const std::string temporary = path + ".tmp";
  auto fd = open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (!fd) return fail(std::move(fd).error());
  auto done = fill_zeros(fd->get(), 0, size);
  if (done) done = sync(fd->get());
  if (done && ::rename(temporary.c_str(), path.c_str()) != 0) done = fail_errno("renaming");
  if (done) return {};
  ::unlink(temporary.c_str());
  return fail(done.error(), "preparing log segment \"{}\"", path);
}

class SegmentedLog final : public Log {
 public:
  explicit SegmentedLog(SegmentedLogOptions options) : options_(std::move(options)) {}

  Result<LogContents> load() override;
  Result<> append(std::uint64_t first_index, const std::vector<LogEntryPtr>& entries) override;
  Result<> save_vote(const TermVote& vote) override;
  Result<> compact(std::uint64_t index) override;
  Result<> reset(std::uint64_t next_index) override;
  Result<> recover() override;
  bool blocking() const override { return true; }
  Result<> prepare() override;
  Result<LogContents> read();

 private:
  [[nodiscard]] std::string segment_path(std::uint64_t first) const {
    return fmt::format("{}/log-{:020}", options_.directory, first);
  }
  [[nodiscard]] std::string spare_path() const { return options_.directory + "/spare"; }
  [[nodiscard]] std::string vote_path() const { return options_.directory + "/vote"; }
  Result<> list_segments();
  Result<TermVote> load_vote() const;
  Result<> open_last();
  Result<> start_segment(std::uint64_t first, std::uint64_t bytes);
  Result<> truncate_from(std::uint64_t index);
  Result<> write_batch(std::string_view bytes);

  SegmentedLogOptions options_;
  std::vector<std::uint64_t> segments_;  // first indexes, ascending; the last one is open for writing
  Fd fd_;
  std::uint64_t size_ = 0;
  std::uint64_t end_ = 0;       // where the next record goes
  std::uint64_t next_ = 1;      // its index
  std::uint64_t in_doubt_ = 0;  // bytes behind end_ that a failed write may have changed
  bool failed_ = false;
};

Result<> SegmentedLog::list_segments() {
  segments_.clear();
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(options_.directory, error)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("log-") && name.size() == 24) segments_.push_back(std::strtoull(name.c_str() + 4, nullptr, 10));
  }
  if (error) return fail(errno_error(error.value(), fmt::format("listing \"{}\"", options_.directory)));
  std::sort(segments_.begin(), segments_.end());
  return {};
}

Result<TermVote> SegmentedLog::load_vote() const {
  const std::string path = vote_path();
  auto bytes = read_file(path, 4096);
  if (!bytes && bytes.error().code() == Code::not_found) return TermVote{};
  if (!bytes) return fail(std::move(bytes).error());
  const auto record = get_record(*bytes, 0);
  if (!record) {
    return fail(Code::internal, "\"{}\" is damaged at offset 0: restore it from a backup, or remove this server from the cluster "
      "and add it with an empty data directory", path);
  }
  return TermVote{.term = record->entry.term, .voted_for = record->index - 1};
}

Result<> SegmentedLog::save_vote(const TermVote& vote) {
  std::string bytes;
  put_record(bytes, vote.voted_for + 1, 0, LogEntry{.term = vote.term});
  return replace_file_durably(vote_path(), bytes);
}

Result<LogContents> SegmentedLog::read() {
  DROVER_TRY(list_segments());
  auto vote = load_vote();
  if (!vote) return fail(std::move(vote).error());
  LogContents out{.vote = *vote};
  for (const std::uint64_t first : segments_) {
    auto bytes = read_file(segment_path(first), 4ull << 30);
    if (!bytes) return fail(std::move(bytes).error());
    auto scan = scan_segment(*bytes, first);
    if (out.entries.empty()) out.first_index = first;
    out.entries.insert(out.entries.end(), scan.entries.begin(), scan.entries.end());
    if (scan.how == SegmentScan::End::corrupt) {
      return fail(Code::internal, "log segment \"{}\" is damaged at offset {}", segment_path(first), scan.end);
    }
  }
  return out;
}

Result<LogContents> SegmentedLog::load() {
  DROVER_TRY(list_segments());
  auto vote = load_vote();
  if (!vote) return fail(std::move(vote).error());
  LogContents out{.vote = *vote};
  const auto damaged = [](const std::string& path, std::uint64_t offset) {
    return fail(Code::internal, "log segment \"{}\" is damaged at offset {}, before entries that had been acknowledged: restore "
      "the data directory from a snapshot, or remove this server from the cluster and add it with an empty one", path, offset);
  };
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    const std::string path = segment_path(segments_[i]);
    const bool last = i + 1 == segments_.size();
    auto bytes = read_file(path, 4ull << 30);
    if (!bytes) return fail(std::move(bytes).error());
    auto scan = scan_segment(*bytes, segments_[i]);
    if (read_segment_header(*bytes) != segments_[i]) {
      // A segment whose very first batch was torn holds nothing that had been acknowledged.
      if (!last || !scan.entries.empty() || scan.how == SegmentScan::End::corrupt) return damaged(path, 0);
      if (::unlink(path.c_str()) != 0) return fail_errno("removing \"{}\"", path);
      segments_.pop_back();
      break;
    }
    if (i == 0) out.first_index = segments_[0];
    out.entries.insert(out.entries.end(), scan.entries.begin(), scan.entries.end());
    if (scan.how == SegmentScan::End::corrupt || (!last && segments_[i + 1] != out.last_index() + 1)) return damaged(path, scan.end);
    end_ = scan.end;
    in_doubt_ = scan.how == SegmentScan::End::torn ? bytes->size() - scan.end : 0;
  }
  next_ = out.last_index() + 1;
  fd_.reset();
  if (segments_.empty()) {
    failed_ = false;
    return out;
  }
  DROVER_TRY(open_last());
  return out;
}

// Opens the last segment and makes what lies behind the last record zero again.
Result<> SegmentedLog::open_last() {
  const std::string path = segment_path(segments_.back());
  auto fd = open_file(path, O_RDWR);
  if (!fd) return fail(std::move(fd).error());
  struct stat info {};
  if (::fstat(fd->get(), &info) != 0) return fail_errno("reading the size of \"{}\"", path);
  size_ = static_cast<std::uint64_t>(info.st_size);
  if (in_doubt_ != 0) {
    auto done = write_at(fd->get(), make_segment_header(segments_.back()), 0);
    if (done) done = fill_zeros(fd->get(), end_, std::min(size_, end_ + in_doubt_));
    if (done) done = sync(fd->get());
    if (done) done = sync_directory(options_.directory);
    if (!done) return fail(done.error(), "cutting the torn end off log segment \"{}\"", path);
    in_doubt_ = 0;
  }
  fd_ = std::move(*fd);
  failed_ = false;
  return {};
}

Result<> SegmentedLog::start_segment(std::uint64_t first, std::uint64_t bytes) {
  const std::string path = segment_path(first);
  const std::uint64_t wanted = std::max(options_.segment_bytes, segment_header_bytes + bytes);
  struct stat info {};
  const bool spare = ::stat(spare_path().c_str(), &info) == 0 && static_cast<std::uint64_t>(info.st_size) >= wanted;
  if (spare) {
    if (::rename(spare_path().c_str(), path.c_str()) != 0) return fail_errno("renaming \"{}\" to \"{}\"", spare_path(), path);
  } else {
    DROVER_TRY(make_zero_file(path, wanted));
  }
  auto fd = open_file(path, O_RDWR);
  if (!fd) return fail(std::move(fd).error());
  fd_ = std::move(*fd);
  size_ = spare ? static_cast<std::uint64_t>(info.st_size) : wanted;
  end_ = segment_header_bytes;
  segments_.push_back(first);
  in_doubt_ = 1;
  DROVER_TRY(write_at(fd_.get(), make_segment_header(first), 0));
  return sync_directory(options_.directory);
}

// ftruncate is atomic, overwriting is not: a crash in between must not leave half of a later batch standing.
Result<> SegmentedLog::truncate_from(std::uint64_t index) {
  while (segments_.size() > 1 && segments_.back() >= index) {
    const std::string path = segment_path(segments_.back());
    fd_.reset();
    if (::unlink(path.c_str()) != 0) return fail_errno("removing \"{}\"", path);
    DROVER_TRY(sync_directory(options_.directory));
    segments_.pop_back();
  }
  const std::string path = segment_path(segments_.back());
  auto bytes = read_file(path, 4ull << 30);
  if (!bytes) return fail(std::move(bytes).error());
  std::uint64_t offset = segment_header_bytes;
  for (std::uint64_t at = segments_.back(); at < index; ++at) {
    const auto record = get_record(*bytes, offset);
    if (!record) return fail(Code::internal, "log segment \"{}\" is damaged at offset {}", path, offset);
    offset += record->size;
  }
  auto fd = open_file(path, O_RDWR);
  if (!fd) return fail(std::move(fd).error());
  if (::ftruncate(fd->get(), static_cast<off_t>(offset)) != 0) return fail_errno("truncating \"{}\" to {} bytes", path, offset);
  end_ = offset;
  next_ = index;
  size_ = bytes->size();
  fd_ = std::move(*fd);
  DROVER_TRY(fill_zeros(fd_.get(), end_, size_));
  return sync(fd_.get());
}

Result<> SegmentedLog::write_batch(std::string_view bytes) {
  in_doubt_ = std::max<std::uint64_t>(in_doubt_, bytes.size());
  DROVER_TRY(write_at(fd_.get(), bytes, end_));
  DROVER_TRY(sync(fd_.get()));
  in_doubt_ = 0;
  end_ += bytes.size();
  return {};
}

Result<> SegmentedLog::append(std::uint64_t first_index, const std::vector<LogEntryPtr>& entries) {
  if (failed_) return fail(Code::unavailable, "the log in \"{}\" awaits recovery after a failed write", options_.directory);
  std::string bytes;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i]->data.size() > record_data_limit) return fail(Code::too_large, "log entry of {} bytes", entries[i]->data.size());
    put_record(bytes, first_index + i, static_cast<std::uint32_t>(i), *entries[i]);
  }
  Result<> done;
  if (!segments_.empty() && first_index < next_) done = truncate_from(first_index);
  if (done && (segments_.empty() || end_ + bytes.size() > size_)) done = start_segment(first_index, bytes.size());
  if (done) done = write_batch(bytes);
  if (!done) {
    failed_ = true;
    return fail(done.error(), "appending {} entries to the log in \"{}\"", entries.size(), options_.directory);
  }
  next_ = first_index + entries.size();
  return {};
}

// The handle a failed sync came from is never used again: the kernel reports such an error once and drops the page.
Result<> SegmentedLog::recover() {
  fd_.reset();
  ::unlink((spare_path() + ".tmp").c_str());
  if (segments_.empty()) {
    failed_ = false;
    return {};
  }
  return open_last();
}

Result<> SegmentedLog::compact(std::uint64_t index) {
  while (segments_.size() > 1 && segments_[1] <= index + 1) {
    const std::string path = segment_path(segments_[0]);
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return fail_errno("removing \"{}\"", path);
    segments_.erase(segments_.begin());
  }
  return {};
}

Result<> SegmentedLog::reset(std::uint64_t next_index) {
  fd_.reset();
  while (!segments_.empty()) {
    const std::string path = segment_path(segments_.back());
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return fail_errno("removing \"{}\"", path);
    segments_.pop_back();
  }
  DROVER_TRY(sync_directory(options_.directory));
  next_ = next_index;
  in_doubt_ = 0;
  return {};
}

Result<> SegmentedLog::prepare() {
  struct stat info {};
  if (::stat(spare_path().c_str(), &info) == 0) return {};
  return make_zero_file(spare_path(), options_.segment_bytes);
}

}  // namespace

Result<LogContents> read_segmented_log(const std::string& directory) { return SegmentedLog({.directory = directory}).read(); }

Result<std::unique_ptr<Log>> open_segmented_log(SegmentedLogOptions options) {
  DROVER_TRY(make_directories(options.directory, 0700));
  return std::unique_ptr<Log>(std::make_unique<SegmentedLog>(std::move(options)));
}

}  // namespace drover
