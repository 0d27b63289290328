#include "lib/jobspec/parse.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/hcl/body.h"
#include "lib/jobspec/decode.h"
#include "lib/jobspec/variables.h"
#include "sdk/base/text.h"

namespace drover::jobspec {

namespace {

// The job's secrets and vault go to its tasks, its tasks become groups of their own.
void hand_down(Json& job) {
  Json groups = Json::array();
  if (job[".task"].is_array()) {
    for (Json& task : job[".task"]) {
      Json group = Json::object();
      for (const Field& field : group_schema().fields) {
        if (!field.json.empty()) group[std::string(field.json)] = unset_value(field);
      }
      group["Name"] = task["Name"];
      group["Tasks"] = Json::array({std::move(task)});
      groups.push_back(std::move(group));
    }
  }
  if (job["TaskGroups"].is_array()) {
    for (Json& group : job["TaskGroups"]) groups.push_back(std::move(group));
  }
  for (Json& group : groups) {
    if (group["Tasks"].is_array()) {
      for (Json& task : group["Tasks"]) {
        if (task["Vault"].is_null()) task["Vault"] = group[".vault"].is_null() ? job[".vault"] : group[".vault"];
        for (const Json* secrets : {&group[".secret"], &job[".secret"]}) {
          if (secrets->is_null()) continue;
          if (task["Secrets"].is_null()) task["Secrets"] = Json::array();
          for (const Json& secret : *secrets) task["Secrets"].push_back(secret);
        }
      }
    }
    group.erase(".vault");
    group.erase(".secret");
  }
  job["TaskGroups"] = groups.empty() ? Json(nullptr) : std::move(groups);
  for (const char* name : {".task", ".vault", ".secret"}) job.erase(name);
}

bool is_default(const Json& identity) { return identity["Name"] == "" || identity["Name"] == "default"; }

// The identity named default stands apart from the others.
void move_default_identity(Json& task) {
  if (!task["Identities"].is_array()) return;
  Json others = Json::array();
  for (Json& identity : task["Identities"]) {
    if (is_default(identity)) task["Identity"] = std::move(identity);
    else others.push_back(std::move(identity));
  }
  task["Identities"] = std::move(others);
}

void normalize(Json& job) {
  hand_down(job);
  if (job["Name"].is_null()) job["Name"] = job["ID"];
  if (Json& periodic = job["Periodic"]; !periodic.is_null() && !(periodic["Spec"].is_null() && periodic["Specs"].is_null())) periodic["SpecType"] = "cron";
  if (!job["TaskGroups"].is_array()) return;
  for (Json& group : job["TaskGroups"]) {
    if (!group["Tasks"].is_array()) continue;
    for (Json& task : group["Tasks"]) move_default_identity(task);
  }
}

const hcl::Block* only_job(const hcl::Content& top, hcl::Diagnostics& diagnostics) {
  const hcl::Block* found = nullptr;
  for (const hcl::Block& block : top.blocks) {
    if (block.type != "job") continue;
    if (found != nullptr) {
      diagnostics.add("Duplicate job block", fmt::format("Only one block of type \"job\" is allowed. Previous definition was at {}.", found->definition_range.str()), block.definition_range);
      return nullptr;
    }
    found = &block;
  }
  if (found == nullptr && !diagnostics.has_errors()) diagnostics.add("Missing job block", "A job block is required");
  return found;
}

Unexpected refuse(const hcl::Diagnostics& diagnostics) {
  std::string text;
  for (const hcl::Diagnostic& item : diagnostics.items()) {
    if (!text.empty()) text += '\n';
    text += item.summary.empty() ? item.detail : hcl::to_line(item);
  }
  return fail(Error(Code::invalid_argument, std::move(text)));
}

}  // namespace

Result<model::Json> parse(const ParseInput& input) {
  hcl::Diagnostics diagnostics;
  return parse(input, diagnostics);
}

Result<model::Json> parse(const ParseInput& input, hcl::Diagnostics& diagnostics) {
  static const hcl::BodySchema schema{{}, {{"variables", {}}, {"variable", {"name"}}, {"locals", {}}, {"job", {"name"}}}};
  if (input.source.empty()) return fail(Code::invalid_argument, "Job spec is empty");
  const auto body = hcl::parse_file(hcl::make_source(input.file_name, input.source), diagnostics);
  if (diagnostics.has_errors()) return fail(Error(Code::invalid_argument, diagnostics.first_line()));
  const hcl::Content top = body->content(schema, diagnostics);
  const hcl::Block* job = only_job(top, diagnostics);
  if (diagnostics.has_errors() || job == nullptr) return refuse(diagnostics);

  const hcl::FunctionTable functions = hcl::standard_functions(input.files);
  hcl::Budget budget;
  hcl::EvalContext context;
  context.functions = &functions;
  context.budget = &budget;
  context.undefined = hcl::keep_source_text;
  Variables variables;
  variables.declare(top, context, diagnostics);
  const bool declared = !diagnostics.has_errors();
  variables.collect(input, diagnostics);
  context.variables["var"] = variables.object();
  if (!declared || !diagnostics.has_errors()) variables.check(context, diagnostics);
  if (diagnostics.has_errors()) return refuse(diagnostics);
  context.variables["local"] = evaluate_locals(top, context, diagnostics);
  if (diagnostics.has_errors()) return refuse(diagnostics);

  Json decoded = decode_block(*job->body, job_schema(), job->labels, context, diagnostics);
  if (diagnostics.has_errors()) return refuse(diagnostics);
  normalize(decoded);
  return decoded;
}

std::set<std::string> sensitive_variables(const hcl::Body& file) {
  static const hcl::BodySchema top{{}, {{"variable", {"name"}}}};
  static const hcl::BodySchema inside{{{"sensitive"}}, {}};
  std::set<std::string> out;
  hcl::Diagnostics known;
  hcl::Budget budget;
  hcl::EvalContext context;
  context.budget = &budget;
  for (const hcl::Block& block : file.content(top, known, true).blocks) {
    const hcl::Content content = block.body->content(inside, known, true);
    const hcl::Attribute* flag = content.attribute("sensitive");
    if (flag == nullptr || block.labels.empty()) continue;
    // Rather one too many: only what is plainly false is not.
    const hcl::Value value = hcl::evaluate(*flag->expression, context, known);
    if (!value.is_known() || value.is_null() || value.kind() != hcl::Kind::boolean || value.as_bool()) out.insert(block.labels[0]);
  }
  return out;
}

std::string without_variables(const VariableFile& file, const std::set<std::string>& names) {
  hcl::Diagnostics known;
  const auto body = hcl::parse_file(hcl::make_source(file.name, file.text), known);
  // What cannot be read holds no value either.
  if (known.has_errors()) return file.text;
  std::string out = file.text;
  std::vector<hcl::Attribute> found = body->attributes(known);
  // Of JSON nothing can be cut out.
  if (body->native() == nullptr) return std::ranges::any_of(found, [&](const hcl::Attribute& one) { return names.contains(one.name); }) ? "" : file.text;
  std::ranges::sort(found, std::greater(), [](const hcl::Attribute& one) { return one.range.start.byte; });
  for (const hcl::Attribute& one : found) {
    if (names.contains(one.name)) out.erase(one.range.start.byte, one.range.end.byte - one.range.start.byte);
  }
  return out;
}

}  // namespace drover::jobspec
