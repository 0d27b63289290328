#include <fmt/format.h>

#include "lib/hcl/convert.h"
#include "lib/hcl/function_table.h"
#include "lib/hcl/json_value.h"
#include "lib/hcl/unicode.h"
#include "sdk/base/encoding.h"
#include "sdk/base/text.h"

namespace drover::hcl {

namespace {

FunctionResult decode_base64(const Arguments& arguments) {
  const std::string& text = arguments[0].as_string();
  const auto bytes = base64_decode(text);
  if (!bytes) return function_error(fmt::format("failed to decode base64 data '{}'", text));
  if (!is_valid_utf8(*bytes)) return function_error("the result of decoding the the provided string is not valid UTF-8");
  return Value::string(*bytes);
}

std::string query_escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) || c == '-' || c == '_' || c == '.' || c == '~') out += c;
    else if (c == ' ') out += '+';
    else out += fmt::format("%{:02X}", byte);
  }
  return out;
}

// One record of CSV as Go's encoding/csv reads it; `line` counts the lines taken.
class CsvReader {
 public:
  explicit CsvReader(std::string_view text) : text_(text) {}
  [[nodiscard]] bool done() const { return at_ >= text_.size(); }
  [[nodiscard]] int line() const { return record_line_; }
  [[nodiscard]] const std::string& problem() const { return problem_; }

  bool record(std::vector<std::string>& fields) {
    fields.clear();
    while (!done() && (text_[at_] == '\n' || text_.substr(at_).starts_with("\r\n"))) {
      at_ += text_[at_] == '\n' ? 1 : 2;
      line_++;
    }
    record_line_ = line_;
    if (done()) return false;
    while (true) {
      std::string field;
      if (!done() && text_[at_] == '"') {
        if (!quoted(field)) return false;
      } else {
        while (!done() && text_[at_] != ',' && text_[at_] != '\n' && !text_.substr(at_).starts_with("\r\n")) {
          if (text_[at_] == '"') return fail("bare \" in non-quoted-field");
          field += text_[at_++];
        }
      }
      fields.push_back(std::move(field));
      if (done()) return true;
      if (text_[at_] == ',') {
        at_++;
        continue;
      }
      at_ += text_[at_] == '\n' ? 1 : 2;
      line_++;
      return true;
    }
  }

 private:
  bool fail(const char* why) {
    problem_ = why;
    return false;
  }
  bool quoted(std::string& field) {
    at_++;
    while (!done()) {
      const char c = text_[at_++];
      if (c != '"') {
        if (c == '\n') line_++;
        field += c;
        continue;
      }
      if (!done() && text_[at_] == '"') {
        field += text_[at_++];
        continue;
      }
      if (done() || text_[at_] == ',' || text_[at_] == '\n' || text_.substr(at_).starts_with("\r\n")) return true;
      return fail("extraneous or missing \" in quoted-field");
    }
    return fail("extraneous or missing \" in quoted-field");
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int line_ = 1;
  int record_line_ = 1;
  std::string problem_;
};

FunctionResult decode_csv(const Arguments& arguments) {
  CsvReader reader(arguments[0].as_string());
  std::vector<std::string> header;
  const auto problem = [&](std::string_view why) { return function_error(fmt::format("CSV parse error on line {}: {}", reader.line(), why)); };
  if (!reader.record(header)) return reader.problem().empty() ? function_error("missing header line") : problem(reader.problem());
  std::map<std::string, Type, std::less<>> types;
  for (const std::string& name : header) {
    if (!types.emplace(name, Type::string()).second) return function_error(fmt::format("duplicate column name {}", quote(name)));
  }
  Value::List rows;
  std::vector<std::string> fields;
  while (reader.record(fields)) {
    if (fields.size() != header.size()) return problem("wrong number of fields");
    Value::Map row;
    for (std::size_t i = 0; i < fields.size(); i++) row[header[i]] = Value::string(fields[i]);
    rows.push_back(Value::object(std::move(row)));
  }
  if (!reader.problem().empty()) return problem(reader.problem());
  return Value::list(Type::object(std::move(types)), std::move(rows));
}

}  // namespace

void add_encoding_functions(FunctionTable& table) {
  table["base64decode"] = function({text("str")}, decode_base64);
  table["base64encode"] = function({text("str")}, [](const Arguments& a) { return Value::string(base64_encode(a[0].as_string())); });
  table["urlencode"] = function({text("str")}, [](const Arguments& a) { return Value::string(query_escape(a[0].as_string())); });
  table["csvdecode"] = function({text("str")}, decode_csv);
  table["jsonencode"] = function({nullable(any("val"))}, [](const Arguments& a) -> FunctionResult {
    auto json = json_text(a[0]);
    if (!json) return tl::unexpected(json.error());
    return Value::string(std::move(*json));
  });
  Function decode;
  decode.parameters = {text("str")};
  decode.call = [](const Arguments& a, Budget& budget) { return value_from_json(a[0].as_string(), budget); };
  table["jsondecode"] = decode;
}

}  // namespace drover::hcl
