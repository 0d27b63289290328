#include <bit>
#include <cmath>
#include <nlohmann/json.hpp>

#include "sdk/plugin/config.h"
#include "sdk/plugin/type.h"

namespace drover::plugin {
namespace {
using json = nlohmann::json;
constexpr int max_depth = 128;

void put_big_endian(std::string& out, std::uint64_t value, int bytes) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xff);
}
void put_tagged(std::string& out, unsigned tag, std::uint64_t value, int bytes) {
  out += static_cast<char>(tag);
  put_big_endian(out, value, bytes);
}
void put_text(std::string& out, const std::string& text) {
  const std::size_t size = text.size();
  if (size < 32) out += static_cast<char>(0xa0 | size);
  else if (size < 0x100) put_tagged(out, 0xd9, size, 1);
  else if (size < 0x10000) put_tagged(out, 0xda, size, 2);
  else put_tagged(out, 0xdb, size, 4);
  out += text;
}
void put_unsigned(std::string& out, std::uint64_t value) {
  // Go decodes into int64: larger integers travel as text.
  if (value > INT64_MAX) put_text(out, std::to_string(value));
  else if (value < 0x80) out += static_cast<char>(value);
  else if (value < 0x100) put_tagged(out, 0xcc, value, 1);
  else if (value < 0x10000) put_tagged(out, 0xcd, value, 2);
  else if (value < 0x100000000) put_tagged(out, 0xce, value, 4);
  else put_tagged(out, 0xcf, value, 8);
}
void put_signed(std::string& out, std::int64_t value) {
  if (value >= 0) return put_unsigned(out, static_cast<std::uint64_t>(value));
  const auto bits = static_cast<std::uint64_t>(value);
  if (value >= -32) out += static_cast<char>(value);
  else if (value >= INT8_MIN) put_tagged(out, 0xd0, bits, 1);
  else if (value >= INT16_MIN) put_tagged(out, 0xd1, bits, 2);
  else if (value >= INT32_MIN) put_tagged(out, 0xd2, bits, 4);
  else put_tagged(out, 0xd3, bits, 8);
}
void put_size(std::string& out, std::size_t size, unsigned fixed, unsigned tag16) {
  if (size < 16) out += static_cast<char>(fixed | size);
  else if (size < 0x10000) put_tagged(out, tag16, size, 2);
  else put_tagged(out, tag16 + 1, size, 4);
}
void put(std::string& out, const json& value) {
  switch (value.type()) {
    case json::value_t::boolean: out += static_cast<char>(value.get<bool>() ? 0xc3 : 0xc2); return;
    case json::value_t::number_unsigned: return put_unsigned(out, value.get<std::uint64_t>());
    case json::value_t::number_integer: return put_signed(out, value.get<std::int64_t>());
    case json::value_t::number_float: {
      const double number = value.get<double>();
      const json integer = make_number(number);
      if (integer.is_number_integer()) return put_signed(out, integer.get<std::int64_t>());
      // An integer outside int64 is text, everything else the nearest float64: what drivers decode (4.4).
      if (std::isfinite(number) && std::trunc(number) == number) return put_text(out, number_text(value));
      return put_tagged(out, 0xcb, std::bit_cast<std::uint64_t>(number), 8);
    }
    case json::value_t::string: return put_text(out, value.get_ref<const std::string&>());
    case json::value_t::array:
      put_size(out, value.size(), 0x90, 0xdc);
      for (const json& item : value) put(out, item);
      return;
    case json::value_t::object:
      put_size(out, value.size(), 0x80, 0xde);
      for (const auto& [key, item] : value.items()) {
        put_text(out, key);
        put(out, item);
      }
      return;
    default: out += static_cast<char>(0xc0);
  }
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  Result<json> read(int depth) {
    if (depth > max_depth) return fail(Code::invalid_argument, "msgpack decode error [pos {}]: nested too deeply", at_);
    if (at_ >= bytes_.size()) return cut();
    const auto tag = static_cast<unsigned char>(bytes_[at_++]);
    if (tag < 0x80) return json(tag);
    if (tag < 0x90) return map(tag & 0x0f, depth);
    if (tag < 0xa0) return list(tag & 0x0f, depth);
    if (tag < 0xc0) return text(tag & 0x1f);
    if (tag >= 0xe0) return json(static_cast<std::int8_t>(tag));
    switch (tag) {
      case 0xc0: return json(nullptr);
      case 0xc2: return json(false);
      case 0xc3: return json(true);
      case 0xc4: case 0xd9: return sized(1, [&](std::uint64_t n) { return text(n); });
      case 0xc5: case 0xda: return sized(2, [&](std::uint64_t n) { return text(n); });
      case 0xc6: case 0xdb: return sized(4, [&](std::uint64_t n) { return text(n); });
      case 0xca: return sized(4, [](std::uint64_t n) -> Result<json> { return json(static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(n)))); });
      case 0xcb: return sized(8, [](std::uint64_t n) -> Result<json> { return json(std::bit_cast<double>(n)); });
      case 0xcc: case 0xcd: case 0xce: case 0xcf: return sized(1 << (tag - 0xcc), [](std::uint64_t n) -> Result<json> { return json(n); });
      case 0xd0: return sized(1, [](std::uint64_t n) -> Result<json> { return json(static_cast<std::int8_t>(n)); });
      case 0xd1: return sized(2, [](std::uint64_t n) -> Result<json> { return json(static_cast<std::int16_t>(n)); });
      case 0xd2: return sized(4, [](std::uint64_t n) -> Result<json> { return json(static_cast<std::int32_t>(n)); });
      case 0xd3: return sized(8, [](std::uint64_t n) -> Result<json> { return json(static_cast<std::int64_t>(n)); });
      case 0xdc: case 0xdd: return sized(tag == 0xdc ? 2 : 4, [&](std::uint64_t n) { return list(n, depth); });
      case 0xde: case 0xdf: return sized(tag == 0xde ? 2 : 4, [&](std::uint64_t n) { return map(n, depth); });
      default: return fail(Code::invalid_argument, "msgpack decode error [pos {}]: unrecognized descriptor byte: {:x}", at_, tag);
    }
  }

 private:
  Unexpected cut() const { return fail(Code::invalid_argument, "msgpack decode error [pos {}]: EOF", at_); }
  template <class F>
  Result<json> sized(std::size_t bytes, F use) {
    if (bytes_.size() - at_ < bytes) return cut();
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) value = value << 8 | static_cast<unsigned char>(bytes_[at_++]);
    return use(value);
  }
  Result<json> text(std::uint64_t size) {
    if (bytes_.size() - at_ < size) return cut();
    json out = std::string(bytes_.substr(at_, size));
    at_ += size;
    return out;
  }
  Result<json> list(std::uint64_t size, int depth) {
    json out = json::array();
    for (std::uint64_t i = 0; i < size; ++i) {
      auto item = read(depth + 1);
      if (!item) return item;
      out.push_back(std::move(*item));
    }
    return out;
  }
  Result<json> map(std::uint64_t size, int depth) {
    json out = json::object();
    for (std::uint64_t i = 0; i < size; ++i) {
      const auto key = read(depth + 1);
      if (!key) return key;
      // As text each level would be twice as long as the one in it.
      if (key->is_structured()) return fail(Code::invalid_argument, "msgpack decode error [pos {}]: a key is a list or a map", at_);
      auto value = read(depth + 1);
      if (!value) return value;
      out[key->is_string() ? key->get<std::string>() : key->dump()] = std::move(*value);
    }
    return out;
  }

  std::string_view bytes_;
  std::size_t at_ = 0;
};
}  // namespace

std::string to_msgpack(const json& value) {
  std::string out;
  put(out, value);
  return out;
}

Result<json> decode_config(std::string_view msgpack) {
  if (msgpack.empty()) return json(nullptr);
  return Reader(msgpack).read(0);
}

}  // namespace drover::plugin
