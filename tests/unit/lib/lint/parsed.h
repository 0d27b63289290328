// A job file as the commands hand it to lib/lint.
#pragma once

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "lib/hcl/body.h"
#include "lib/jobspec/parse.h"
#include "lib/lint/outline.h"
#include "lib/lint/rules.h"

namespace drover::lint {

struct Parsed {
  hcl::SourcePtr file;
  std::shared_ptr<const hcl::Body> body;
  std::shared_ptr<const hcl::NativeBody> outline;
  model::Json job;

  explicit Parsed(const std::string& text) : file(hcl::make_source("job.hcl", text)) {
    hcl::Diagnostics diagnostics;
    body = hcl::parse_file(file, diagnostics);
    outline = lint::outline(*body);
    jobspec::ParseInput input;
    input.source = text;
    input.file_name = "job.hcl";
    auto parsed = jobspec::parse(input);
    REQUIRE_MESSAGE(parsed.has_value(), (parsed ? "" : parsed.error().message()));
    job = std::move(*parsed);
  }
  [[nodiscard]] Findings check(RuleOptions options = {}) const { return check_rules(job, file, tree(), options); }
  [[nodiscard]] const hcl::NativeBody* tree() const { return outline ? outline.get() : body->native(); }
};

// "DL001@5 DL002@6": ids and lines.
inline std::string brief(const Findings& findings) {
  std::string out;
  for (const Finding& one : findings) out += (out.empty() ? "" : " ") + one.id + "@" + (one.place ? std::to_string(one.place->start.line) : "-");
  return out;
}

}  // namespace drover::lint
