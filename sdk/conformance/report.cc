#include "sdk/conformance/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "sdk/base/text.h"

namespace drover::conformance {
namespace {

std::string_view word(Verdict verdict) {
  switch (verdict) {
    case Verdict::passed: return "pass";
    case Verdict::failed: return "FAIL";
    case Verdict::warned: return "warn";
    case Verdict::skipped: return "skip";
  }
  return "";
}

std::string indent(std::string_view text, const std::string& by) { return replace_all(trim(text), "\n", "\n" + by); }

// What a plugin says may hold anything; XML 1.0 may not.
std::string xml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? '?' : c;
    }
  }
  return out;
}

std::string explain(const Finding& finding, const Item& item) {
  return fmt::format("expected: {}\nseen: {}\nread: {}", finding.expected, finding.seen, item.read);
}

}  // namespace

ItemResult Check::result(int number, double seconds) && {
  ItemResult out{.number = number, .findings = std::move(findings_), .notes = std::move(notes_), .skipped = std::move(skipped_), .seconds = seconds};
  const auto has = [&](Level level) {
    return std::any_of(out.findings.begin(), out.findings.end(), [&](const Finding& finding) { return finding.level == level; });
  };
  out.verdict = has(Level::required) ? Verdict::failed : has(Level::should) ? Verdict::warned : out.skipped.empty() ? Verdict::passed : Verdict::skipped;
  return out;
}

Summary summarise(const std::vector<ItemResult>& results) {
  Summary out;
  for (const ItemResult& result : results) {
    switch (result.verdict) {
      case Verdict::passed: ++out.passed; break;
      case Verdict::failed: ++out.failed; break;
      case Verdict::warned: ++out.warned; break;
      case Verdict::skipped: ++out.skipped; break;
    }
  }
  return out;
}

std::string to_text(const ItemResult& result, bool verbose, Told& told) {
  const Item& item = *find_item(result.number);
  std::string out = fmt::format("{} {:>3} {} {}", word(result.verdict), item.number, letter(item.level), item.title);
  if (!result.skipped.empty()) out += fmt::format(" ({})", result.skipped);
  out += "\n";
  std::set<int> referred;
  for (const Finding& finding : result.findings) {
    const auto [first, is_new] = told.emplace(std::pair(finding.expected, finding.seen), result.number);
    if (!is_new) {
      if (first->second != result.number && referred.insert(first->second).second) out += fmt::format("          as item   {}\n", first->second);
      continue;
    }
    out += fmt::format("          expected  {}\n          seen      {}\n          read      {} ({})\n", indent(finding.expected, "                    "),
                       indent(finding.seen, "                    "), item.read, word(finding.level));
  }
  if (verbose || result.verdict == Verdict::failed) {
    for (const std::string& note : result.notes) out += fmt::format("          note      {}\n", indent(note, "                    "));
  }
  return out;
}

std::string to_text(const Summary& summary, const std::string& subject) {
  const auto count = [](int number, const char* what) { return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s"); };
  const std::string verdict = summary.failed > 0 ? "does NOT conform" : summary.passed + summary.warned == 0 ? "nothing was checked" : "conforms";
  return fmt::format("{}: {}: {} passed, {}, {}, {} skipped", subject, verdict, summary.passed, count(summary.failed, "failure"),
                     count(summary.warned, "warning"), summary.skipped);
}

std::string to_json(const std::vector<ItemResult>& results, const std::string& subject) {
  using Json = nlohmann::ordered_json;
  Json items = Json::array();
  for (const ItemResult& result : results) {
    const Item& item = *find_item(result.number);
    Json findings = Json::array();
    for (const Finding& finding : result.findings) {
      findings.push_back({{"level", std::string(1, letter(finding.level))}, {"expected", finding.expected}, {"seen", finding.seen}});
    }
    items.push_back({{"item", item.number},
                     {"level", std::string(1, letter(item.level))},
                     {"group", item.group},
                     {"title", item.title},
                     {"verdict", to_lower(word(result.verdict))},
                     {"findings", std::move(findings)},
                     {"notes", result.notes},
                     {"skipped", result.skipped},
                     {"read", item.read},
                     {"seconds", result.seconds}});
  }
  const Summary summary = summarise(results);
  const Json out = {{"plugin", subject},         {"conforms", summary.exit_code() == 0}, {"passed", summary.passed}, {"failed", summary.failed},
                    {"warnings", summary.warned}, {"skipped", summary.skipped},          {"items", std::move(items)}};
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string to_junit(const std::vector<ItemResult>& results, const std::string& subject) {
  const Summary summary = summarise(results);
  double seconds = 0;
  for (const ItemResult& result : results) seconds += result.seconds;
  std::string out = fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" skipped=\"{}\" time=\"{:.3f}\">\n",
                                xml(subject), results.size(), summary.failed, summary.skipped, seconds);
  for (const ItemResult& result : results) {
    const Item& item = *find_item(result.number);
    out += fmt::format("  <testcase classname=\"{}\" name=\"{} {}\" time=\"{:.3f}\">\n", xml(item.group), item.number, xml(item.title), result.seconds);
    std::string texts;
    for (const Finding& finding : result.findings) texts += explain(finding, item) + "\n";
    if (result.verdict == Verdict::failed) out += fmt::format("    <failure message=\"item {}\">{}</failure>\n", item.number, xml(texts));
    if (result.verdict == Verdict::skipped) out += fmt::format("    <skipped message=\"{}\"/>\n", xml(result.skipped));
    if (result.verdict == Verdict::warned) out += fmt::format("    <system-out>{}</system-out>\n", xml(texts));
    out += "  </testcase>\n";
  }
  return out + "</testsuite>\n";
}

std::string items_table() {
  std::string out = "| Item | Level | For | What is checked | Read |\n|---|---|---|---|---|\n";
  for (const Item& item : all_items()) {
    out += fmt::format("| {} | {} | {} | {} | {} |\n", item.number, letter(item.level), conformance::word(item.subject), item.title, item.read);
  }
  return out;
}

}  // namespace drover::conformance
