// Reading a job file for `job run`, `job validate` and `job plan`: a path or `-`, HCL2 or JSON, variables.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "lib/model/job.h"

namespace drover::cli {

struct JobSourceOptions {
  bool json = false;
  bool hcl2_strict = true;
  std::vector<std::string> vars;
  std::vector<std::string> var_files;

  void flags(FlagSet& set);
};

struct JobSource {
  model::Job job;
  model::JobSubmission submission;
};

// Errors carry the reference's head: `Error getting job struct: ...`.
[[nodiscard]] Result<JobSource> read_job_source(const std::string& path, const JobSourceOptions& options);

}  // namespace drover::cli
