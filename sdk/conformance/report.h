// Results as text for people, as JSON and as JUnit's XML. Pure.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "sdk/conformance/check.h"

namespace drover::conformance {

struct Summary {
  int passed = 0, failed = 0, warned = 0, skipped = 0;
  // What the process that ran the suite exits with: 0 only if nothing required failed and something ran.
  [[nodiscard]] int exit_code() const { return failed == 0 && passed + warned > 0 ? 0 : 1; }
};

[[nodiscard]] Summary summarise(const std::vector<ItemResult>& results);
// What was expected and seen, and the item that told it first: a plugin that does not start fails many in the same words.
using Told = std::map<std::pair<std::string, std::string>, int>;
// One line for the item, and below it what was expected, what was seen and where to read, or which item told the same; notes when
// `verbose`.
[[nodiscard]] std::string to_text(const ItemResult& result, bool verbose, Told& told);
// The last line: "raw_exec 0.1.0: conforms: 98 passed, 2 warnings, 14 skipped".
[[nodiscard]] std::string to_text(const Summary& summary, const std::string& subject);
[[nodiscard]] std::string to_json(const std::vector<ItemResult>& results, const std::string& subject);
[[nodiscard]] std::string to_junit(const std::vector<ItemResult>& results, const std::string& subject);
// The table of docs/plugin-conformance.md.
[[nodiscard]] std::string items_table();

}  // namespace drover::conformance
