#include "server/raft/record.h"

#include <bit>
#include <cstring>

#include "lib/store/crc32c.h"

namespace drover {
namespace {
static_assert(std::endian::native == std::endian::little, "numbers are stored as they are in memory");
constexpr std::string_view magic = "DROVERL1";

template <class T>
void put(std::string& out, T value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}

template <class T>
T get(std::string_view from, std::size_t at) {
  T value{};
  std::memcpy(&value, from.data() + at, sizeof value);
  return value;
}
}  // namespace

void put_record(std::string& out, std::uint64_t index, std::uint32_t position, const LogEntry& entry) {
  const std::size_t start = out.size();
  put(out, static_cast<std::uint32_t>(entry.data.size()));
  put(out, std::uint32_t{0});
  put(out, index);
  put(out, entry.term);
  put(out, position);
  put(out, static_cast<std::uint8_t>(entry.type));
  out.append(3, '\0');
  out.append(entry.data);
  out.append(start + record_bytes(entry.data.size()) - out.size(), '\0');
  const std::uint32_t size = static_cast<std::uint32_t>(entry.data.size());
  const std::uint32_t crc = crc32c(std::string_view(out).substr(start + 8), size);
  std::memcpy(out.data() + start + 4, &crc, sizeof crc);
}

std::optional<Record> get_record(std::string_view segment, std::size_t at) {
  if (at + record_header_bytes > segment.size()) return std::nullopt;
  const auto size = get<std::uint32_t>(segment, at);
  if (size > record_data_limit || at + record_bytes(size) > segment.size()) return std::nullopt;
  Record out;
  out.size = record_bytes(size);
  out.index = get<std::uint64_t>(segment, at + 8);
  const auto type = get<std::uint8_t>(segment, at + 28);
  if (out.index == 0 || type < 1 || type > 3) return std::nullopt;
  // The size seeds the checksum, so a damaged size is found as well.
  if (crc32c(segment.substr(at + 8, out.size - 8), size) != get<std::uint32_t>(segment, at + 4)) return std::nullopt;
  out.entry.term = get<std::uint64_t>(segment, at + 16);
  out.position = get<std::uint32_t>(segment, at + 24);
  out.entry.type = static_cast<EntryType>(type);
  out.entry.data.assign(segment.substr(at + record_header_bytes, size));
  return out;
}

SegmentScan scan_segment(std::string_view segment, std::uint64_t first) {
  SegmentScan out;
  std::uint64_t next = first;
  std::uint64_t term = 0;
  for (;;) {
    auto record = get_record(segment, out.end);
    if (!record || record->index != next || record->entry.term < term) break;
    term = record->entry.term;
    out.end += record->size;
    ++next;
    out.entries.push_back(std::make_shared<const LogEntry>(std::move(record->entry)));
  }
  const std::size_t rest = segment.find_first_not_of('\0', out.end);
  if (rest == std::string_view::npos) return out;
  out.how = SegmentScan::End::torn;
  // An intact record of a later batch proves that what is missing here had been acknowledged.
  for (std::size_t at = rest & ~std::size_t{7}; at + record_header_bytes <= segment.size(); at += 8) {
    if (get<std::uint64_t>(segment, at + 8) <= next) continue;
    const auto later = get_record(segment, at);
    if (!later) continue;
    if (later->index - later->position > next) out.how = SegmentScan::End::corrupt;
    at += later->size - 8;
  }
  return out;
}

std::string make_segment_header(std::uint64_t first_index) {
  std::string out(magic);
  put(out, std::uint32_t{1});
  put(out, std::uint32_t{0});
  put(out, first_index);
  put(out, crc32c(out));
  out.resize(segment_header_bytes, '\0');
  return out;
}

std::optional<std::uint64_t> read_segment_header(std::string_view segment) {
  constexpr std::size_t covered = 24;
  if (segment.size() < segment_header_bytes || segment.substr(0, magic.size()) != magic) return std::nullopt;
  if (crc32c(segment.substr(0, covered)) != get<std::uint32_t>(segment, covered)) return std::nullopt;
  return get<std::uint64_t>(segment, 16);
}

}  // namespace drover
