#include "server/raft/snapshots.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "sdk/base/file.h"
#include "lib/store/crc32c.h"

namespace drover {
namespace {
// File: magic, then chunks of "u32 size | u32 CRC | bytes". The first chunk is the meta, an empty one is the end.
constexpr std::string_view magic = "DROVERS1";
constexpr std::size_t chunk_bytes = 1u << 20;
constexpr std::size_t sync_bytes = 8u << 20;

void put_u64(std::string& out, std::uint64_t value) { out.append(reinterpret_cast<const char*>(&value), sizeof value); }

std::string encode_meta(const SnapshotMeta& meta) {
  std::string out;
  put_u64(out, meta.index);
  put_u64(out, meta.term);
  put_u64(out, meta.configuration_index);
  return out + meta.configuration;
}

std::optional<SnapshotMeta> decode_meta(std::string_view bytes) {
  if (bytes.size() < 24) return std::nullopt;
  SnapshotMeta out;
  std::memcpy(&out.index, bytes.data(), 8);
  std::memcpy(&out.term, bytes.data() + 8, 8);
  std::memcpy(&out.configuration_index, bytes.data() + 16, 8);
  out.configuration.assign(bytes.substr(24));
  return out;
}

std::string encode_chunk(std::string_view bytes) {
  const auto size = static_cast<std::uint32_t>(bytes.size());
  const std::uint32_t crc = crc32c(bytes, size);
  std::string out(reinterpret_cast<const char*>(&size), sizeof size);
  out.append(reinterpret_cast<const char*>(&crc), sizeof crc);
  return out.append(bytes);
}

class FileReader final : public SnapshotReader {
 public:
  FileReader(Fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  // Magic and meta.
  Result<> begin() {
    offset_ = magic.size();
    auto head = take(magic.size());
    if (!head) return fail(std::move(head).error());
    if (*head != magic) return fail(Code::invalid_argument, "\"{}\" is not a snapshot of this version", path_);
    auto meta = chunk();
    if (!meta) return fail(std::move(meta).error());
    auto decoded = decode_meta(*meta);
    if (!decoded) return fail(Code::internal, "snapshot \"{}\" is damaged at offset {}", path_, magic.size());
    meta_ = std::move(*decoded);
    return {};
  }
  Result<> rewind() {
    if (::lseek(fd_.get(), 0, SEEK_SET) != 0) return fail_errno("rewinding \"{}\"", path_);
    ended_ = false;
    left_.clear();
    return begin();
  }
  Result<std::string> read(std::size_t limit) override {
    if (left_.empty() && !ended_) {
      auto next = chunk();
      if (!next) return fail(std::move(next).error());
      ended_ = next->empty();
      left_ = std::move(*next);
    }
    std::string out = left_.substr(0, limit);
    left_.erase(0, out.size());
    return out;
  }
  const SnapshotMeta& meta() const override { return meta_; }

 private:
  Result<std::string> take(std::size_t size) {
    std::string out(size, '\0');
    for (std::size_t have = 0; have < size;) {
      const ssize_t n = ::read(fd_.get(), out.data() + have, size - have);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return fail_errno("reading snapshot \"{}\"", path_);
      if (n == 0) return fail(Code::internal, "snapshot \"{}\" ends early, near offset {}", path_, offset_);
      have += static_cast<std::size_t>(n);
    }
    return out;
  }
  Result<std::string> chunk() {
    auto head = take(8);
    if (!head) return head;
    std::uint32_t size = 0;
    std::uint32_t crc = 0;
    std::memcpy(&size, head->data(), 4);
    std::memcpy(&crc, head->data() + 4, 4);
    const auto damaged = [&] { return fail(Code::internal, "snapshot \"{}\" is damaged at offset {}", path_, offset_); };
    if (size > chunk_bytes) return damaged();
    auto bytes = take(size);
    if (!bytes) return bytes;
    if (crc32c(*bytes, size) != crc) return damaged();
    offset_ += 8 + size;
    return bytes;
  }

  Fd fd_;
  std::string path_;
  SnapshotMeta meta_;
  std::string left_;
  std::uint64_t offset_ = 0;
  bool ended_ = false;
};

class BytesReader final : public SnapshotReader {
 public:
  BytesReader(SnapshotMeta meta, std::string bytes) : meta_(std::move(meta)), bytes_(std::move(bytes)) {}
  Result<std::string> read(std::size_t limit) override {
    std::string out = bytes_.substr(at_, limit);
    at_ += out.size();
    return out;
  }
  const SnapshotMeta& meta() const override { return meta_; }

 private:
  SnapshotMeta meta_;
  std::string bytes_;
  std::size_t at_ = 0;
};

std::uint64_t index_of(const std::string& path) {
  return std::strtoull(std::filesystem::path(path).filename().c_str() + std::strlen("snapshot-"), nullptr, 10);
}
}  // namespace

bool contradicts(const LogContents& log, const SnapshotMeta& snapshot) {
  if (log.entries.empty() || log.last_index() < snapshot.index) return true;
  return log.first_index <= snapshot.index && log.entries[snapshot.index - log.first_index]->term != snapshot.term;
}

Result<std::string> SnapshotReader::read_exactly(std::size_t size) {
  std::string out;
  while (out.size() < size) {
    auto part = read(size - out.size());
    if (!part) return part;
    if (part->empty()) return fail(Code::internal, "snapshot at index {} ends {} bytes early", meta().index, size - out.size());
    out += *part;
  }
  return out;
}

Result<std::string> read_rest(SnapshotReader& reader) {
  std::string out;
  for (;;) {
    auto part = reader.read(1u << 20);
    if (!part || part->empty()) return part ? Result<std::string>(std::move(out)) : part;
    out += *part;
  }
}

std::unique_ptr<SnapshotReader> read_snapshot_bytes(SnapshotMeta meta, std::string bytes) {
  return std::make_unique<BytesReader>(std::move(meta), std::move(bytes));
}

Result<SnapshotStore> SnapshotStore::open(std::string directory) {
  DROVER_TRY(make_directories(directory, 0700));
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    if (entry.path().extension() == ".tmp") ::unlink(entry.path().c_str());
  }
  if (error) return fail(errno_error(error.value(), fmt::format("listing \"{}\"", directory)));
  return SnapshotStore(std::move(directory));
}

PendingSnapshot::~PendingSnapshot() {
  if (fd_) ::unlink(temporary_.c_str());
}

Result<> PendingSnapshot::flush(bool last) {
  std::string out;
  if (!chunk_.empty()) out = encode_chunk(chunk_);
  if (last) out += encode_chunk({});
  chunk_.clear();
  if (auto done = write_all(fd_.get(), out); !done) return fail(done.error(), "writing snapshot \"{}\"", temporary_);
  unsynced_ += out.size();
  if (unsynced_ < sync_bytes) return {};
  // To the disk as it grows. All of it at the end would hold up the log, whose small writes wait for the same disk.
  unsynced_ = 0;
  ::sync_file_range(fd_.get(), 0, 0, SYNC_FILE_RANGE_WRITE);
  return {};
}

Result<> PendingSnapshot::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto part = bytes.substr(0, chunk_bytes - chunk_.size());
    chunk_ += part;
    bytes.remove_prefix(part.size());
    if (chunk_.size() == chunk_bytes) DROVER_TRY(flush(false));
  }
  return {};
}

Result<PendingSnapshot> SnapshotStore::create(const SnapshotMeta& meta) const {
  const std::string path = fmt::format("{}/snapshot-{:020}-{}", directory_, meta.index, meta.term);
  // Two may be on their way at the same time, from two leaders or from one and this server itself.
  std::string temporary = path + ".XXXXXX.tmp";
  Fd fd(::mkostemps(temporary.data(), 4, O_CLOEXEC));
  if (!fd) return fail_errno("creating \"{}\"", temporary);
  PendingSnapshot out(std::move(fd), temporary, path);
  const std::string head = std::string(magic) + encode_chunk(encode_meta(meta));
  if (auto done = write_all(out.fd_.get(), head); !done) return fail(done.error(), "writing snapshot \"{}\"", temporary);
  return out;
}

Result<std::uint64_t> SnapshotStore::commit(PendingSnapshot& pending) const {
  DROVER_TRY(pending.flush(true));
  if (::fdatasync(pending.fd_.get()) != 0) return fail_errno("syncing snapshot \"{}\"", pending.temporary_);
  if (::rename(pending.temporary_.c_str(), pending.path_.c_str()) != 0) return fail_errno("renaming \"{}\"", pending.temporary_);
  pending.fd_.reset();
  DROVER_TRY(sync_directory(directory_));
  auto all = list();
  if (!all) return fail(std::move(all).error());
  for (; all->size() > 2; all->pop_back()) ::unlink(all->back().c_str());
  return index_of(all->back());
}

Result<std::vector<std::string>> SnapshotStore::list() const {
  std::vector<std::string> out;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory_, error)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("snapshot-") && !name.ends_with(".tmp")) out.push_back(entry.path().string());
  }
  if (error) return fail(errno_error(error.value(), fmt::format("listing \"{}\"", directory_)));
  std::sort(out.begin(), out.end(), std::greater<>());
  return out;
}

Result<std::unique_ptr<SnapshotReader>> SnapshotStore::open_file(const std::string& path) {
  auto fd = drover::open_file(path, O_RDONLY);
  if (!fd) return fail(std::move(fd).error());
  auto reader = std::make_unique<FileReader>(std::move(*fd), path);
  DROVER_TRY(reader->begin());
  for (;;) {
    const auto part = reader->read(chunk_bytes);
    if (!part) return fail(part.error());
    if (part->empty()) break;
  }
  DROVER_TRY(reader->rewind());
  return std::unique_ptr<SnapshotReader>(std::move(reader));
}

Result<SnapshotStore::Newest> SnapshotStore::open_newest() const {
  const auto all = list();
  if (!all) return fail(all.error());
  Newest out;
  for (const auto& path : *all) {
    if (!out.reader) {
      auto reader = open_file(path);
      if (reader) out.reader = std::move(*reader);
      else out.refused.push_back(std::move(reader).error());
    }
    out.oldest_index = index_of(path);
  }
  return out;
}

}  // namespace drover
