// The containers and scalars of model types, in the shapes the wire tells apart.
//
// JSON distinguishes null, absent, [] and {}. List, Map, Bytes and Any therefore remember whether an empty value was
// allocated; equality ignores that difference, the codecs keep it. All are plain values: copy, compare, move.
//
// A model type lists its fields once, in `describe(self, visitor)`, as `v("WireName", self.member)` or with `omit_empty`
// for a field that is left out when empty. reflect.h makes a table of it for codecs and filters.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/model/json_object.h"

namespace drover::model {

using Duration = std::chrono::nanoseconds;

struct OmitEmpty {};
inline constexpr OmitEmpty omit_empty;
// For a Time that JSON shows as null while it is unset.
struct NullZero {};
inline constexpr NullZero null_zero;

// A Go slice: nil until something is put in or allocate() is called.
template <class T>
class List : public std::vector<T> {
 public:
  using std::vector<T>::vector;
  List() = default;
  List(std::vector<T> values) : std::vector<T>(std::move(values)), allocated_(true) {}  // NOLINT(google-explicit-constructor)
  [[nodiscard]] bool is_nil() const { return this->empty() && !allocated_; }
  List& allocate() { allocated_ = true; return *this; }
  void set_nil() { this->clear(); allocated_ = false; }
  friend bool operator==(const List& a, const List& b) {
    return static_cast<const std::vector<T>&>(a) == static_cast<const std::vector<T>&>(b);
  }

 private:
  bool allocated_ = false;
};

// A Go map with text keys, in key order; nil like List.
template <class T>
class Map : public std::map<std::string, T, std::less<>> {
 public:
  using Base = std::map<std::string, T, std::less<>>;
  using Base::Base;
  Map() = default;
  [[nodiscard]] bool is_nil() const { return this->empty() && !allocated_; }
  Map& allocate() { allocated_ = true; return *this; }
  void set_nil() { this->clear(); allocated_ = false; }
  // The value of a key, nullptr when absent.
  [[nodiscard]] const T* get(std::string_view key) const {
    const auto at = this->find(key);
    return at == this->end() ? nullptr : &at->second;
  }
  [[nodiscard]] T* get(std::string_view key) {
    const auto at = this->find(key);
    return at == this->end() ? nullptr : &at->second;
  }
  friend bool operator==(const Map& a, const Map& b) { return static_cast<const Base&>(a) == static_cast<const Base&>(b); }

 private:
  bool allocated_ = false;
};

// A pointer to a struct that may be null: owns its value, copies deeply. There are forty of them in a job, and unique_ptr would
// cost every file that sees one a fifth of a second.
template <class T>
class Box {
 public:
  Box() = default;
  Box(std::nullptr_t) {}  // NOLINT(google-explicit-constructor)
  Box(T value) : value_(new T(std::move(value))) {}  // NOLINT(google-explicit-constructor)
  Box(const Box& other) : value_(other.value_ != nullptr ? new T(*other.value_) : nullptr) {}
  Box(Box&& other) noexcept : value_(std::exchange(other.value_, nullptr)) {}
  Box& operator=(Box other) noexcept { std::swap(value_, other.value_); return *this; }
  ~Box() { delete value_; }

  [[nodiscard]] explicit operator bool() const { return value_ != nullptr; }
  [[nodiscard]] T& operator*() { return *value_; }
  [[nodiscard]] const T& operator*() const { return *value_; }
  [[nodiscard]] T* operator->() { return value_; }
  [[nodiscard]] const T* operator->() const { return value_; }
  [[nodiscard]] T* get() { return value_; }
  [[nodiscard]] const T* get() const { return value_; }
  // The value, made with defaults when there is none.
  T& ensure() { if (value_ == nullptr) value_ = new T(); return *value_; }
  void reset() { delete std::exchange(value_, nullptr); }
  friend bool operator==(const Box& a, const Box& b) {
    return a.value_ == nullptr ? b.value_ == nullptr : b.value_ != nullptr && *a.value_ == *b.value_;
  }

 private:
  T* value_ = nullptr;
};

// A point in time that is RFC 3339 in JSON. Default: Go's zero time, year 1.
class Time {
 public:
  constexpr Time() = default;
  constexpr explicit Time(std::int64_t unix_nanos) : unix_nanos_(unix_nanos), set_(true) {}
  [[nodiscard]] constexpr bool is_zero() const { return !set_; }
  // Nanoseconds since the epoch; 0 when zero.
  [[nodiscard]] constexpr std::int64_t unix_nanos() const { return unix_nanos_; }
  friend constexpr auto operator<=>(const Time&, const Time&) = default;

 private:
  std::int64_t unix_nanos_ = 0;
  bool set_ = false;
};

// []byte: base64 in JSON, null when nil.
class Bytes {
 public:
  Bytes() = default;
  explicit Bytes(std::string data) : data_(std::move(data)), allocated_(true) {}
  [[nodiscard]] const std::string& data() const { return data_; }
  [[nodiscard]] bool empty() const { return data_.empty(); }
  [[nodiscard]] bool is_nil() const { return data_.empty() && !allocated_; }
  friend bool operator==(const Bytes& a, const Bytes& b) { return a.data_ == b.data_; }

 private:
  std::string data_;
  bool allocated_ = false;
};

using Json = nlohmann::basic_json<JsonObject>;

// Free-form JSON (`any`, `map[string]any`): driver configuration and the like. Shared and immutable; null by default.
class Any {
 public:
  Any() = default;
  explicit Any(Json value);
  [[nodiscard]] bool is_null() const { return value_ == nullptr; }
  // A JSON null when unset.
  [[nodiscard]] const Json& json() const;
  friend bool operator==(const Any& a, const Any& b);

 private:
  std::shared_ptr<const Json> value_;
};

}  // namespace drover::model
