// The flat view of a value, name to text, and the differences of two of them.
//
// A described value is flattened over its `describe`: text, numbers, booleans, durations in nanoseconds, and maps of such as `Meta[key]`.
// Lists, objects and pointers are not in it; the rules of the type say how they appear (rules.h).
#pragma once

#include <fmt/core.h>

#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "lib/model/diff.h"
#include "lib/model/traits.h"

namespace drover::diff {

using model::FieldDiff;
using model::List;
using model::ObjectDiff;

using Flat = std::map<std::string, std::string>;
using Names = std::initializer_list<std::string_view>;

namespace type {
inline constexpr const char* none = "None";
inline constexpr const char* added = "Added";
inline constexpr const char* deleted = "Deleted";
inline constexpr const char* edited = "Edited";
}  // namespace type

// Sorted by name, then by old value. Unchanged fields only when `contextual`.
[[nodiscard]] List<FieldDiff> field_diffs(const Flat& before, const Flat& after, bool contextual);

// What the fields say together; "None" when nothing changed.
[[nodiscard]] const char* type_of(const List<FieldDiff>& fields);

// A list whose order does not matter: one field of the list's own name for each text.
[[nodiscard]] std::optional<ObjectDiff> text_set(const char* name, const List<std::string>& before, const List<std::string>& after, bool contextual);

// Orders siblings: by name, kind of change, size, then by their contents.
void sort_objects(List<ObjectDiff>& objects);

// Free-form JSON, flattened in full: `a[b]` for members, `a[0]` for elements.
[[nodiscard]] Flat flatten_json(const model::Any& value);

namespace detail {

template <class T>
[[nodiscard]] std::string scalar_text(const T& value) {
  if constexpr (std::is_same_v<T, std::string>) return value;
  else if constexpr (std::is_same_v<T, model::Duration>) return fmt::format("{}", value.count());
  else return fmt::format("{}", value);
}

template <class T>
inline constexpr bool is_scalar = std::is_arithmetic_v<T> || std::is_same_v<T, std::string> || std::is_same_v<T, model::Duration>;

struct Flattener {
  Flat& out;
  Names skip;
  bool pointers;

  template <class T, class... Flags>
  void operator()(const char* name, const T& value, Flags...) {
    for (const std::string_view skipped : skip) {
      if (skipped == name) return;
    }
    add(name, value);
  }

  template <class T>
  void add(std::string name, const T& value) {
    if constexpr (is_scalar<T>) out[std::move(name)] = scalar_text(value);
    else if constexpr (model::is_map<T>) add_map(name, value);
    else if constexpr (model::is_optional<T>) {
      if (pointers && value) add(std::move(name), *value);
    }
  }

  template <class T>
  void add_map(const std::string& name, const model::Map<T>& map) {
    if constexpr (is_scalar<T>) {
      for (const auto& [key, value] : map) out[fmt::format("{}[{}]", name, key)] = scalar_text(value);
    }
  }
};

}  // namespace detail

// `pointers`: also the scalars that may be null.
template <class T>
[[nodiscard]] Flat flatten(const T& value, Names skip = {}, bool pointers = false) {
  Flat out;
  detail::Flattener visitor{out, skip, pointers};
  T::describe(value, visitor);
  return out;
}

}  // namespace drover::diff
