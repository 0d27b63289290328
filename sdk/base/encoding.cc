#include "sdk/base/encoding.h"

#include <array>
#include <cstdint>

namespace drover {
namespace {
constexpr char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<std::int8_t, 256> make_reverse() {
  std::array<std::int8_t, 256> table{};
  for (auto& entry : table) entry = -1;
  for (std::int8_t i = 0; i < 64; ++i) table[static_cast<unsigned char>(alphabet[i])] = i;
  return table;
}
constexpr auto reverse = make_reverse();
}  // namespace

std::string base64_encode(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t left = bytes.size() - i;
    std::uint32_t group = static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i])) << 16;
    if (left > 1) group |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i + 1])) << 8;
    if (left > 2) group |= static_cast<unsigned char>(bytes[i + 2]);
    out.push_back(alphabet[group >> 18]);
    out.push_back(alphabet[(group >> 12) & 63]);
    out.push_back(left > 1 ? alphabet[(group >> 6) & 63] : '=');
    out.push_back(left > 2 ? alphabet[group & 63] : '=');
  }
  return out;
}

Result<std::string> base64_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size() / 4 * 3);
  std::uint32_t group = 0;
  int held = 0;
  std::size_t i = 0;
  for (; i < text.size() && text[i] != '='; ++i) {
    if (text[i] == '\n' || text[i] == '\r') continue;
    const int value = reverse[static_cast<unsigned char>(text[i])];
    if (value < 0) return fail(Code::invalid_argument, "illegal base64 data at input byte {}", i);
    group = group << 6 | static_cast<std::uint32_t>(value);
    if (++held == 4) {
      out.push_back(static_cast<char>(group >> 16));
      out.push_back(static_cast<char>(group >> 8 & 255));
      out.push_back(static_cast<char>(group & 255));
      group = 0;
      held = 0;
    }
  }
  std::size_t padding = 0;
  for (; i < text.size(); ++i) {
    if (text[i] == '=') ++padding;
    else if (text[i] != '\n' && text[i] != '\r') return fail(Code::invalid_argument, "illegal base64 data at input byte {}", i);
  }
  if ((held == 0 && padding != 0) || held == 1 || (held != 0 && padding != static_cast<std::size_t>(4 - held))) {
    return fail(Code::invalid_argument, "illegal base64 data at input byte {}", text.size());
  }
  if (held == 2) out.push_back(static_cast<char>(group >> 4 & 255));
  if (held == 3) {
    out.push_back(static_cast<char>(group >> 10 & 255));
    out.push_back(static_cast<char>(group >> 2 & 255));
  }
  return out;
}

std::string hex_encode(std::string_view bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    out.push_back(digits[static_cast<unsigned char>(c) >> 4]);
    out.push_back(digits[static_cast<unsigned char>(c) & 15]);
  }
  return out;
}

}  // namespace drover
