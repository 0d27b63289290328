// Numbers with 512 bits of mantissa, as Go's big.Float has in the language this one follows. Immutable, cheap to copy.
//
// Whole numbers that fit 64 bits are held in place; everything else sits behind a shared pointer. A number knows how many bits of
// mantissa it has: what is counted rather than written has 64, a root 53, which shows when such are divided. There is no NaN; operations
// that would make one return nothing. Infinities exist (1/0). The decimal exponent is bounded to +-4096.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace drover::hcl {

class Number {
 public:
  Number() = default;
  Number(std::int64_t value) : small_(value), bits_(64) {}  // NOLINT(google-explicit-constructor)
  [[nodiscard]] static Number from_uint64(std::uint64_t value);
  // Not NaN.
  [[nodiscard]] static Number from_double(double value);
  // Decimal with optional sign, fraction and exponent; nothing when it is no number.
  [[nodiscard]] static std::optional<Number> parse(std::string_view text);
  // Digits of a base from 2 to 62 (0-9 a-z A-Z; case-blind up to 36), optional sign.
  [[nodiscard]] static std::optional<Number> parse_base(std::string_view text, int base);

  [[nodiscard]] bool is_infinite() const;
  [[nodiscard]] bool is_integer() const;
  [[nodiscard]] bool is_negative() const;  // true for -0 as well
  [[nodiscard]] int sign() const;          // -1, 0, 1
  [[nodiscard]] std::optional<std::int64_t> to_int64() const;
  [[nodiscard]] std::optional<std::uint64_t> to_uint64() const;
  [[nodiscard]] double to_double() const;
  // The shortest decimal that reads back as the same number, without exponent.
  [[nodiscard]] std::string str() const;
  // An integer's digits in a base up to 16, sign in front. The number is whole.
  [[nodiscard]] std::string str_base(int base) const;

  // Rounded to `decimals` places: "3.14". Finite numbers only, like the next two.
  [[nodiscard]] std::string fixed(int decimals) const;
  // "1.500000e+00" with `decimals` places.
  [[nodiscard]] std::string scientific(int decimals) const;
  // The magnitude's shortest digits and the power of ten of the first; "0", 0 for zero.
  [[nodiscard]] std::pair<std::string, int> shortest() const;

  [[nodiscard]] Number operator-() const;
  [[nodiscard]] Number abs() const { return is_negative() ? -*this : *this; }
  [[nodiscard]] Number floor() const;
  [[nodiscard]] Number ceil() const;
  friend std::optional<Number> add(const Number& a, const Number& b);
  friend std::optional<Number> subtract(const Number& a, const Number& b);
  friend std::optional<Number> multiply(const Number& a, const Number& b);
  friend std::optional<Number> divide(const Number& a, const Number& b);
  // The remainder with the sign of `a`; `a` itself when `b` is zero.
  friend std::optional<Number> modulo(const Number& a, const Number& b);
  friend std::strong_ordering operator<=>(const Number& a, const Number& b);
  // As the language means it: numbers are equal that are written alike.
  friend bool operator==(const Number& a, const Number& b) {
    if ((a <=> b) == std::strong_ordering::equal) return true;
    return a.big_ && b.big_ && a.bits_ != b.bits_ && a.str() == b.str();
  }

 private:
  static constexpr int full_precision = 512;
  struct Big;
  explicit Number(Big value);
  [[nodiscard]] Big big() const;
  static std::optional<Number> normal(Big value, int bits);
  static Number whole(std::int64_t value, int bits);

  std::shared_ptr<const Big> big_;
  std::int64_t small_ = 0;
  int bits_ = full_precision;
};

[[nodiscard]] std::optional<Number> add(const Number& a, const Number& b);
[[nodiscard]] std::optional<Number> subtract(const Number& a, const Number& b);
[[nodiscard]] std::optional<Number> multiply(const Number& a, const Number& b);
[[nodiscard]] std::optional<Number> divide(const Number& a, const Number& b);
[[nodiscard]] std::optional<Number> modulo(const Number& a, const Number& b);

}  // namespace drover::hcl
