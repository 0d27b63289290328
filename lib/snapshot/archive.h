// The file of `operator snapshot save`: a gzip'd tar of meta.json, state.bin and SHA256SUMS. Read and written in parts, so that a state
// of any size costs no memory. Blocking: for a pool's thread, or the command line.
//
// Reading one checks everything: the stream, the names, the sums of both files, the version. So a file that is cut off, changed by one
// bit or of a later version is refused before anybody acts on it (F-66): what was handed out until then is to be thrown away.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sdk/base/error.h"

namespace drover::snapshot {

// Of the content of state.bin. Raised when an older program could not read it any more.
inline constexpr std::uint64_t format_version = 1;

struct Meta {
  std::uint64_t version = format_version;
  std::string id;           // "<term>-<index>-<milliseconds>"
  std::uint64_t index = 0;
  std::uint64_t term = 0;
  std::string cluster_id;
  std::string build;        // of the program that wrote it
  std::int64_t created = 0; // nanoseconds since 1970
  std::uint64_t size = 0;   // of state.bin
};

using ByteSink = std::function<Result<>(std::string_view bytes)>;

struct Written {
  std::uint64_t bytes = 0;
  std::string sha256;  // 32 bytes
};
// Gives its sink the content of state.bin: records, each with its length in four bytes before it, the lowest first.
using StateWriter = std::function<Result<>(const ByteSink&)>;
// Calls `state` once. What that gives is packed on several processors and lies in a file without a name in `directory` until its size
// and sum are known, which go before it.
[[nodiscard]] Result<Written> write_archive(Meta meta, const StateWriter& state, const std::string& directory, const ByteSink& out);

// Reads `in` from its present place to its end. What `state` is given is known to be right only once this has returned.
[[nodiscard]] Result<Meta> read_archive(int in, const ByteSink& state);

// What is in a state: by the name of the record type, in the order of their numbers.
struct Count {
  std::string name;
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;
};
class RecordCounter {
 public:
  // The next part of a state.
  void take(std::string_view bytes);
  // An error when the last record is cut off.
  [[nodiscard]] Result<std::vector<Count>> counts() const;

 private:
  std::string head_;        // of the record that begins: its length and type
  std::uint64_t left_ = 0;  // bytes of it that are still to come
  bool wrong_ = false;
  std::map<unsigned, Count> counts_;
};

}  // namespace drover::snapshot
