// What evaluation and checking of a config block share: its properties, and the names a schema knows. Internal to sdk/plugin; pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sdk/plugin/schema.h"

namespace drover::plugin {

// The properties of one body: one object, or several concatenated. Borrows the values.
struct Body {
  std::vector<std::pair<std::string, const nlohmann::json*>> properties;
  // The last of the name, else null.
  [[nodiscard]] const nlohmann::json* find(const std::string& name) const;
};

// The bodies that a property's value stands for: an object, an array of them, or null.
[[nodiscard]] Result<std::vector<Body>> bodies(const std::string& name, const nlohmann::json* value);

// Which names a body may have. Nested blocks have their own; a default's fallback adds none.
[[nodiscard]] std::set<std::string> known_names(const Spec& spec);
[[nodiscard]] std::string unknown_name(const std::string& name, const std::set<std::string>& known);

[[nodiscard]] inline const std::string& name_or(const std::string& given, const std::string& implied) { return given.empty() ? implied : given; }

}  // namespace drover::plugin
