#include "lib/lsp/catalogue.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/hcl/functions.h"
#include "lib/jobspec/reference.h"
#include "lib/jobspec/schema.h"
#include "lib/lint/values.h"
#include "sdk/plugin/check.h"

namespace drover::lsp {

namespace {

using jobspec::Schema;
using jobspec::Shape;

// Where a walk from the file's top into the blocks has come to.
struct Scope {
  enum class Kind { file, schema, dynamic, config, variable, validation, anything };
  Kind kind = Kind::file;
  const Schema* schema = nullptr;
  std::string block;         // its type; of a dynamic block what it makes
  plugin::Spec spec;         // of a config block
  std::string driver;
};

Scope anything() { return {.kind = Scope::Kind::anything}; }

Scope enter_schema(const Scope& scope, const std::string& type, const Frame& around, const lint::DriverSchemas& schemas) {
  const jobspec::Field* field = scope.schema->find(type);
  if (field == nullptr) return anything();
  if (field->nested != nullptr) return {.kind = Scope::Kind::schema, .schema = field->nested, .block = type};
  if (type != "config" || scope.schema != &jobspec::task_schema()) return anything();
  const auto driver = around.texts.find("driver");
  const auto known = driver == around.texts.end() ? schemas.end() : schemas.find(driver->second);
  if (known == schemas.end()) return anything();
  return {.kind = Scope::Kind::config, .spec = known->second, .driver = known->first};
}

Scope enter(const Scope& scope, const Frame& frame, const Frame& around, const lint::DriverSchemas& schemas) {
  switch (scope.kind) {
    case Scope::Kind::file:
      if (frame.type == "job") return {.kind = Scope::Kind::schema, .schema = &jobspec::job_schema(), .block = "job"};
      return frame.type == "variable" ? Scope{.kind = Scope::Kind::variable} : anything();
    case Scope::Kind::schema:
      if (frame.type == "dynamic" && !frame.labels.empty()) return {.kind = Scope::Kind::dynamic, .schema = scope.schema, .block = frame.labels[0]};
      return enter_schema(scope, frame.type, around, schemas);
    case Scope::Kind::dynamic: return frame.type == "content" ? enter_schema(scope, scope.block, around, schemas) : anything();
    case Scope::Kind::config:
      for (const plugin::ConfigOption& option : plugin::config_options(scope.spec)) {
        if (option.name == frame.type && option.block && option.nested) return {.kind = Scope::Kind::config, .spec = option.nested, .driver = scope.driver};
      }
      return anything();
    case Scope::Kind::variable: return frame.type == "validation" ? Scope{.kind = Scope::Kind::validation} : anything();
    case Scope::Kind::validation: case Scope::Kind::anything: return anything();
  }
  return anything();
}

std::vector<Entry> schema_entries(const Scope& scope) {
  std::vector<Entry> out;
  for (jobspec::ReferenceRow& row : jobspec::reference_rows(*scope.schema)) {
    Entry entry{std::move(row.name), std::move(row.takes), std::move(row.api)};
    entry.values = lint::accepted_values(scope.block, entry.name);
    if (const jobspec::Field* field = scope.schema->find(entry.name); field != nullptr) {
      entry.block = jobspec::may_be_block(*field);
      entry.labelled = field->nested != nullptr && !field->nested->label_json.empty();
      entry.repeatable = field->shape == Shape::many || field->shape == Shape::keyed;
    }
    out.push_back(std::move(entry));
  }
  return out;
}

std::vector<Entry> config_entries(const Scope& scope) {
  std::vector<Entry> out;
  for (plugin::ConfigOption& option : plugin::config_options(scope.spec)) {
    Entry entry{std::move(option.name), option.type + (option.required ? ", required" : "")};
    entry.note = fmt::format("An option of the driver `{}`, as its plugin declares it.", scope.driver);
    entry.block = option.block;
    entry.repeatable = option.block;
    entry.labelled = option.type == "block with a label";
    out.push_back(std::move(entry));
  }
  return out;
}

std::vector<Entry> fixed(std::initializer_list<std::pair<const char*, const char*>> rows) {
  std::vector<Entry> out;
  for (const auto& [name, takes] : rows) out.push_back({name, takes});
  return out;
}

std::vector<Entry> blocks(std::initializer_list<std::pair<const char*, const char*>> rows, std::string_view labelled) {
  std::vector<Entry> out = fixed(rows);
  for (Entry& entry : out) {
    entry.block = entry.repeatable = true;
    entry.labelled = labelled.find(entry.name) != std::string_view::npos;
  }
  return out;
}

// What the client fills in when the task starts.
constexpr std::pair<const char*, const char*> runtime_names[] = {
    {"NOMAD_ALLOC_DIR", "directory that the tasks of the group share"},
    {"NOMAD_ALLOC_ID", "id of the allocation"},
    {"NOMAD_ALLOC_INDEX", "number of the allocation in its group, from 0"},
    {"NOMAD_ALLOC_NAME", "name of the allocation"},
    {"NOMAD_CPU_CORES", "cores that are reserved for the task"},
    {"NOMAD_CPU_LIMIT", "MHz that the task asked for"},
    {"NOMAD_DC", "datacenter of the node"},
    {"NOMAD_GROUP_NAME", "name of the group"},
    {"NOMAD_JOB_ID", "id of the job"},
    {"NOMAD_JOB_NAME", "name of the job"},
    {"NOMAD_MEMORY_LIMIT", "MB of memory that the task asked for"},
    {"NOMAD_NAMESPACE", "namespace of the job"},
    {"NOMAD_REGION", "region of the node"},
    {"NOMAD_SECRETS_DIR", "the task's private directory in memory"},
    {"NOMAD_TASK_DIR", "the task's own directory"},
    {"NOMAD_TASK_NAME", "name of the task"},
    {"attr.arch", "an attribute of the node; others by their names"},
    {"attr.kernel.name", "an attribute of the node; others by their names"},
    {"attr.os.name", "an attribute of the node; others by their names"},
    {"meta", "metadata of the node, as in meta.rack"},
    {"node.class", "class of the node"},
    {"node.datacenter", "datacenter of the node"},
    {"node.pool", "pool of the node"},
    {"node.region", "region of the node"},
    {"node.unique.id", "id of the node"},
    {"node.unique.name", "name of the node"},
};

}  // namespace

std::vector<Entry> entries_at(const std::vector<std::shared_ptr<const Frame>>& frames, const lint::DriverSchemas& schemas) {
  static const Frame file;
  Scope scope;
  const Frame* around = &file;
  for (const auto& frame : frames) {
    // An object value is a map, and a driver's option only when a block may be written as one.
    if (frame->object && scope.kind != Scope::Kind::config) return {};
    scope = enter(scope, *frame, *around, schemas);
    // A driver is named in the task around a dynamic block's content.
    if (scope.kind != Scope::Kind::dynamic) around = frame.get();
  }
  switch (scope.kind) {
    case Scope::Kind::file:
      return blocks({{"job", "block with a label, once"}, {"variable", "block with a label, any number"}, {"locals", "block of names and values"}, {"variables", "block of names and values"}},
                    "job variable");
    case Scope::Kind::schema: return schema_entries(scope);
    case Scope::Kind::dynamic: {
      auto out = fixed({{"for_each", "list, map or set, required"}, {"iterator", "name"}, {"labels", "list of texts"}, {"content", "block, at most one"}});
      out.back().block = true;
      return out;
    }
    case Scope::Kind::config: return config_entries(scope);
    case Scope::Kind::variable: {
      auto out = fixed({{"type", "type, such as string or list(number)"}, {"default", "value"}, {"description", "text"}, {"sensitive", "true or false"}, {"validation", "block, any number"}});
      out.back().block = out.back().repeatable = true;
      return out;
    }
    case Scope::Kind::validation: return fixed({{"condition", "expression, required"}, {"error_message", "text, required"}});
    case Scope::Kind::anything: break;
  }
  return {};
}

std::vector<Name> names_at(const Outline& outline) {
  std::vector<Name> out;
  for (const auto& [name, frame] : outline.variables) {
    const auto note = frame->texts.find("description");
    out.push_back({"var." + name, "variable of this file", note == frame->texts.end() ? "" : note->second});
  }
  for (const std::string& name : outline.locals) out.push_back({"local." + name, "local value of this file", ""});
  for (const auto& [name, function] : hcl::standard_functions({})) {
    std::string arguments;
    for (const hcl::Parameter& parameter : function.parameters) arguments += (arguments.empty() ? "" : ", ") + parameter.name;
    if (function.rest) arguments += (arguments.empty() ? "" : ", ") + function.rest->name + "...";
    out.push_back({name, fmt::format("{}({})", name, arguments), "", true});
  }
  for (const auto& [name, note] : runtime_names) out.push_back({name, "known when the task starts", note, false, true});
  return out;
}

}  // namespace drover::lsp
