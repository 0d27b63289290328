#include "cli/report.h"

#include <nlohmann/json.hpp>

#include "cli/driver_check.h"
#include "cli/job_source.h"
#include "cli/version.h"
#include "lib/hcl/diagnostic.h"
#include "sdk/base/text.h"

namespace drover::cli {

void Report::flags(FlagSet& set) { set.text("format", format_name_, "How findings are written: text, json, sarif or github."); }

void Report::lint_flags(FlagSet& set) {
  flags(set);
  set.text("lint", lint_, "Warnings about what is allowed and unwise: on, off, or error, which makes them count for the exit code.");
  set.boolean("no-lint", no_lint_, "The same as -lint=off.");
  set.list("lint-ignore", ignored_, "Id of a warning to leave out, as in DL003.");
}

bool Report::start(Context& context) {
  const auto refuse_value = [&](const char* flag, const std::string& given, const char* accepted, const std::vector<std::string>& names) {
    context.usage_error(fmt::format("invalid value {} for flag -{}: it takes {}.{}", quote(given), flag, accepted, hcl::name_suggestion(given, names)));
    return false;
  };
  const auto format = lint::parse_format(format_name_);
  if (!format) return refuse_value("format", format_name_, lint::format_names, {"text", "json", "sarif", "github"});
  format_ = *format;
  if (lint_ != "on" && lint_ != "off" && lint_ != "error") return refuse_value("lint", lint_, "on, off or error", {"on", "off", "error"});
  for (const std::string& list : ignored_) {
    for (const std::string& id : split(list, ',')) {
      if (lint::find_rule(id) == nullptr) {
        std::vector<std::string> ids;
        for (const lint::Rule& rule : lint::all_rules()) ids.push_back(rule.id);
        return refuse_value("lint-ignore", id, fmt::format("ids of warnings: {}", join(ids, ", ")).c_str(), ids);
      }
      rules_.off.insert(id);
    }
  }
  if (no_lint_) lint_ = "off";
  rich_ = context.ui.shows_excerpts() || format_ != lint::Format::text || lint_ == "error" || !ignored_.empty();
  if (format_ == lint::Format::json || format_ == lint::Format::sarif) context.ui.divert();
  return true;
}

void Report::refuse(Context& context, std::string_view text, lint::Findings findings) {
  if (as_text()) {
    std::string out(text);
    if (rich_) {
      for (const lint::Finding& one : findings) {
        // The reference's words show the first few mistakes; the others are told in full.
        const bool told = text.find(one.detail.empty() ? one.summary : one.summary + "; " + one.detail) != std::string_view::npos;
        std::string more = told ? lint::excerpt(one, context.ui.error_color()) : lint::render(one, context.ui.error_color());
        if (!more.empty()) out += "\n\n" + more.substr(0, more.size() - 1);
      }
    }
    context.ui.error(out);
  }
  findings_.insert(findings_.end(), findings.begin(), findings.end());
}

void Report::say(Context& context, lint::Findings findings) {
  if (as_text()) {
    for (const lint::Finding& one : findings) context.ui.error(lint::render(one, context.ui.error_color()));
  }
  findings_.insert(findings_.end(), findings.begin(), findings.end());
}

void Report::lint(Context& context, const JobSource& source) {
  if (!rich_ || lint_ == "off") return;
  lint::Findings found = lint::check_rules(*source.job, source.file, source.tree(), rules_);
  linted_ = linted_ || !found.empty();
  say(context, std::move(found));
}

void Report::check_drivers(Context& context, const JobSource& source) {
  if (!rich_) return;
  DriverCheck found = cli::check_drivers(context, source, true, "");
  for (lint::Finding& one : found.findings) one.severity = lint::Severity::warning;
  say(context, std::move(found.findings));
}

int Report::finish(Context& context, int code) {
  if (!written_) {
    if (format_ == lint::Format::json) context.ui.document(lint::to_json(findings_));
    if (format_ == lint::Format::sarif) context.ui.document(lint::to_sarif(findings_, drover_version));
    if (format_ == lint::Format::github) context.ui.document(lint::to_github(findings_));
    written_ = true;
  }
  return code == 0 && linted_ && lint_ == "error" ? 1 : code;
}

}  // namespace drover::cli
