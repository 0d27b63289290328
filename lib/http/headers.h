// Header fields in the order they were added, compared without regard to case. A value; one text block holds them all, so a
// request's fields cost two allocations. Views returned by it live until the next change.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace drover::http {

class Headers {
 public:
  Headers() = default;
  Headers(std::initializer_list<std::pair<std::string_view, std::string_view>> fields);

  void add(std::string_view name, std::string_view value);
  // Replaces every field of that name.
  void set(std::string_view name, std::string_view value);
  void remove(std::string_view name);
  // The first field of that name; empty when there is none.
  [[nodiscard]] std::string_view get(std::string_view name) const;
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const { return find(name).has_value(); }
  // True when a field of that name holds `token` in its comma-separated list (`Connection: keep-alive, Upgrade`).
  [[nodiscard]] bool has_token(std::string_view name, std::string_view token) const;

  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] std::pair<std::string_view, std::string_view> at(std::size_t index) const;
  void clear();

 private:
  struct Entry {
    std::uint32_t name, name_size, value, value_size;
  };
  std::string text_;
  std::vector<Entry> entries_;
};

// ASCII comparison without regard to case.
[[nodiscard]] bool iequals(std::string_view a, std::string_view b);

}  // namespace drover::http
