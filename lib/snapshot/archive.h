// The file of `operator snapshot save`: a gzip'd tar of meta.json, state.bin and SHA256SUMS. Pure: bytes in, bytes out.
//
// Opening one checks everything before it gives anything: the stream, the names, the sums of both files, the version. So a file that
// is cut off, changed by one bit or of a later version is refused before anybody acts on it (F-66).
#pragma once

#include <cstdint>
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

struct Archive {
  Meta meta;
  std::string state;  // records, each with its length in four bytes before it, the lowest first
};

[[nodiscard]] Result<std::string> write_archive(Meta meta, std::string_view state);
[[nodiscard]] Result<Archive> open_archive(std::string_view bytes);

// 32 bytes.
[[nodiscard]] std::string sha256(std::string_view bytes);

// What is in a state: by the name of the record type, in the order of their numbers.
struct Count {
  std::string name;
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;
};
[[nodiscard]] Result<std::vector<Count>> count_records(std::string_view state);

}  // namespace drover::snapshot
