// A config block against a schema before anything runs: every mistake, each with its path, so that it can be shown where it stands.
//
// Strings with `${...}` have no value yet and fit everywhere; what they become is checked when the task starts (config.h). Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "sdk/base/error.h"
#include "sdk/plugin/schema.h"

namespace drover::plugin {

// A property, and which of its blocks when it has several.
struct ConfigStep {
  std::string name;
  std::size_t index = 0;
  friend bool operator==(const ConfigStep&, const ConfigStep&) = default;
};

struct ConfigProblem {
  std::vector<ConfigStep> path;  // empty: the block as a whole
  std::string summary;           // "unknown argument", "missing argument" ...
  std::string detail;            // what is wrong and what would be accepted
};

// `config` is the block in the API's form, as evaluate_config() takes it. The error says that the schema itself is unusable.
[[nodiscard]] Result<std::vector<ConfigProblem>> check_config(const Spec& schema, const nlohmann::json& config);

// What may stand in a body, for completion: a property, how its value is written, whether it must be there.
struct ConfigOption {
  std::string name;
  std::string type;  // "list of string"; of blocks "block"
  bool block = false, required = false;
  Spec nested;  // of blocks; may be empty
};
[[nodiscard]] std::vector<ConfigOption> config_options(const Spec& schema);

}  // namespace drover::plugin
