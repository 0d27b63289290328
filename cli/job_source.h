// Reading a job file for `job run`, `job validate` and `job plan`: a path or `-`, HCL2 or JSON, variables.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/command.h"
#include "lib/model/job.h"
#include "lib/model/types.h"

namespace drover::cli {

struct JobSourceOptions {
  bool json = false;
  bool hcl2_strict = true;
  std::vector<std::string> vars;
  std::vector<std::string> var_files;
  // Whether errors show the source line with a caret below the text the reference prints.
  bool excerpts = false;

  void flags(FlagSet& set);
};

struct JobSource {
  // The job in the API's form: null where the file is silent.
  std::shared_ptr<const model::Json> job;
  model::JobSubmission submission;

  // A member of the job that is text; empty when it is null.
  [[nodiscard]] std::string text(const char* member) const;
};

// Errors carry the reference's head: `Error getting job struct: ...`.
[[nodiscard]] Result<JobSource> read_job_source(const std::string& path, const JobSourceOptions& options);

}  // namespace drover::cli
