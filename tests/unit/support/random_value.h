// Values of every described type, filled at random over their description: for properties that must hold of any value.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "lib/model/traits.h"
#include "sdk/base/clock.h"

namespace drover::random_value {

// Lists and maps get shorter and pointers rarer with depth, so that recursive types end.
class Filler {
 public:
  explicit Filler(Rng& rng) : rng_(rng) {}

  template <class T, class... Flags>
  void operator()(const char*, T& value, Flags...) {
    if (!rarely()) fill(value);
  }

  template <class T>
  void fill(T& value) {
    using namespace model;
    if constexpr (std::is_same_v<T, bool>) value = rng_.below(2) == 0;
    else if constexpr (std::is_floating_point_v<T>) value = static_cast<T>(static_cast<double>(rng_.below(1 << 20)) / 64 - 4096);
    else if constexpr (std::is_integral_v<T>) value = static_cast<T>(rng_.next() >> rng_.below(60));
    else if constexpr (std::is_same_v<T, std::string>) value = text();
    else if constexpr (std::is_same_v<T, Duration>) value = Duration(static_cast<std::int64_t>(rng_.next() >> 2) - (std::int64_t{1} << 60));
    else if constexpr (std::is_same_v<T, Time>) value = Time(static_cast<std::int64_t>(rng_.below(4'000'000'000)) * 1'000'000'000 + static_cast<std::int64_t>(rng_.below(1'000'000'000)));
    else if constexpr (std::is_same_v<T, Bytes>) value = Bytes(text());
    else if constexpr (std::is_same_v<T, Any>) value = Any(json(0));
    else if constexpr (is_list<T>) {
      for (std::uint64_t i = length(); i > 0; i--) fill_nested(value.emplace_back());
    } else if constexpr (is_map<T>) {
      for (std::uint64_t i = length(); i > 0; i--) fill_nested(value[text()]);
    } else if constexpr (is_optional<T>) fill(value.emplace());
    else if constexpr (is_box<T>) {
      if (depth_ < max_depth) fill_nested(value.ensure());
    } else if constexpr (is_shared<T>) {
      if (depth_ >= max_depth) return;
      auto made = std::make_shared<std::remove_const_t<typename T::element_type>>();
      fill_nested(*made);
      // Nothing and a pointer to nothing are written alike.
      if constexpr (requires { made->is_nil(); made->allocate(); }) {
        if (made->is_nil()) made->allocate();
      }
      value = std::move(made);
    } else T::describe(value, *this);
  }

 private:
  static constexpr int max_depth = 6;

  template <class T>
  void fill_nested(T& value) {
    depth_++;
    fill(value);
    depth_--;
  }
  bool rarely() { return rng_.below(4) == 0; }
  std::uint64_t length() { return depth_ >= max_depth ? 0 : rng_.below(3); }
  // Quotes, escapes, control characters and more than one byte.
  std::string text() {
    static constexpr const char* parts[] = {"a", "Z", "0", " ", "\"", "\\", "\n", "\t", "\x01", "/", "${x}", "é", "世", "😀", "<", "\x7f"};
    std::string out;
    for (std::uint64_t i = rng_.below(6); i > 0; i--) out += parts[rng_.below(std::size(parts))];
    return out;
  }
  model::Json json(int depth) {
    switch (rng_.below(depth > 2 ? 5 : 7)) {
      case 0: return text();
      case 1: return static_cast<std::int64_t>(rng_.below(1 << 30)) - (1 << 29);
      case 2: return rng_.below(2) == 0;
      case 3: return static_cast<double>(rng_.below(1000)) / 8 + 0.125;
      case 4: return text();
      case 5: {
        auto out = model::Json::array();
        for (std::uint64_t i = rng_.below(3); i > 0; i--) out.push_back(json(depth + 1));
        return out;
      }
      default: {
        auto out = model::Json::object();
        for (std::uint64_t i = rng_.below(3); i > 0; i--) out[text()] = json(depth + 1);
        return out;
      }
    }
  }

  Rng& rng_;
  int depth_ = 0;
};

template <class T>
[[nodiscard]] T make(Rng& rng) {
  T out;
  Filler filler(rng);
  filler.fill(out);
  return out;
}

}  // namespace drover::random_value
