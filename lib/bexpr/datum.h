// What a filter expression looks at: a view of one value of any shape. lib/model adapts its described types to it.
//
// A Datum is a small copyable handle: a pointer to the value and a pointer to a table of functions for its type. It borrows; the
// value must outlive it. Scalars are read out, containers are walked.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::bexpr {

// Go's kinds as far as filters tell them apart. `nil` is a nil pointer or interface; an absent map or list is an empty one.
enum class Kind : std::uint8_t { nil, string, integer, unsigned_integer, floating, boolean, list, map, structure };

class Datum {
 public:
  virtual ~Datum() = default;
  [[nodiscard]] virtual Kind kind() const = 0;

  // Scalars; only the one of the kind is called.
  [[nodiscard]] virtual std::string_view text() const { return {}; }
  [[nodiscard]] virtual std::int64_t integer() const { return 0; }
  [[nodiscard]] virtual std::uint64_t unsigned_integer() const { return 0; }
  [[nodiscard]] virtual double floating() const { return 0; }
  [[nodiscard]] virtual bool boolean() const { return false; }

  // Containers: number of elements; a struct has none.
  [[nodiscard]] virtual std::size_t size() const { return 0; }
  // True for a map or list that is nil (`is nil` tells it from an empty one).
  [[nodiscard]] virtual bool is_nil() const { return kind() == Kind::nil; }
  // Field of a struct or entry of a map; null when there is none.
  [[nodiscard]] virtual std::unique_ptr<Datum> field(std::string_view name) const { (void)name; return nullptr; }
  // Element of a list.
  [[nodiscard]] virtual std::unique_ptr<Datum> element(std::size_t index) const { (void)index; return nullptr; }
  // Keys of a map, in a fixed order.
  [[nodiscard]] virtual std::vector<std::string> keys() const { return {}; }
  // Kind of a list's elements or a map's values when the container is empty: decides how `in` coerces.
  [[nodiscard]] virtual Kind element_kind() const { return Kind::string; }
  // True when floats are 32 bits wide in the described type; they compare after rounding.
  [[nodiscard]] virtual int bits() const { return 64; }
};

}  // namespace drover::bexpr
