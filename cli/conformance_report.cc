#include "cli/conformance_report.h"

#include <unistd.h>

#include "sdk/base/file.h"
#include "sdk/base/text.h"
#include "sdk/conformance/report.h"

namespace drover::cli {
namespace {
// "36-50,75"
Result<std::set<int>> read_numbers(const std::vector<std::string>& words) {
  std::set<int> out;
  for (const std::string& word : words) {
    for (const std::string& part : split(word, ',')) {
      const auto [first, last] = split_once(part, '-');
      const auto from = parse_unsigned(first), to = parse_unsigned(last.empty() ? first : last);
      if (!from || !to || *from > *to) return fail(Code::invalid_argument, "{} is no number of an item and no range like 36-50", quote(part));
      for (const conformance::Item& item : conformance::all_items()) {
        if (static_cast<std::uint64_t>(item.number) >= *from && static_cast<std::uint64_t>(item.number) <= *to) out.insert(item.number);
      }
      if (conformance::find_item(static_cast<int>(*from)) == nullptr) return fail(Code::invalid_argument, "there is no item {}", part);
    }
  }
  return out;
}
}  // namespace

void ConformanceReport::flags(FlagSet& set) {
  set.list("only", only_, "Check these items only: 36-50,75. May be repeated.");
  set.list("skip", skip_, "Leave these items out. May be repeated.");
  set.boolean("json", json_, "Print the report as JSON.");
  set.text("junit", junit_, "Also write the report to this file as JUnit's XML.");
  set.boolean("verbose", verbose_, "Show remarks of items that passed.");
}

Result<std::set<int>> ConformanceReport::only() const {
  auto out = read_numbers(only_);
  if (!out) return fail(out.error(), "-only");
  return out;
}

Result<std::set<int>> ConformanceReport::skip() const {
  auto out = read_numbers(skip_);
  if (!out) return fail(out.error(), "-skip");
  return out;
}

void ConformanceReport::progress(Ui& ui, const conformance::Item& item, const conformance::ItemResult* done) {
  if (json_) return;
  if (::isatty(STDERR_FILENO) == 1) ui.error_raw(done == nullptr ? fmt::format("\r\033[K     {:>3} {}", item.number, item.title) : "\r\033[K");
  if (done != nullptr) ui.out_raw(conformance::to_text(*done, verbose_, told_));
}

int ConformanceReport::finish(Context& context, const std::vector<conformance::ItemResult>& results, const std::string& subject) const {
  const auto summary = conformance::summarise(results);
  if (json_) context.ui.out_raw(conformance::to_json(results, subject));
  else context.ui.out(conformance::to_text(summary, subject));
  if (!junit_.empty()) {
    if (const auto written = write_file(junit_, conformance::to_junit(results, subject)); !written) return context.failed(written.error().message());
  }
  return summary.exit_code();
}

}  // namespace drover::cli
