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

}  // namespace drover::model
