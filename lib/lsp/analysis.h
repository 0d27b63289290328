// What is wrong with a text, or unwise: the parser's diagnostics, the validation's, the warnings', those of drivers' options. Pure but for
// what `Surroundings` does.
#pragma once

#include <functional>
#include <string>

#include "lib/lint/driver_config.h"
#include "lib/lint/finding.h"

namespace drover::lsp {

// What the server is told of the world when it starts.
struct Surroundings {
  std::string version;
  lint::DriverSchemas schemas;
  // The text of the validation of a job in the API's form; empty when it is good.
  std::function<std::string(const model::Json& job)> verdict;
};

// Variables without a value are no mistake here: they get one when the job is submitted.
[[nodiscard]] lint::Findings analyse(const hcl::SourcePtr& file, const Surroundings& surroundings);

}  // namespace drover::lsp
