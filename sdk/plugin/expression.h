// HCL expressions as far as driver configuration has them (protocol 4.1, 4.3): schema literals, and the templates in strings.
// Pure. The job file's own language is richer and lives elsewhere; this is what is evaluated right before a task starts.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "sdk/base/error.h"

namespace drover::plugin {

// A native expression: `["a", upper("b")]`.
[[nodiscard]] Result<nlohmann::json> evaluate_expression(std::string_view text, const nlohmann::json& variables);
// A string with `${...}` and `%{...}`; one that is exactly one interpolation keeps the value's own type.
[[nodiscard]] Result<nlohmann::json> evaluate_template(std::string_view text, const nlohmann::json& variables);
// The functions available: abs coalesce concat hasindex int jsondecode jsonencode length lower max min reverse strlen substr upper.
[[nodiscard]] Result<nlohmann::json> call_function(std::string_view name, const nlohmann::json& arguments);

// The nearest of `names` for "Did you mean", empty when none is near.
template <class Names>
[[nodiscard]] std::string nearest_name(std::string_view wanted, const Names& names);
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

template <class Names>
std::string nearest_name(std::string_view wanted, const Names& names) {
  std::string best;
  std::size_t best_distance = 3;
  for (const auto& name : names) {
    const std::size_t distance = edit_distance(wanted, name);
    if (distance < best_distance) {
      best_distance = distance;
      best = name;
    }
  }
  return best;
}

}  // namespace drover::plugin
