#include "lib/lint/structure.h"

#include <algorithm>

#include "lib/hcl/body.h"
#include "lib/jobspec/schema.h"

namespace drover::lint {

namespace {

constexpr int max_depth = 100;

void walk(const hcl::Body& body, const jobspec::Schema& schema, hcl::Diagnostics& diagnostics, int depth) {
  static const hcl::BodySchema dynamic{{{"for_each", true}, {"iterator", false}, {"labels", false}}, {{"content", {}}}};
  if (depth > max_depth) return;
  const hcl::Content content = body.content(schema.body, diagnostics);
  for (const hcl::Block& block : content.blocks) {
    const bool makes = block.type == "dynamic" && !block.labels.empty();
    const jobspec::Field* field = schema.find(makes ? block.labels[0] : block.type);
    if (field == nullptr || field->nested == nullptr) continue;
    if (!makes) {
      walk(*block.body, *field->nested, diagnostics, depth + 1);
      continue;
    }
    for (const hcl::Block& inner : block.body->content(dynamic, diagnostics).blocks) walk(*inner.body, *field->nested, diagnostics, depth + 1);
  }
}

}  // namespace

Findings check_structure(const hcl::Body& file, const std::string& name) {
  static const hcl::BodySchema top{{}, {{"variables", {}}, {"variable", {"name"}}, {"locals", {}}, {"job", {"name"}}}};
  hcl::Diagnostics diagnostics;
  const hcl::Content content = file.content(top, diagnostics);
  for (const hcl::Block& block : content.blocks) {
    if (block.type == "job") walk(*block.body, jobspec::job_schema(), diagnostics, 0);
  }
  return from_diagnostics(diagnostics, name);
}

void add_new(Findings& findings, Findings more) {
  const auto same = [](const Finding& a, const Finding& b) {
    return a.summary == b.summary && a.place.has_value() == b.place.has_value() && (!a.place || a.place->start.byte == b.place->start.byte);
  };
  for (Finding& one : more) {
    if (std::none_of(findings.begin(), findings.end(), [&](const Finding& known) { return same(known, one); })) findings.push_back(std::move(one));
  }
}

}  // namespace drover::lint
