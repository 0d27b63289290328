// What a command finds in a file, said in the format that is asked for: `-format`, and for job files `-lint`, `-no-lint`, `-lint-ignore`.
//
// As text each finding is said on stderr where it comes up; json and sarif are one document, all of stdout, written by `finish`, and
// whatever else the command says goes to stderr; github's lines are written by `finish` too. Called as `nomad` by a script, a command
// says only what the reference says, unless one of these flags is given.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"
#include "lib/lint/finding.h"
#include "lib/lint/report.h"
#include "lib/lint/rules.h"

namespace drover::cli {

struct JobSource;

class Report {
 public:
  void flags(FlagSet& set);
  void lint_flags(FlagSet& set);
  // Checks the flags; a complaint has been printed when it returns false.
  [[nodiscard]] bool start(Context& context);

  // Whether more is said than the reference says.
  [[nodiscard]] bool rich() const { return rich_; }
  [[nodiscard]] bool as_text() const { return format_ == lint::Format::text; }

  // Errors that `text`, the reference's words for them, does not show in full: the words, then the lines they are about.
  void refuse(Context& context, std::string_view text, lint::Findings findings);
  // Findings that have no such words.
  void say(Context& context, lint::Findings findings);
  // Warnings about a job that parses, when they are wanted.
  void lint(Context& context, const JobSource& source);

  // Config blocks against the cluster's drivers, as warnings: a job may be submitted before its nodes are there.
  void check_drivers(Context& context, const JobSource& source);

  // Writes the document, once. `code` is what the command would return; the answer is 1 when lint warnings count as errors.
  [[nodiscard]] int finish(Context& context, int code);

 private:
  std::string format_name_ = "text", lint_ = "on";
  bool no_lint_ = false;
  std::vector<std::string> ignored_;
  lint::Format format_ = lint::Format::text;
  lint::RuleOptions rules_;
  lint::Findings findings_;
  bool rich_ = false, linted_ = false, written_ = false;
};

}  // namespace drover::cli
