// A job file to the API's form of a job, with variables and locals.
//
// The result is API JSON as `POST /v1/jobs/parse` answers it: every field present, null where the file is silent. canonical.h fills
// in defaults and turns it into a model::Job. Pure but for the file functions, which `files` must allow.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "lib/hcl/diagnostic.h"
#include "lib/hcl/functions.h"
#include "lib/model/types.h"
#include "sdk/base/error.h"

namespace drover::hcl { class Body; }

namespace drover::jobspec {

struct VariableFile {
  std::string name;
  std::string text;
};

struct ParseInput {
  std::string source;
  std::string file_name = "input.hcl";
  std::vector<VariableFile> variable_files;                   // later ones win
  std::string variables;                                      // one more such text, as the API's request carries it
  std::vector<std::pair<std::string, std::string>> flags;     // -var name=value
  std::map<std::string, std::string> environment;             // NOMAD_VAR_<name> are read
  hcl::FileAccess files;                                      // what file() and its kin may read
  bool strict = true;                                         // undeclared names in files and flags are errors
};

// The error's message is what the reference prints: one line per problem, "<file>:<line>,<col>-<col>: <summary>; <detail>".
[[nodiscard]] Result<model::Json> parse(const ParseInput& input);
// The same; `diagnostics` keeps the problems with their places.
[[nodiscard]] Result<model::Json> parse(const ParseInput& input, hcl::Diagnostics& diagnostics);

// Variables that the file declares as sensitive: what they are set to is kept out of messages and of what is stored beside the job.
[[nodiscard]] std::set<std::string> sensitive_variables(const hcl::Body& file);
// A file of variables without those of these names, each cut out where it stood; one in JSON that has any is left out.
[[nodiscard]] std::string without_variables(const VariableFile& file, const std::set<std::string>& names);

}  // namespace drover::jobspec
