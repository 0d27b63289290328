// The text block that shows one deployment.
#pragma once

#include <string>

#include "lib/model/deployment.h"

namespace drover::cli {

// `ID, Status, Description` and the `Deployed` table, every line after `indent`. `full` adds job id and version.
[[nodiscard]] std::string deployment_block(const model::Deployment& deployment, bool verbose, const std::string& indent, bool full = true);

// `ID | Job ID | Job Version | Status | Description`.
[[nodiscard]] std::string deployment_table(const model::List<model::Deployment>& deployments, bool verbose);

}  // namespace drover::cli
