// The form of one record in a log segment, and reading it back. Pure: bytes in, values out.
//
//   u32 data size | u32 CRC-32C of everything after it, data included | u64 index | u64 term | u32 position | u8 type | 3 zero
//   data, padded with zeros to eight bytes
//
// `position` is the record's place in the batch that was written and synced at once. It tells a torn write (the batch was
// never acknowledged, cut it off) from a damaged one (a later batch is intact, so this one had been acknowledged: refuse).
// Numbers are little-endian. 32 zero bytes where a header should be are the end.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/raft/types.h"

namespace drover {

inline constexpr std::size_t record_header_bytes = 32;
inline constexpr std::size_t record_data_limit = 256u << 20;
inline constexpr std::size_t segment_header_bytes = 64;

[[nodiscard]] constexpr std::size_t record_bytes(std::size_t data) { return record_header_bytes + ((data + 7) & ~std::size_t{7}); }
void put_record(std::string& out, std::uint64_t index, std::uint32_t position, const LogEntry& entry);

struct Record {
  std::uint64_t index = 0;
  std::uint32_t position = 0;
  std::size_t size = 0;  // bytes it takes in the segment
  LogEntry entry;
};
// The record at `at`, when there is an intact one.
[[nodiscard]] std::optional<Record> get_record(std::string_view segment, std::size_t at);

struct SegmentScan {
  enum class End { clean, torn, corrupt };
  std::vector<LogEntryPtr> entries;
  std::size_t end = segment_header_bytes;  // behind the last intact record
  End how = End::clean;
};
// Reads records from the header on; the first must have index `first`. The whole file is given.
[[nodiscard]] SegmentScan scan_segment(std::string_view segment, std::uint64_t first);

[[nodiscard]] std::string make_segment_header(std::uint64_t first_index);
// The first index, when the header is intact.
[[nodiscard]] std::optional<std::uint64_t> read_segment_header(std::string_view segment);

}  // namespace drover
