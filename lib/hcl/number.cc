#include "lib/hcl/number.h"

#include <fmt/format.h>

#include <boost/multiprecision/cpp_bin_float.hpp>
#include <boost/multiprecision/cpp_int.hpp>
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "lib/hcl/limits.h"

namespace drover::hcl {

namespace mp = boost::multiprecision;
using Float = mp::number<mp::cpp_bin_float<512, mp::digit_base_2, void, std::int32_t, -60000, 60000>, mp::et_off>;

struct Number::Big {
  Float value;
};

namespace {
constexpr int max_exponent = 4096;
constexpr int max_digits = 160;

bool fits_int64(const Float& value) {
  return value >= Float(std::numeric_limits<std::int64_t>::min()) && value <= Float(std::numeric_limits<std::int64_t>::max());
}

// Scientific digits of a finite value: "d.ddde+XX" taken apart into digits and exponent of the first.
std::pair<std::string, int> digits_of(const Float& value, int count) {
  const std::string text = value.str(count - 1, std::ios_base::scientific);
  std::string digits;
  std::size_t at = 0;
  for (; at < text.size() && text[at] != 'e'; at++) {
    if (text[at] >= '0' && text[at] <= '9') digits.push_back(text[at]);
  }
  const int exponent = at < text.size() ? std::atoi(text.c_str() + at + 1) : 0;
  return {digits, exponent};
}

// digits * 10^exponent, rounded once, to the nearest even of 512 bits.
Float exact(const mp::cpp_int& digits, int exponent) {
  if (digits == 0) return Float(0);
  constexpr int precision = 512;
  mp::cpp_int value = digits;
  int shift = 0;
  bool inexact = false;
  if (exponent >= 0) {
    value *= mp::pow(mp::cpp_int(10), static_cast<unsigned>(exponent));
  } else {
    const mp::cpp_int divisor = mp::pow(mp::cpp_int(10), static_cast<unsigned>(-exponent));
    shift = std::max(0, precision + 2 + static_cast<int>(mp::msb(divisor)) - static_cast<int>(mp::msb(value)));
    mp::cpp_int quotient;
    mp::cpp_int remainder;
    mp::divide_qr(mp::cpp_int(value << static_cast<unsigned>(shift)), divisor, quotient, remainder);
    value = quotient;
    inexact = remainder != 0;
  }
  const int spare = static_cast<int>(mp::msb(value)) + 1 - precision;
  if (spare > 0) {
    const mp::cpp_int half = mp::cpp_int(1) << static_cast<unsigned>(spare - 1);
    const mp::cpp_int rest = value & ((half << 1) - 1);
    value >>= static_cast<unsigned>(spare);
    if (rest > half || (rest == half && (inexact || mp::bit_test(value, 0)))) value += 1;
    shift -= spare;
  }
  return mp::ldexp(Float(value), -shift);
}

// To the nearest with so many bits, to the even one of two.
Float narrowed(const Float& value, int bits) {
  if (value.is_zero() || !mp::isfinite(value) || bits >= std::numeric_limits<Float>::digits) return value;
  int exponent = 0;
  const Float scaled = mp::ldexp(mp::frexp(value, &exponent), bits);
  Float whole = mp::trunc(scaled);
  const Float rest = mp::abs(Float(scaled - whole));
  const Float half = whole / 2;
  const bool odd = mp::trunc(half) != half;
  if (rest > Float(0.5) || (rest == Float(0.5) && odd)) whole += value < 0 ? -1 : 1;
  return mp::ldexp(whole, exponent - bits);
}

// The digits of a whole number. Boost's own conversion is inexact for large ones.
mp::cpp_int whole_of(const Float& value) {
  if (value.is_zero()) return 0;
  const auto& bits = value.backend().bits();
  const mp::cpp_int mantissa(mp::number<std::remove_cvref_t<decltype(bits)>>{bits});
  const int shift = static_cast<int>(value.backend().exponent()) - std::numeric_limits<Float>::digits + 1;
  return shift >= 0 ? mp::cpp_int(mantissa << static_cast<unsigned>(shift)) : mp::cpp_int(mantissa >> static_cast<unsigned>(-shift));
}

// How many bits the mantissa needs.
int needed_bits(const Float& value) {
  if (value.is_zero() || !mp::isfinite(value)) return 1;
  return std::numeric_limits<Float>::digits - static_cast<int>(eval_lsb(value.backend().bits()));
}

Float from_digits(const std::string& digits, int exponent) {
  return exact(mp::cpp_int(digits), exponent - static_cast<int>(digits.size()) + 1);
}
}  // namespace

Number::Number(Big value) : big_(std::make_shared<const Big>(std::move(value))) {}

Number::Big Number::big() const { return big_ ? *big_ : Big{Float(small_)}; }

Number Number::whole(std::int64_t value, int bits) {
  Number out(value);
  out.bits_ = bits;
  return out;
}

std::optional<Number> Number::normal(Big value, int bits) {
  if (mp::isnan(value.value)) return std::nullopt;
  value.value = narrowed(value.value, bits);
  if (mp::isfinite(value.value) && !(value.value.is_zero() && mp::signbit(value.value)) && fits_int64(value.value)) {
    const auto whole = value.value.convert_to<std::int64_t>();
    if (Float(whole) == value.value) return Number::whole(whole, bits);
  }
  Number out(std::move(value));
  out.bits_ = bits;
  return out;
}

Number Number::from_uint64(std::uint64_t value) { return *normal(Big{Float(value)}, 64); }
Number Number::from_double(double value) { return *normal(Big{Float(value)}, std::numeric_limits<double>::digits); }

std::optional<Number> Number::parse(std::string_view text) {
  std::size_t at = 0;
  const auto digit = [&] { return at < text.size() && text[at] >= '0' && text[at] <= '9'; };
  bool negative = false;
  if (at < text.size() && (text[at] == '-' || text[at] == '+')) negative = text[at++] == '-';
  const std::size_t start = at;
  std::size_t count = 0;
  while (digit()) { at++; count++; }
  const std::size_t whole = count;
  if (at < text.size() && text[at] == '.') {
    at++;
    while (digit()) { at++; count++; }
  }
  if (count == 0 || text.size() > max_number_bytes) return std::nullopt;
  const std::size_t mantissa_end = at;
  long exponent = 0;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    at++;
    const std::size_t sign_at = at;
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) at++;
    if (!digit()) return std::nullopt;
    while (at + 1 < text.size() && text[at] == '0') at++;
    const std::size_t digits_at = at;
    while (digit()) at++;
    if ( at - digits_at > 9) return std::nullopt;
    exponent = std::strtol(std::string(text.substr(digits_at, at - digits_at)).c_str(), nullptr, 10);
    if (text[sign_at] == '-') exponent = -exponent;
    if (exponent > max_exponent || exponent < -max_exponent) return std::nullopt;
  }
  if (at != text.size()) return std::nullopt;
  if (exponent == 0 && mantissa_end == start + whole && whole <= 18) {
    const std::int64_t value = std::strtoll(std::string(text.substr(start, whole)).c_str(), nullptr, 10);
    if (!negative || value != 0) return Number::whole(negative ? -value : value, full_precision);
  }
  std::string mantissa(text.substr(start, mantissa_end - start));
  std::erase(mantissa, '.');
  // A leading zero would make boost read octal.
  mantissa.erase(0, std::min(mantissa.find_first_not_of('0'), mantissa.size() - 1));
  const Float value = exact(mp::cpp_int(mantissa), static_cast<int>(exponent) - static_cast<int>(count - whole));
  return normal(Big{negative ? Float(-value) : value}, full_precision);
}

std::optional<Number> Number::parse_base(std::string_view text, int base) {
  bool negative = false;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  if (text.empty() || text.size() > max_number_bytes) return std::nullopt;
  mp::cpp_int value = 0;
  for (const char c : text) {
    int digit = 99;
    if (c >= '0' && c <= '9') digit = c - '0';
    else if (c >= 'a' && c <= 'z') digit = c - 'a' + 10;
    else if (c >= 'A' && c <= 'Z') digit = c - 'A' + (base <= 36 ? 10 : 36);
    if (digit >= base) return std::nullopt;
    value = value * base + digit;
  }
  const Float result(value);
  return normal(Big{negative && value != 0 ? Float(-result) : result}, value == 0 ? 64 : std::max(64, static_cast<int>(mp::msb(value)) + 1));
}

bool Number::is_infinite() const { return big_ && mp::isinf(big_->value); }
bool Number::is_integer() const { return !big_ || (mp::isfinite(big_->value) && mp::trunc(big_->value) == big_->value); }
bool Number::is_negative() const { return big_ ? mp::signbit(big_->value) != 0 : small_ < 0; }
int Number::sign() const {
  if (!big_) return small_ < 0 ? -1 : small_ > 0 ? 1 : 0;
  return big_->value.is_zero() ? 0 : mp::signbit(big_->value) ? -1 : 1;
}

std::optional<std::int64_t> Number::to_int64() const {
  if (!big_) return small_;
  if (big_->value.is_zero()) return 0;
  return std::nullopt;
}

std::optional<std::uint64_t> Number::to_uint64() const {
  if (!big_) return small_ < 0 ? std::nullopt : std::optional<std::uint64_t>(static_cast<std::uint64_t>(small_));
  if (!is_integer() || is_negative() || big_->value > Float(std::numeric_limits<std::uint64_t>::max())) {
    return big_->value.is_zero() ? std::optional<std::uint64_t>(0) : std::nullopt;
  }
  return big_->value.convert_to<std::uint64_t>();
}

double Number::to_double() const { return big_ ? big_->value.convert_to<double>() : static_cast<double>(small_); }

std::pair<std::string, int> Number::shortest() const {
  const Float magnitude = mp::abs(big().value);
  if (magnitude.is_zero()) return {"0", 0};
  // Correct rounding makes "n digits read back" monotonic in n, so the shortest count can be searched by halves.
  // Two digits are the least asked for: trailing zeros go below.
  int low = 2;
  int high = max_digits;
  while (low < high) {
    const int middle = (low + high) / 2;
    const auto [digits, exponent] = digits_of(magnitude, middle);
    const Float back = from_digits(digits, exponent);
    if (narrowed(back, bits_) == magnitude) high = middle;
    else low = middle + 1;
  }
  auto result = digits_of(magnitude, low);
  while (result.first.size() > 1 && result.first.back() == '0') result.first.pop_back();
  return result;
}

std::string Number::str() const {
  if (!big_) return std::to_string(small_);
  const Float& value = big_->value;
  if (mp::isinf(value)) return mp::signbit(value) ? "-Inf" : "+Inf";
  const std::string sign = mp::signbit(value) ? "-" : "";
  if (value.is_zero()) return sign + "0";
  const auto [digits, exponent] = shortest();
  if (exponent < 0) return sign + "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  const auto point = static_cast<std::size_t>(exponent) + 1;
  if (digits.size() <= point) return sign + digits + std::string(point - digits.size(), '0');
  return sign + digits.substr(0, point) + "." + digits.substr(point);
}

std::string Number::fixed(int decimals) const { return big().value.str(decimals, std::ios_base::fixed); }
std::string Number::scientific(int decimals) const {
  // Boost reads zero as "all there are".
  return decimals == 0 ? fmt::format("{:.0e}", to_double()) : big().value.str(decimals, std::ios_base::scientific);
}

std::string Number::str_base(int base) const {
  mp::cpp_int value = whole_of(abs().big().value);
  if (value == 0) return "0";
  std::string out;
  while (value > 0) {
    const int digit = static_cast<int>(value % base);
    out.push_back("0123456789abcdef"[digit]);
    value /= base;
  }
  if (is_negative()) out.push_back('-');
  std::reverse(out.begin(), out.end());
  return out;
}

Number Number::operator-() const {
  if (!big_ && small_ != 0 && small_ != std::numeric_limits<std::int64_t>::min()) return whole(-small_, bits_);
  return *normal(Big{Float(-big().value)}, bits_);
}

namespace {
// What cancels out, or is cut off, is a zero without a sign.
Float unsigned_zero(Float value) { return value.is_zero() ? Float(0) : value; }
}  // namespace

Number Number::floor() const { return !big_ || is_infinite() ? *this : *normal(Big{unsigned_zero(mp::floor(big_->value))}, bits_); }
Number Number::ceil() const { return !big_ || is_infinite() ? *this : *normal(Big{unsigned_zero(mp::ceil(big_->value))}, bits_); }

std::optional<Number> add(const Number& a, const Number& b) {
  std::int64_t sum = 0;
  if (!a.big_ && !b.big_ && !__builtin_add_overflow(a.small_, b.small_, &sum)) return Number::whole(sum, std::max(a.bits_, b.bits_));
  if (a.is_infinite() && b.is_infinite() && a.sign() != b.sign()) return std::nullopt;
  if (a.sign() == 0 && b.sign() == 0) return a.is_negative() && b.is_negative() ? a : Number(0);
  return Number::normal({unsigned_zero(a.big().value + b.big().value)}, std::max(a.bits_, b.bits_));
}

std::optional<Number> subtract(const Number& a, const Number& b) {
  std::int64_t difference = 0;
  if (!a.big_ && !b.big_ && !__builtin_sub_overflow(a.small_, b.small_, &difference)) return Number::whole(difference, std::max(a.bits_, b.bits_));
  if (a.is_infinite() && b.is_infinite() && a.sign() == b.sign()) return std::nullopt;
  if (a.sign() == 0 && b.sign() == 0) return a.is_negative() && !b.is_negative() ? a : Number(0);
  return Number::normal({unsigned_zero(a.big().value - b.big().value)}, std::max(a.bits_, b.bits_));
}

std::optional<Number> multiply(const Number& a, const Number& b) {
  std::int64_t product = 0;
  if (!a.big_ && !b.big_ && !__builtin_mul_overflow(a.small_, b.small_, &product)) {
    if (product != 0 || (a.small_ >= 0 && b.small_ >= 0)) return Number::whole(product, std::max(a.bits_, b.bits_));
  }
  if ((a.is_infinite() && b.sign() == 0) || (b.is_infinite() && a.sign() == 0)) return std::nullopt;
  // Nothing of a product is rounded off.
  const Float exactly = a.big().value * b.big().value;
  return Number::normal({exactly}, std::max({a.bits_, b.bits_, needed_bits(exactly)}));
}

std::optional<Number> divide(const Number& a, const Number& b) {
  if ((a.sign() == 0 && b.sign() == 0) || (a.is_infinite() && b.is_infinite())) return std::nullopt;
  if (b.sign() == 0) {
    const Float infinity = std::numeric_limits<Float>::infinity();
    return Number::normal({a.is_negative() != b.is_negative() ? Float(-infinity) : infinity}, Number::full_precision);
  }
  return Number::normal({Float(a.big().value / b.big().value)}, std::max(a.bits_, b.bits_));
}

std::optional<Number> modulo(const Number& a, const Number& b) {
  if (b.sign() == 0) return a;
  if (a.is_infinite() || b.is_infinite()) return multiply(a, b);
  if (!a.big_ && !b.big_ && b.small_ != -1) return Number::whole(a.small_ % b.small_, a.bits_);
  const Float x = a.big().value;
  const Float y = b.big().value;
  if (x.is_zero()) return a.is_negative() && b.is_negative() ? Number(0) : a;
  // The steps have the precision of `a` alone.
  const Float times = mp::trunc(narrowed(x / y, std::max(a.bits_, b.bits_)));
  const Float part = narrowed(y * narrowed(times, a.bits_), a.bits_);
  return Number::normal({unsigned_zero(x - part)}, a.bits_);
}

std::strong_ordering operator<=>(const Number& a, const Number& b) {
  if (!a.big_ && !b.big_) return a.small_ <=> b.small_;
  const auto x = a.big().value;
  const auto y = b.big().value;
  return x < y ? std::strong_ordering::less : x > y ? std::strong_ordering::greater : std::strong_ordering::equal;
}

}  // namespace drover::hcl
