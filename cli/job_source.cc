#include "cli/job_source.h"

#include "lib/model/api_job.h"
#include "lib/model/codec.h"
#include "sdk/base/file.h"

namespace drover::cli {

void JobSourceOptions::flags(FlagSet& set) {
  set.boolean("json", json, "The file is JSON.");
  set.boolean("hcl2-strict", hcl2_strict, "Variables that the file does not declare are errors.");
  set.list("var", vars, "name=value of a variable.");
  set.list("var-file", var_files, "File of variables.");
}

Result<JobSource> read_job_source(const std::string& path, const JobSourceOptions&) {
  auto text = read_file(path);
  if (!text) return fail(text.error());
  JobSource out;
  model::JobRegisterRequest request;
  DROVER_TRY(model::from_json(*text, request));
  if (request.job) out.job = *request.job;
  return out;
}

}  // namespace drover::cli
