// JSON and SARIF of findings.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "lib/lint/columns.h"
#include "lib/lint/report.h"
#include "lib/lint/rules.h"
#include "lib/model/types.h"

namespace drover::lint {

namespace {

using Json = model::Json;

// Texts of users may hold broken UTF-8, which JSON has no room for.
std::string dump(const Json& document) { return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

const char* level_of(Severity severity) { return severity == Severity::error ? "error" : "warning"; }

// The text of the first line that a range is in.
std::string line_of(const hcl::Range& range) {
  const std::string& text = range.file->text;
  const std::size_t at = std::min<std::size_t>(range.start.byte, text.size());
  const std::size_t before = at == 0 ? std::string::npos : text.rfind('\n', at - 1);
  const std::size_t start = before == std::string::npos ? 0 : before + 1;
  return text.substr(start, std::min(text.find('\n', at), text.size()) - start);
}

struct Region {
  LineColumn start, end;
};
Region region_of(const hcl::Range& range) {
  const std::string_view text = range.file->text;
  Region out{position_of(text, range.start.byte, Unit::code_point), position_of(text, range.end.byte, Unit::code_point)};
  if (out.end == out.start) out.end.column++;  // what is missing is shown where it would stand
  return out;
}

Json json_position(const LineColumn& position, std::size_t byte) { return {{"line", position.line + 1}, {"column", position.column + 1}, {"byte", byte}}; }

const std::vector<Rule>& other_rules() {
  static const std::vector<Rule> rules{
      {parse_rule, "the file is not in the language of job files", ""},
      {read_rule, "the file cannot be read", ""},
      {server_rule, "the servers do not answer, or not as they should", ""},
      {validate_rule, "the servers would refuse the job", ""},
      {driver_rule, "a config block does not fit its driver", ""},
      {format_rule, "the file is not in the canonical layout", ""},
  };
  return rules;
}

}  // namespace

std::string to_json(const Findings& findings) {
  Json list = Json::array();
  std::size_t errors = 0;
  for (const Finding& finding : findings) {
    if (finding.severity == Severity::error) errors++;
    Json one{{"severity", level_of(finding.severity)}, {"id", finding.id}, {"summary", finding.summary}, {"detail", finding.detail}};
    one["file"] = finding.file_name();
    if (finding.place && finding.place->file) {
      const Region region = region_of(*finding.place);
      one["range"] = {{"start", json_position(region.start, finding.place->start.byte)}, {"end", json_position(region.end, finding.place->end.byte)}};
      one["line"] = line_of(*finding.place);
    }
    list.push_back(std::move(one));
  }
  return dump({{"valid", errors == 0}, {"error_count", errors}, {"warning_count", findings.size() - errors}, {"diagnostics", std::move(list)}});
}

std::string to_sarif(const Findings& findings, std::string_view version) {
  Json rules = Json::array();
  std::map<std::string, std::size_t> index;
  const auto add_rules = [&](const std::vector<Rule>& table, const char* level) {
    for (const Rule& rule : table) {
      index[rule.id] = rules.size();
      Json one{{"id", rule.id}, {"shortDescription", {{"text", rule.name}}}};
      if (!rule.advice.empty()) one["help"] = {{"text", rule.advice}};
      one["defaultConfiguration"] = {{"level", level}};
      rules.push_back(std::move(one));
    }
  };
  add_rules(other_rules(), "error");
  add_rules(all_rules(), "warning");

  Json results = Json::array();
  for (const Finding& finding : findings) {
    Json result{{"ruleId", finding.id}};
    if (const auto known = index.find(finding.id); known != index.end()) result["ruleIndex"] = known->second;
    result["level"] = level_of(finding.severity);
    result["message"] = {{"text", finding.message()}};
    if (!finding.file_name().empty()) {
      Json place{{"artifactLocation", {{"uri", file_uri(finding.file_name())}}}};
      if (finding.place && finding.place->file) {
        const Region region = region_of(*finding.place);
        place["region"] = {{"startLine", region.start.line + 1}, {"startColumn", region.start.column + 1}, {"endLine", region.end.line + 1},
                           {"endColumn", region.end.column + 1}, {"snippet", {{"text", line_of(*finding.place)}}}};
      }
      result["locations"] = Json::array({Json{{"physicalLocation", std::move(place)}}});
    }
    results.push_back(std::move(result));
  }
  const Json driver{{"name", "drover"}, {"version", version}, {"rules", std::move(rules)}};
  const Json run{{"tool", {{"driver", driver}}}, {"columnKind", "unicodeCodePoints"}, {"results", std::move(results)}};
  return dump({{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"}, {"version", "2.1.0"}, {"runs", Json::array({run})}});
}

}  // namespace drover::lint
