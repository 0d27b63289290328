#include "lib/lsp/analysis.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "lib/hcl/body.h"
#include "lib/jobspec/parse.h"
#include "lib/lint/outline.h"
#include "lib/lint/rules.h"
#include "lib/lint/structure.h"
#include "lib/lint/verdict.h"

namespace drover::lsp {

namespace {

// A value of the type that a variable block names, as -var would take it. Texts stay open, so that nothing is said about their contents.
std::string stand_in(const hcl::NativeBlock& variable) {
  const std::string open = fmt::format("${{var.{}}}", variable.labels[0]);
  for (const hcl::NativeAttribute& attribute : variable.body->attributes) {
    if (attribute.name != "type") continue;
    const std::string_view type = attribute.expression->range.text();
    if (type.starts_with("number")) return "1";
    if (type.starts_with("bool")) return "true";
    if (type.starts_with("list") || type.starts_with("set") || type.starts_with("tuple")) return "[]";
    if (type.starts_with("map") || type.starts_with("object")) return "{}";
  }
  return open;
}

// Values for the variables that have none in the file.
std::vector<std::pair<std::string, std::string>> stand_ins(const hcl::NativeBody* body) {
  std::vector<std::pair<std::string, std::string>> out;
  if (body == nullptr) return out;
  for (const hcl::NativeBlock& block : body->blocks) {
    if (block.type != "variable" || block.labels.size() != 1) continue;
    const auto& attributes = block.body->attributes;
    const bool valued = std::any_of(attributes.begin(), attributes.end(), [](const auto& one) { return one.name == "default"; });
    if (!valued) out.emplace_back(block.labels[0], stand_in(block));
  }
  return out;
}

}  // namespace

lint::Findings analyse(const hcl::SourcePtr& file, const Surroundings& surroundings) {
  if (file->text.find_first_not_of(" \t\r\n") == std::string::npos) return {};
  hcl::Diagnostics syntax;
  const auto body = hcl::parse_file(file, syntax);
  if (syntax.has_errors()) return lint::from_diagnostics(syntax, file->name);
  jobspec::ParseInput input;
  input.source = file->text;
  input.file_name = file->name;
  input.flags = stand_ins(body->native());
  // as the commands do, from the file's own folder only.
  if (file->name.starts_with('/')) input.files = {.enabled = true, .folder = file->name.substr(0, file->name.rfind('/') + 1)};
  hcl::Diagnostics diagnostics;
  const auto job = jobspec::parse(input, diagnostics);
  lint::Findings out = lint::from_diagnostics(diagnostics, file->name);
  // What a stand-in is refused for is not the file's mistake.
  if (!input.flags.empty()) {
    std::erase_if(out, [](const lint::Finding& one) { return one.summary == "Invalid value for variable" || one.summary.find("Unsuitable") == 0; });
  }
  if (!job) {
    lint::add_new(out, lint::check_structure(*body, file->name));
    return out;
  }
  const auto outline = lint::outline(*body);
  const hcl::NativeBody* tree = outline ? outline.get() : body->native();
  const auto append = [&](lint::Findings more) { std::move(more.begin(), more.end(), std::back_inserter(out)); };
  if (surroundings.verdict && input.flags.empty()) {
    if (const std::string text = surroundings.verdict(*job); !text.empty()) append(lint::place_verdict(text, file->name, tree));
  }
  append(lint::check_driver_config(*job, file->name, tree, surroundings.schemas));
  append(lint::check_rules(*job, file, tree, {}));
  return out;
}

}  // namespace drover::lsp
