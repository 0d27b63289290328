#include "cli/job_source.h"

#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "lib/jobspec/parse.h"
#include "sdk/base/file.h"
#include "sdk/base/text.h"

extern char** environ;

namespace drover::cli {

void JobSourceOptions::flags(FlagSet& set) {
  set.boolean("json", json, "The file is JSON in the API's form.");
  set.boolean("hcl2-strict", hcl2_strict, "Variables that the file does not declare are errors.");
  set.list("var", vars, "name=value of a variable.");
  set.list("var-file", var_files, "File of variables.");
}

std::string JobSource::text(const char* member) const {
  const auto at = job->find(member);
  return at != job->end() && at->is_string() ? at->get<std::string>() : "";
}

namespace {
Result<std::string> read_source(const std::string& path) {
  if (path == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  auto text = read_file(path);
  if (text) return text;
  std::string reason = text.error().message();
  if (text.error().code() == Code::not_found) {
    const std::string whole = path.starts_with('/') ? path : fmt::format("{}/{}", std::getenv("PWD") != nullptr ? std::getenv("PWD") : ".", path);
    reason = fmt::format("source path error: stat {}: no such file or directory", whole);
  }
  return fail(text.error().code(), "Error getting jobfile from {}: {}", quote(path), reason);
}

// `{"Job": {...}}`, or the job alone.
Result<model::Json> read_json(const std::string& text, const std::string& path) {
  model::Json document = model::Json::parse(text, nullptr, false);
  if (document.is_discarded() || !document.is_object()) return fail(Code::invalid_argument, "Error parsing job file from {}: the file is not a JSON object", path);
  if (const auto job = document.find("Job"); job != document.end()) return model::Json(*job);
  return document;
}

Result<model::Json> read_hcl(const std::string& text, const std::string& path, const JobSourceOptions& options, model::JobSubmission& submission) {
  jobspec::ParseInput input;
  input.source = text;
  input.file_name = path == "-" ? "stdin" : path;
  input.strict = options.hcl2_strict;
  for (const std::string& flag : options.vars) {
    if (flag.find('=') == std::string::npos) return fail(Code::invalid_argument, "Invalid -var option: the given -var option {} must be a variable name and value separated by an equals sign, like -var=\"key=value\"", quote(flag));
    const auto [name, value] = split_once(flag, '=');
    input.flags.emplace_back(name, value);
    submission.variable_flags[std::string(name)] = value;
  }
  for (const std::string& file : options.var_files) {
    auto variables = read_file(file);
    if (!variables) return fail(Code::invalid_argument, "Error reading variable file: {}", variables.error().message());
    submission.variables += *variables;
    input.variable_files.push_back({file, std::move(*variables)});
  }
  for (char** at = environ; *at != nullptr; ++at) {
    const auto [key, value] = split_once(*at, '=');
    if (key.starts_with("NOMAD_VAR_")) input.environment.emplace(key, value);
  }
  hcl::Diagnostics diagnostics;
  auto job = jobspec::parse(input, diagnostics);
  if (job) return job;
  std::string problems = fmt::format("Error parsing job file from {}:\n{}", path, job.error().message());
  for (const hcl::Diagnostic& one : diagnostics.items()) {
    const std::string excerpt = options.excerpts ? hcl::excerpt(one) : "";
    if (!excerpt.empty()) problems += "\n\n" + excerpt.substr(0, excerpt.size() - 1);
  }
  return fail(Error(Code::invalid_argument, std::move(problems)));
}
}  // namespace

Result<JobSource> read_job_source(const std::string& path, const JobSourceOptions& options) {
  auto text = read_source(path);
  if (!text) return fail(text.error(), "Error getting job struct");
  JobSource out;
  out.submission.source = *text;
  out.submission.format = options.json ? "json" : "hcl2";
  auto job = options.json ? read_json(*text, path) : read_hcl(*text, path, options, out.submission);
  if (!job) return fail(job.error(), "Error getting job struct");
  out.job = std::make_shared<const model::Json>(std::move(*job));
  return out;
}

}  // namespace drover::cli
