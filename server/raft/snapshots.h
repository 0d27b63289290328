// Snapshots of the state machine as files: streamed, checksummed, two kept. Blocking: used on a pool thread, or at start-up.
//
// A file is written beside its place, synced, renamed. `open_newest` hands out a snapshot only after every byte of it passed its
// checksum, so a damaged one is refused before anything is restored from it; the older one is tried next.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sdk/base/fd.h"
#include "server/raft/log.h"
#include "server/raft/types.h"

namespace drover {

// Whether the log behind this snapshot has to be forgotten: a crash between installing a snapshot and dropping the log leaves one
// that ends early or contradicts it. The next entry is then the one after the snapshot.
[[nodiscard]] bool contradicts(const LogContents& log, const SnapshotMeta& snapshot);

class SnapshotWriter {
 public:
  virtual ~SnapshotWriter() = default;
  [[nodiscard]] virtual Result<> write(std::string_view bytes) = 0;
};

class SnapshotReader {
 public:
  virtual ~SnapshotReader() = default;
  // At most `limit` bytes more; empty at the end.
  [[nodiscard]] virtual Result<std::string> read(std::size_t limit) = 0;
  // Exactly `size` bytes; fewer is an error.
  [[nodiscard]] Result<std::string> read_exactly(std::size_t size);
  [[nodiscard]] virtual const SnapshotMeta& meta() const = 0;
};

// What is left of it, in memory: for what is small.
[[nodiscard]] Result<std::string> read_rest(SnapshotReader& reader);
[[nodiscard]] std::unique_ptr<SnapshotReader> read_snapshot_bytes(SnapshotMeta meta, std::string bytes);

// A snapshot that is being written, beside its place. Gone with this object unless SnapshotStore::commit() put it there.
class PendingSnapshot final : public SnapshotWriter {
 public:
  PendingSnapshot(Fd fd, std::string temporary, std::string path) : fd_(std::move(fd)), temporary_(std::move(temporary)), path_(std::move(path)) {}
  PendingSnapshot(PendingSnapshot&&) = default;
  ~PendingSnapshot() override;
  Result<> write(std::string_view bytes) override;

 private:
  friend class SnapshotStore;
  Result<> flush(bool last);
  Fd fd_;
  std::string temporary_;
  std::string path_;
  std::string chunk_;
  std::size_t unsynced_ = 0;
};

class SnapshotStore {
 public:
  // Makes the directory and removes what an interrupted write left there.
  [[nodiscard]] static Result<SnapshotStore> open(std::string directory);

  [[nodiscard]] Result<PendingSnapshot> create(const SnapshotMeta& meta) const;
  // Durable when it returns. Removes all but the two newest and returns the index of the older of those that stay.
  [[nodiscard]] Result<std::uint64_t> commit(PendingSnapshot& pending) const;

  // Newest first, by name only.
  [[nodiscard]] Result<std::vector<std::string>> list() const;
  struct Newest {
    std::unique_ptr<SnapshotReader> reader;  // null when there is no snapshot
    std::uint64_t oldest_index = 0;          // of the snapshots on disk
    std::vector<Error> refused;              // damaged ones that were passed over, to be logged
  };
  [[nodiscard]] Result<Newest> open_newest() const;
  // Checks all of it, then reads from the start.
  [[nodiscard]] static Result<std::unique_ptr<SnapshotReader>> open_file(const std::string& path);

 private:
  explicit SnapshotStore(std::string directory) : directory_(std::move(directory)) {}
  std::string directory_;
};

}  // namespace drover
