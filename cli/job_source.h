// Reading a job file for `job run`, `job validate` and `job plan`: a path or `-`, HCL2 or JSON, variables.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "cli/command.h"
#include "lib/hcl/body.h"
#include "lib/lint/finding.h"
#include "lib/model/job.h"
#include "lib/model/types.h"

namespace drover::cli {

struct JobSourceOptions {
  bool json = false;
  bool hcl2_strict = true;
  bool files_anywhere = false;
  std::vector<std::string> vars;
  std::vector<std::string> var_files;

  void flags(FlagSet& set);
};

struct JobSource {
  // The job in the API's form: null where the file is silent.
  std::shared_ptr<const model::Json> job;
  model::JobSubmission submission;
  // The file as it was read, for messages.
  hcl::SourcePtr file;
  // Where its blocks and attributes stand; of a file in JSON what it would be in the native syntax.
  std::shared_ptr<const hcl::Body> body;
  std::shared_ptr<const hcl::NativeBody> outline;
  [[nodiscard]] const hcl::NativeBody* tree() const { return outline ? outline.get() : body ? body->native() : nullptr; }

  // Names of the variables whose values are not to be shown or stored.
  std::set<std::string> sensitive;

  // A member of the job that is text; empty when it is null.
  [[nodiscard]] std::string text(const char* member) const;
};

// The error is the reference's text, `Error getting job struct: ...`; `findings` gets the same with places.
[[nodiscard]] Result<JobSource> read_job_source(const std::string& path, const JobSourceOptions& options, lint::Findings& findings);

}  // namespace drover::cli
