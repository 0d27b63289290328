// How tasks of the driver under test are described: what the author's task configuration file says. A value; pure.
//
// The file is one block of any content. `config` runs a shell script: its strings may use `${script}`, and `${shell}` for the
// program that runs it. Drivers that run no programs give `case "<name>"` blocks instead, for as many as they can:
//
//   config { command = "${shell}"  args = ["-c", "${script}"] }
//   case "exit_0" { seconds = 0 }      # ends by itself with exit code 0
//   user       = "nobody"              # a user that tasks may run as
//   in_process = true                  # tasks end with the plugin: they cannot be recovered
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "sdk/base/error.h"
#include "sdk/plugin/schema.h"

namespace drover::conformance {

// What a task has to do: the author's case of this name, or the script.
struct Wanted {
  std::string name;    // "exit_7"
  std::string script;  // for /bin/sh; empty when only a case can do it
};

class Recipe {
 public:
  Recipe() = default;
  [[nodiscard]] static Result<Recipe> parse(const nlohmann::json& file);
  // False when the author gave no file.
  [[nodiscard]] explicit operator bool() const { return given_; }
  [[nodiscard]] bool runs_scripts() const { return config_ != nullptr; }
  [[nodiscard]] bool can(const Wanted& wanted) const;
  // Whether a task that cannot start can be made: by the case "missing", or by another program as `${shell}`.
  [[nodiscard]] bool can_miss() const { return names_shell_ || cases_.contains("missing"); }
  // The driver's configuration for a task, encoded by its schema. not_found when the recipe has no way to do it.
  [[nodiscard]] Result<std::string> encode(const Wanted& wanted, const plugin::Spec& schema, const std::string& shell) const;
  [[nodiscard]] const std::string& user() const { return user_; }
  [[nodiscard]] bool in_process() const { return in_process_; }

 private:
  bool given_ = false, in_process_ = false, names_shell_ = false;
  std::string user_;
  std::shared_ptr<const nlohmann::json> config_;
  std::map<std::string, std::shared_ptr<const nlohmann::json>, std::less<>> cases_;
};

}  // namespace drover::conformance
