#include "sdk/conformance/recipe.h"

#include <nlohmann/json.hpp>

#include "sdk/plugin/config.h"

namespace drover::conformance {
namespace {
using nlohmann::json;

// A block of a job file is a list of one object.
const json& unwrap(const json& value) { return value.is_array() && value.size() == 1 ? value.front() : value; }
}  // namespace

Result<Recipe> Recipe::parse(const json& file) {
  const json& root = unwrap(file);
  if (!root.is_object()) return fail(Code::invalid_argument, "the task configuration is no block with a config or case block in it");
  Recipe out;
  out.given_ = true;
  for (const auto& [key, value] : root.items()) {
    if (key == "config") {
      out.config_ = std::make_shared<const json>(unwrap(value));
      out.names_shell_ = value.dump().find("${shell}") != std::string::npos;
    } else if (key == "case") {
      for (const json& one : value.is_array() ? value : json::array({value})) {
        if (!one.is_object()) return fail(Code::invalid_argument, "a case needs a name: case \"exit_0\" {{ ... }}");
        for (const auto& [name, config] : one.items()) out.cases_[name] = std::make_shared<const json>(unwrap(config));
      }
    } else if (key == "user" && value.is_string()) {
      out.user_ = value.get<std::string>();
    } else if (key == "in_process" && value.is_boolean()) {
      out.in_process_ = value.get<bool>();
    } else {
      return fail(Code::invalid_argument, "\"{}\" is not known in a task configuration; it has config, case, user (text) and in_process (true or false)", key);
    }
  }
  if (out.config_ == nullptr && out.cases_.empty()) return fail(Code::invalid_argument, "the task configuration has neither a config block nor a case block");
  return out;
}

bool Recipe::can(const Wanted& wanted) const { return cases_.contains(wanted.name) || (config_ != nullptr && !wanted.script.empty()); }

Result<std::string> Recipe::encode(const Wanted& wanted, const plugin::Spec& schema, const std::string& shell) const {
  if (!can(wanted)) {
    return fail(Code::not_found, "the task configuration has no case \"{}\"{}", wanted.name, config_ == nullptr ? " and no config that runs scripts" : "");
  }
  const auto found = cases_.find(wanted.name);
  const json& config = found != cases_.end() ? *found->second : *config_;
  auto encoded = plugin::encode_config(schema, config, {{"script", wanted.script}, {"shell", shell}});
  if (!encoded) return fail(encoded.error(), "the task configuration");
  return encoded;
}

}  // namespace drover::conformance
