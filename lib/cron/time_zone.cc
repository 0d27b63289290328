#include "lib/cron/time_zone.h"

#include <algorithm>

namespace drover::cron {
namespace {

constexpr std::size_t header_bytes = 44;
constexpr std::size_t max_changes = 20'000;

// Big-endian numbers off the front; a read past the end is remembered.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : left_(bytes) {}

  std::string_view take(std::size_t count) {
    if (count > left_.size()) {
      good_ = false;
      count = left_.size();
    }
    const std::string_view out = left_.substr(0, count);
    left_.remove_prefix(count);
    return out;
  }
  std::int64_t integer(std::size_t bytes) {
    std::uint64_t out = 0;
    const std::string_view text = take(bytes);
    for (const char c : text) out = out << 8 | static_cast<unsigned char>(c);
    return bytes == 4 ? static_cast<std::int32_t>(out) : static_cast<std::int64_t>(out);
  }
  std::uint8_t byte() {
    const std::string_view text = take(1);
    return text.empty() ? 0 : static_cast<std::uint8_t>(text[0]);
  }
  bool good() const { return good_; }
  std::string_view rest() const { return left_; }

 private:
  std::string_view left_;
  bool good_ = true;
};

struct Counts {
  std::size_t utc, standard, leaps, changes, types, characters;

  std::size_t block_bytes(std::size_t time) const { return changes * time + changes + types * 6 + characters + leaps * (time + 4) + standard + utc; }
};

Result<Counts> read_header(Reader& reader, char& version) {
  const std::string_view head = reader.take(header_bytes);
  if (!reader.good() || !head.starts_with("TZif")) return fail(Code::invalid_argument, "not a time zone file");
  version = head[4];
  Reader numbers(head.substr(20));
  std::size_t counts[6];
  for (std::size_t& count : counts) count = static_cast<std::size_t>(numbers.integer(4));
  const Counts out{counts[0], counts[1], counts[2], counts[3], counts[4], counts[5]};
  if (out.changes > max_changes || out.types == 0 || out.types > 256 || out.characters > 4096 || out.leaps > 4096 || out.utc > 256 || out.standard > 256) {
    return fail(Code::invalid_argument, "damaged time zone file");
  }
  return out;
}

}  // namespace

Result<TimeZone> TimeZone::parse(std::string_view file) {
  Reader reader(file);
  char version = 0;
  auto counts = read_header(reader, version);
  if (!counts) return fail(counts.error());
  std::size_t time = 4;
  if (version >= '2') {
    // The first block is for readers of 32 bits; the same follows with 64.
    reader.take(counts->block_bytes(4));
    counts = read_header(reader, version);
    if (!counts) return fail(counts.error());
    time = 8;
  }
  TimeZone out;
  for (std::size_t i = 0; i < counts->changes; i++) out.changes_.push_back({reader.integer(time), 0});
  const std::string_view types = reader.take(counts->changes);
  std::vector<std::int64_t> offsets;
  std::optional<std::int64_t> first_standard;
  for (std::size_t i = 0; i < counts->types; i++) {
    offsets.push_back(reader.integer(4));
    const bool summer = reader.byte() != 0;
    reader.byte();
    if (!summer && !first_standard) first_standard = offsets.back();
  }
  reader.take(counts->characters + counts->leaps * (time + 4) + counts->standard + counts->utc);
  if (!reader.good()) return fail(Code::invalid_argument, "damaged time zone file");
  for (std::size_t i = 0; i < out.changes_.size(); i++) {
    const auto type = static_cast<unsigned char>(types[i]);
    const bool ascending = i == 0 || out.changes_[i - 1].at < out.changes_[i].at;
    if (type >= offsets.size() || !ascending) return fail(Code::invalid_argument, "damaged time zone file");
    out.changes_[i].offset = offsets[type];
  }
  out.before_ = first_standard.value_or(offsets[0]);
  std::string_view footer = reader.rest();
  if (time == 8 && footer.starts_with('\n')) {
    footer = footer.substr(1, footer.find('\n', 1) - 1);
    out.rule_ = PosixRule::parse(footer);
  }
  return out;
}

TimeZone::Stretch TimeZone::stretch_at(std::int64_t instant) const {
  const auto next = std::ranges::upper_bound(changes_, instant, {}, &Change::at);
  Stretch out;
  if (next != changes_.end()) out.end = next->at;
  if (next == changes_.begin()) {
    out.offset = before_;
    if (!changes_.empty() || !rule_) return out;
  } else {
    out.begin = std::prev(next)->at;
    out.offset = std::prev(next)->offset;
  }
  if (next != changes_.end() || !rule_) return out;
  const auto [offset, change] = rule_->at(instant);
  out.offset = offset;
  if (change) out.end = *change;
  return out;
}

}  // namespace drover::cron
