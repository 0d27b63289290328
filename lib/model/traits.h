// Compile-time questions about field types, shared by the visitors.
#pragma once

#include <type_traits>

#include "lib/model/types.h"

namespace drover::model {

template <class T>
inline constexpr bool is_list = false;
template <class T>
inline constexpr bool is_list<List<T>> = true;
template <class T>
inline constexpr bool is_map = false;
template <class T>
inline constexpr bool is_map<Map<T>> = true;
template <class T>
inline constexpr bool is_box = false;
template <class T>
inline constexpr bool is_box<Box<T>> = true;
template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool is_shared = false;
template <class T>
inline constexpr bool is_shared<std::shared_ptr<const T>> = true;

template <class T>
concept Described = requires(T& value, int& visitor) { requires !std::is_arithmetic_v<T>; T::template describe<T, int>; };

template <class T>
concept OmitsZero = Described<T> && requires { requires T::omit_zero; };

template <class T>
[[nodiscard]] bool is_zero(const T& value);

namespace detail {
struct ZeroVisitor {
  bool zero = true;
  template <class T, class... Flags>
  void operator()(const char*, const T& value, Flags...) {
    if (zero) zero = is_zero(value);
  }
};
}  // namespace detail

// Go's zero value, for structs every member zero. A list or map that is allocated but empty is not zero: it must survive.
template <class T>
bool is_zero(const T& value) {
  if constexpr (std::is_arithmetic_v<T>) return value == T{};
  else if constexpr (std::is_same_v<T, std::string>) return value.empty();
  else if constexpr (std::is_same_v<T, Duration>) return value.count() == 0;
  else if constexpr (std::is_same_v<T, Time>) return value.is_zero();
  else if constexpr (std::is_same_v<T, Any>) return value.is_null();
  else if constexpr (std::is_same_v<T, Bytes> || is_list<T> || is_map<T>) return value.is_nil();
  else if constexpr (is_box<T> || is_optional<T> || is_shared<T>) return !value;
  else {
    detail::ZeroVisitor visitor;
    T::describe(value, visitor);
    return visitor.zero;
  }
}

// Go's `omitempty` and the codec that drops all zero fields also drop an empty list or map that is allocated.
template <class T>
[[nodiscard]] bool is_empty(const T& value) {
  if constexpr (std::is_same_v<T, Bytes> || is_list<T> || is_map<T>) return value.empty();
  else return is_zero(value);
}

}  // namespace drover::model
