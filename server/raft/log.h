// Where entries become durable. The interface is blocking and used by one thread at a time (the log writer).
//
// `append` returns only when the entries would survive a power cut. After a failed append or save the log is in doubt:
// `recover` brings it back to the last state that was acknowledged, and nothing else may be called before it succeeded.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "server/raft/types.h"

namespace drover {

struct LogContents {
  TermVote vote;
  std::uint64_t first_index = 1;  // of entries[0], or where the next entry goes when there are none
  std::vector<LogEntryPtr> entries;
  [[nodiscard]] std::uint64_t last_index() const { return first_index + entries.size() - 1; }
};

class Log {
 public:
  virtual ~Log() = default;
  // What is there now; read from the medium.
  [[nodiscard]] virtual Result<LogContents> load() = 0;
  // Replaces everything from `first_index` on by `entries`.
  [[nodiscard]] virtual Result<> append(std::uint64_t first_index, const std::vector<LogEntryPtr>& entries) = 0;
  [[nodiscard]] virtual Result<> save_vote(const TermVote& vote) = 0;
  // Entries up to `index` may be forgotten; keeping some of them is allowed.
  [[nodiscard]] virtual Result<> compact(std::uint64_t index) = 0;
  // Forgets every entry; the next one will be `next_index`.
  [[nodiscard]] virtual Result<> reset(std::uint64_t next_index) = 0;
  [[nodiscard]] virtual Result<> recover() = 0;
  // False when `append` costs nothing, so that it may run on the loop.
  [[nodiscard]] virtual bool blocking() const = 0;
  // Makes the next segment ready; may run on another thread while this log is used.
  [[nodiscard]] virtual Result<> prepare() = 0;
};

// For -dev and tests: gone with the process.
[[nodiscard]] std::unique_ptr<Log> make_memory_log();

struct SegmentedLogOptions {
  std::string directory;
  std::uint64_t segment_bytes = 8u << 20;
};
// Opens or creates the log in `directory`. A torn tail is cut off; damage before acknowledged entries is an error that names
// file and offset, and nothing is changed then.
[[nodiscard]] Result<std::unique_ptr<Log>> open_segmented_log(SegmentedLogOptions options);
// What such a log holds, for tools: nothing is changed, a torn tail is passed over. For a log that no process writes.
[[nodiscard]] Result<LogContents> read_segmented_log(const std::string& directory);

}  // namespace drover
