#include "cli/job_source.h"

#include <filesystem>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "lib/hcl/body.h"
#include "lib/jobspec/parse.h"
#include "lib/lint/outline.h"
#include "lib/lint/structure.h"
#include "sdk/base/file.h"
#include "sdk/base/text.h"

extern char** environ;

namespace drover::cli {

void JobSourceOptions::flags(FlagSet& set) {
  set.boolean("json", json, "The file is JSON in the API's form.");
  set.boolean("hcl2-strict", hcl2_strict, "Variables that the file does not declare are errors.");
  set.boolean("files-anywhere", files_anywhere, "Functions such as file() may read outside of the job file's folder.");
  set.list("var", vars, "name=value of a variable.");
  set.list("var-file", var_files, "File of variables.");
}

std::string JobSource::text(const char* member) const {
  const auto at = job->find(member);
  return at != job->end() && at->is_string() ? at->get<std::string>() : "";
}

namespace {
// As the shell names it, when that is still true.
std::string working_directory() {
  std::error_code error;
  const char* named = std::getenv("PWD");
  if (named != nullptr && *named == '/' && std::filesystem::equivalent(named, ".", error)) return named;
  return std::filesystem::current_path(error).string();
}

Result<std::string> read_source(const std::string& path) {
  if (path == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  auto text = read_file(path);
  if (text) return text;
  std::string reason = text.error().message();
  if (text.error().code() == Code::not_found) {
    const std::string whole = path.starts_with('/') ? path : fmt::format("{}/{}", working_directory(), path);
    reason = fmt::format("source path error: stat {}: no such file or directory", whole);
  }
  return fail(text.error().code(), "Error getting jobfile from {}: {}", quote(path), reason);
}

// `{"Job": {...}}`, or the job alone.
Result<model::Json> read_json(const hcl::SourcePtr& source, const std::string& path, lint::Findings& findings) {
  model::Json document;
  try {
    document = model::Json::parse(source->text);
  } catch (const model::Json::parse_error& error) {
    // What is wrong follows the place: "... parse error at line 3, column 4: syntax error while ...".
    const std::string_view what = error.what();
    const std::size_t reason = what.find(": ");
    lint::Finding finding{lint::Severity::error, lint::parse_rule, "Invalid JSON", std::string(reason == std::string_view::npos ? what : what.substr(reason + 2))};
    hcl::Pos start;
    hcl::advance(start, std::string_view(source->text).substr(0, error.byte == 0 ? 0 : error.byte - 1));
    finding.place = hcl::Range{source, start, start};
    findings.push_back(std::move(finding));
  }
  if (!document.is_object()) return fail(Code::invalid_argument, "Error parsing job file from {}: the file is not a JSON object", path);
  if (const auto job = document.find("Job"); job != document.end()) return model::Json(*job);
  return document;
}

// Standard input counts as a file of the working directory.
std::string folder_of(const std::string& path) {
  const std::string folder = path == "-" ? "" : std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

Result<model::Json> read_hcl(const hcl::SourcePtr& source, const std::string& path, const JobSourceOptions& options, const std::set<std::string>& sensitive,
                             model::JobSubmission& submission, lint::Findings& findings) {
  jobspec::ParseInput input;
  input.source = source->text;
  input.file_name = source->name;
  input.strict = options.hcl2_strict;
  // a job file reads what lies beside it, and more only when its user says so.
  input.files = {.enabled = true, .folder = folder_of(path), .anywhere = options.files_anywhere};
  for (const std::string& flag : options.vars) {
    if (flag.find('=') == std::string::npos) return fail(Code::invalid_argument, "Invalid -var option: the given -var option {} must be a variable name and value separated by an equals sign, like -var=\"key=value\"", quote(flag));
    const auto [name, value] = split_once(flag, '=');
    input.flags.emplace_back(name, value);
    if (!sensitive.contains(std::string(name))) submission.variable_flags[std::string(name)] = value;
  }
  for (const std::string& file : options.var_files) {
    auto variables = read_file(file);
    if (!variables) return fail(Code::invalid_argument, "Error reading variable file: {}", variables.error().message());
    input.variable_files.push_back({file, std::move(*variables)});
    submission.variables += sensitive.empty() ? input.variable_files.back().text : jobspec::without_variables(input.variable_files.back(), sensitive);
  }
  for (char** at = environ; *at != nullptr; ++at) {
    const auto [key, value] = split_once(*at, '=');
    if (key.starts_with("NOMAD_VAR_")) input.environment.emplace(key, value);
  }
  hcl::Diagnostics diagnostics;
  auto job = jobspec::parse(input, diagnostics);
  if (job) return job;
  findings = lint::from_diagnostics(diagnostics, source->name);
  hcl::Diagnostics syntax;
  const auto body = hcl::parse_file(source, syntax);
  if (!syntax.has_errors()) lint::add_new(findings, lint::check_structure(*body, source->name));
  return fail(Code::invalid_argument, "Error parsing job file from {}:\n{}", path, job.error().message());
}
}  // namespace

Result<JobSource> read_job_source(const std::string& path, const JobSourceOptions& options, lint::Findings& findings) {
  const auto refused = [&](const Error& error) {
    if (findings.empty()) {
      findings.push_back({lint::Severity::error, lint::read_rule, error.message()});
      findings.back().file = path;
    }
    return fail(error, "Error getting job struct");
  };
  auto text = read_source(path);
  if (!text) return refused(text.error());
  JobSource out;
  out.submission.source = *text;
  out.submission.format = options.json ? "json" : "hcl2";
  out.file = hcl::make_source(path == "-" ? "stdin" : path, std::move(*text));
  if (options.json) {
    out.outline = lint::outline_of_api(out.file);
  } else {
    hcl::Diagnostics known;
    out.body = hcl::parse_file(out.file, known);
    out.outline = lint::outline(*out.body);
    out.sensitive = jobspec::sensitive_variables(*out.body);
  }
  auto job = options.json ? read_json(out.file, path, findings) : read_hcl(out.file, path, options, out.sensitive, out.submission, findings);
  if (!job) return refused(job.error());
  out.job = std::make_shared<const model::Json>(std::move(*job));
  return out;
}

}  // namespace drover::cli
