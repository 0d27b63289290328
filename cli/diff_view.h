// The difference of two jobs as text: `job plan`, `job history -p` (cli contract 3.9).
#pragma once

#include <string>

#include "lib/model/diff.h"

namespace drover::cli {

struct DiffStyle {
  bool verbose = false;  // added and deleted tasks in full
  bool color = false;
};

// Ends without a newline.
[[nodiscard]] std::string format_job_diff(const model::JobDiff& diff, const DiffStyle& style);

}  // namespace drover::cli
