// What one text may cost. Values are generous for people and small for attackers; nothing here is configurable.
#pragma once

#include <cstddef>

namespace drover::hcl {

inline constexpr std::size_t max_source_bytes = 16u << 20;
inline constexpr std::size_t max_tokens = 1'000'000;
inline constexpr int max_expression_depth = 200;
inline constexpr int max_block_depth = 64;
inline constexpr int max_template_depth = 32;
inline constexpr std::size_t max_identifier_bytes = 1024;
inline constexpr std::size_t max_number_bytes = 400;
inline constexpr std::size_t max_string_bytes = 16u << 20;  // of all strings one evaluation makes
inline constexpr std::size_t max_values = 1'000'000;        // of all steps one evaluation takes
inline constexpr std::size_t max_distinct_types = 1000;     // that a common type is sought for
inline constexpr int max_value_depth = 128;                 // of decoded JSON and YAML

// Shared by one evaluation and all that it calls. Once it is spent, every further step fails.
struct Budget {
  std::size_t steps = max_values;
  std::size_t bytes = max_string_bytes;

  [[nodiscard]] bool take_step(std::size_t count = 1) {
    if (steps < count) { steps = 0; return false; }
    steps -= count;
    return true;
  }
  [[nodiscard]] bool take_bytes(std::size_t count) {
    if (bytes < count) { bytes = 0; return false; }
    bytes -= count;
    return true;
  }
};

}  // namespace drover::hcl
