// What `plugin conformance` and `agent conformance` share: which items, and how the report is written.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "cli/command.h"
#include "sdk/conformance/report.h"

namespace drover::cli {

class ConformanceReport {
 public:
  void flags(FlagSet& set);
  [[nodiscard]] Result<std::set<int>> only() const;
  [[nodiscard]] Result<std::set<int>> skip() const;
  // Before an item (`done` is null) and after it.
  void progress(Ui& ui, const conformance::Item& item, const conformance::ItemResult* done);
  // Prints the end of the report, writes the files, and returns the exit code.
  [[nodiscard]] int finish(Context& context, const std::vector<conformance::ItemResult>& results, const std::string& subject) const;

 private:
  std::vector<std::string> only_, skip_;
  std::string junit_;
  bool json_ = false, verbose_ = false;
  conformance::Told told_;
};

}  // namespace drover::cli
