#include "lib/model/msgpack.h"

#include <bit>
#include <limits>

namespace drover::msgpack {

void Writer::head(unsigned char tag, std::uint64_t value, int bytes) {
  out_.push_back(static_cast<char>(tag));
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) out_.push_back(static_cast<char>(value >> shift & 255));
}

void Writer::number(std::int64_t value) {
  if (value >= 0) return number(static_cast<std::uint64_t>(value));
  const auto bits = static_cast<std::uint64_t>(value);
  if (value >= -32) out_.push_back(static_cast<char>(value));
  else if (value >= std::numeric_limits<std::int8_t>::min()) head(0xd0, bits, 1);
  else if (value >= std::numeric_limits<std::int16_t>::min()) head(0xd1, bits, 2);
  else if (value >= std::numeric_limits<std::int32_t>::min()) head(0xd2, bits, 4);
  else head(0xd3, bits, 8);
}

void Writer::number(std::uint64_t value) {
  if (value < 0x80) out_.push_back(static_cast<char>(value));
  else if (value <= 0xff) head(0xcc, value, 1);
  else if (value <= 0xffff) head(0xcd, value, 2);
  else if (value <= 0xffffffff) head(0xce, value, 4);
  else head(0xcf, value, 8);
}

void Writer::number(double value) { head(0xcb, std::bit_cast<std::uint64_t>(value), 8); }

void Writer::string(std::string_view text) {
  if (text.size() < 32) out_.push_back(static_cast<char>(0xa0 | text.size()));
  else if (text.size() <= 0xff) head(0xd9, text.size(), 1);
  else if (text.size() <= 0xffff) head(0xda, text.size(), 2);
  else head(0xdb, text.size(), 4);
  out_.append(text);
}

void Writer::binary(std::string_view data) {
  if (data.size() <= 0xff) head(0xc4, data.size(), 1);
  else if (data.size() <= 0xffff) head(0xc5, data.size(), 2);
  else head(0xc6, data.size(), 4);
  out_.append(data);
}

void Writer::array(std::size_t size) {
  if (size < 16) out_.push_back(static_cast<char>(0x90 | size));
  else if (size <= 0xffff) head(0xdc, size, 2);
  else head(0xdd, size, 4);
}

void Writer::map(std::size_t size) {
  if (size < 16) out_.push_back(static_cast<char>(0x80 | size));
  else if (size <= 0xffff) head(0xde, size, 2);
  else head(0xdf, size, 4);
}

bool Reader::take(std::uint64_t& value, int bytes) {
  if (in_.size() < static_cast<std::size_t>(bytes)) return false;
  value = 0;
  for (int i = 0; i < bytes; ++i) value = value << 8 | static_cast<unsigned char>(in_[static_cast<std::size_t>(i)]);
  in_.remove_prefix(static_cast<std::size_t>(bytes));
  return true;
}

bool Reader::view(std::string_view& out, std::uint64_t size) {
  if (in_.size() < size) return false;
  out = in_.substr(0, size);
  in_.remove_prefix(size);
  return true;
}

bool Reader::take_nil() {
  if (in_.empty() || in_[0] != '\xc0') return false;
  in_.remove_prefix(1);
  return true;
}

bool Reader::boolean(bool& value) {
  if (in_.empty() || (in_[0] != '\xc2' && in_[0] != '\xc3')) return false;
  value = in_[0] == '\xc3';
  in_.remove_prefix(1);
  return true;
}

bool Reader::number(std::int64_t& value) {
  if (in_.empty()) return false;
  const auto tag = static_cast<unsigned char>(in_[0]);
  if (tag < 0x80 || tag >= 0xe0) {
    value = static_cast<signed char>(tag);
    in_.remove_prefix(1);
    return true;
  }
  if (tag >= 0xcc && tag <= 0xcf) {
    std::uint64_t bits = 0;
    if (!number(bits) || bits > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return false;
    value = static_cast<std::int64_t>(bits);
    return true;
  }
  if (tag < 0xd0 || tag > 0xd3) return false;
  in_.remove_prefix(1);
  std::uint64_t bits = 0;
  const int bytes = 1 << (tag - 0xd0);
  if (!take(bits, bytes)) return false;
  const int unused = 64 - bytes * 8;
  value = static_cast<std::int64_t>(bits << unused) >> unused;
  return true;
}

bool Reader::number(std::uint64_t& value) {
  if (in_.empty()) return false;
  const auto tag = static_cast<unsigned char>(in_[0]);
  if (tag < 0x80) {
    value = tag;
    in_.remove_prefix(1);
    return true;
  }
  if (tag >= 0xcc && tag <= 0xcf) {
    in_.remove_prefix(1);
    return take(value, 1 << (tag - 0xcc));
  }
  if (tag >= 0xd0 && tag <= 0xd3) {
    std::int64_t number_value = 0;
    if (!number(number_value) || number_value < 0) return false;
    value = static_cast<std::uint64_t>(number_value);
    return true;
  }
  return false;
}

bool Reader::number(double& value) {
  if (in_.empty()) return false;
  const auto tag = static_cast<unsigned char>(in_[0]);
  std::uint64_t bits = 0;
  if (tag == 0xcb) {
    in_.remove_prefix(1);
    if (!take(bits, 8)) return false;
    value = std::bit_cast<double>(bits);
    return true;
  }
  if (tag == 0xca) {
    in_.remove_prefix(1);
    if (!take(bits, 4)) return false;
    value = static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
    return true;
  }
  if (tag == 0xcf) {
    std::uint64_t large = 0;
    if (!number(large)) return false;
    value = static_cast<double>(large);
    return true;
  }
  std::int64_t integer = 0;
  if (!number(integer)) return false;
  value = static_cast<double>(integer);
  return true;
}

bool Reader::string(std::string_view& text) {
  if (in_.empty()) return false;
  const auto tag = static_cast<unsigned char>(in_[0]);
  if (tag >= 0xc4 && tag <= 0xc6) return binary(text);
  in_.remove_prefix(1);
  if (tag >= 0xa0 && tag < 0xc0) return view(text, tag & 31u);
  if (tag < 0xd9 || tag > 0xdb) return false;
  std::uint64_t size = 0;
  return take(size, 1 << (tag - 0xd9)) && view(text, size);
}

bool Reader::binary(std::string_view& data) {
  if (in_.empty()) return false;
  const auto tag = static_cast<unsigned char>(in_[0]);
  if (tag < 0xc4 || tag > 0xc6) return string(data);
  in_.remove_prefix(1);
  std::uint64_t size = 0;
  return take(size, 1 << (tag - 0xc4)) && view(data, size);
}

bool Reader::array(std::uint32_t& size) {
  if (in_.empty()) return false;
  const auto tag = static_cast<unsigned char>(in_[0]);
  if (tag < 0x90 || (tag > 0x9f && tag != 0xdc && tag != 0xdd)) return false;
  in_.remove_prefix(1);
  std::uint64_t count = tag & 15u;
  if (tag > 0x9f && !take(count, tag == 0xdc ? 2 : 4)) return false;
  size = static_cast<std::uint32_t>(count);
  return count <= in_.size();  // an element takes a byte at least
}

bool Reader::map(std::uint32_t& size) {
  if (in_.empty()) return false;
  const auto tag = static_cast<unsigned char>(in_[0]);
  if (tag < 0x80 || (tag > 0x8f && tag != 0xde && tag != 0xdf)) return false;
  in_.remove_prefix(1);
  std::uint64_t count = tag & 15u;
  if (tag > 0x8f && !take(count, tag == 0xde ? 2 : 4)) return false;
  size = static_cast<std::uint32_t>(count);
  return count * 2 <= in_.size();
}

bool Reader::skip() {
  if (in_.empty()) return false;
  const auto tag = static_cast<unsigned char>(in_[0]);
  std::string_view text;
  std::uint32_t size = 0;
  if (tag == 0xc0 || tag == 0xc2 || tag == 0xc3) {
    in_.remove_prefix(1);
    return true;
  }
  if (tag < 0x80 || tag >= 0xe0 || (tag >= 0xca && tag <= 0xd3)) {
    double ignored = 0;
    return number(ignored);
  }
  if ((tag >= 0xa0 && tag < 0xc0) || (tag >= 0xd9 && tag <= 0xdb) || (tag >= 0xc4 && tag <= 0xc6)) return string(text);
  const bool is_map = tag <= 0x8f || tag == 0xde || tag == 0xdf;
  if (is_map ? !map(size) : !array(size)) return false;
  if (!enter()) return false;
  for (std::uint64_t i = 0, count = is_map ? 2ull * size : size; i < count; ++i) {
    if (!skip()) return false;
  }
  leave();
  return true;
}

}  // namespace drover::msgpack
