#include "lib/jobspec/reference.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "lib/jobspec/reference_defaults.h"
#include "lib/jobspec/reference_language.h"
#include "lib/jobspec/schema.h"

namespace drover::jobspec {

namespace {

struct Block {
  std::string name;
  const Schema* schema;
  std::vector<std::string> parents;
};

bool is_block(const Field& field) { return field.nested != nullptr; }

std::string kind_of(const Field& field) {
  switch (field.shape) {
    case Shape::text: return "text";
    case Shape::boolean: return "true or false";
    case Shape::duration: return "duration, as `\"10s\"`";
    case Shape::integer: case Shape::int8: case Shape::uint8: case Shape::uint16: case Shape::uint32: case Shape::uint64: return "number";
    case Shape::text_list: return "list of texts";
    case Shape::uint16_list: return "list of numbers";
    case Shape::text_list_map: return "map of lists";
    case Shape::free_map: return "anything, by name";
    case Shape::text_map:
      return field.form == Form::attribute ? "map of texts" : field.form == Form::block ? "block of names and texts" : "map of texts, or block of them";
    case Shape::one: return "block, at most one";
    case Shape::many: return "block, any number";
    case Shape::keyed: return "block with a label, any number";
  }
  return "";
}

// Blocks in the order in which a reader meets them; a block that stands in several places once.
void collect(const Schema& schema, const std::string& name, std::vector<Block>& out) {
  for (const Field& field : schema.fields) {
    if (!is_block(field) || field.hcl.empty()) continue;
    const auto known = std::ranges::find_if(out, [&](const Block& block) { return block.schema == field.nested && block.name == field.hcl; });
    if (known != out.end()) {
      if (std::ranges::find(known->parents, name) == known->parents.end()) known->parents.push_back(name);
      continue;
    }
    out.push_back({std::string(field.hcl), field.nested, {name}});
    collect(*field.nested, std::string(field.hcl), out);
  }
}

ReferenceRow row(const Schema& schema, std::string_view name, std::string kind, std::string_view json) {
  const bool in_api = !json.empty() && json[0] != '.';
  const Defaults& defaults = defaults_of(schema);
  const auto standard = defaults.find(json);
  return {std::string(name), std::move(kind), in_api ? std::string(json) : std::string(), standard == defaults.end() ? "" : standard->second};
}

std::string code(const std::string& text) { return text.empty() ? "–" : fmt::format("`{}`", text); }

std::string section(const Block& block) {
  std::string out = fmt::format("\n## {}\n\n", block.name);
  if (!block.parents.empty()) {
    out += "In ";
    for (std::size_t i = 0; i < block.parents.size(); i++) out += fmt::format("{}`{}`", i == 0 ? "" : ", ", block.parents[i]);
    out += ".";
  }
  if (!block.schema->label_json.empty()) out += fmt::format("{}Its label is the API's `{}`.", block.parents.empty() ? "" : " ", block.schema->label_json);
  out += "\n\n| Name | What it takes | Default | In the API |\n|---|---|---|---|\n";
  for (const ReferenceRow& one : reference_rows(*block.schema)) out += fmt::format("| `{}` | {} | {} | {} |\n", one.name, one.takes, code(one.standard), code(one.api));
  return out;
}

}  // namespace

std::vector<ReferenceRow> reference_rows(const Schema& schema) {
  std::vector<ReferenceRow> out;
  if (schema.special == Special::constraint || schema.special == Special::affinity) {
    for (const std::string& name : shorthand_names(schema.special)) {
      const bool flag = name == "distinct_hosts" || name.starts_with("is_");
      const char* json = name == "attribute" ? "LTarget" : name == "value" ? "RTarget" : name == "operator" ? "Operand" : name == "weight" ? "Weight" : "";
      out.push_back(row(schema, name, name == "weight" ? "number" : flag ? "true or false" : "text", json));
    }
    return out;
  }
  for (const Field& field : schema.fields) {
    if (!field.hcl.empty()) out.push_back(row(schema, field.hcl, kind_of(field) + (field.required ? ", required" : ""), field.json));
  }
  return out;
}

std::string reference_page() {
  std::vector<Block> blocks{{"job", &job_schema(), {}}};
  collect(job_schema(), "job", blocks);
  std::string out =
      "# Job files: every block and attribute\n\n"
      "Made from the tables that the parser uses; a test compares. `ACCEPT=1 build/tests/unit/lib/jobspec/jobspec-test` writes it again.\n"
      "Blocks come in the order in which they are met from `job` on; \"In the API\" names the field of the job's JSON,\n"
      "\"Default\" is what a service job has where the file is silent.\n";
  for (const Block& block : blocks) out += section(block);
  return out + language_sections();
}

}  // namespace drover::jobspec
