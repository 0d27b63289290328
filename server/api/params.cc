#include "server/api/params.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "lib/model/json_complaint.h"
#include "sdk/base/text.h"

namespace drover::api {
namespace {

constexpr std::chrono::nanoseconds longest_wait = std::chrono::seconds(300);

template <class T>
std::optional<T> parse_number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<bool> parse_bool(std::string_view text) {
  for (const std::string_view word : {"1", "t", "T", "TRUE", "true", "True"}) {
    if (text == word) return true;
  }
  for (const std::string_view word : {"0", "f", "F", "FALSE", "false", "False"}) {
    if (text == word) return false;
  }
  return std::nullopt;
}

Result<> check_region(const Context& context, std::string_view region) {
  if (region.empty() || region == context.options.region) return {};
  return fail(Error(Code::internal, "No path to region").with_http_status(500));
}

}  // namespace

std::optional<std::uint64_t> parse_unsigned(std::string_view text) { return parse_number<std::uint64_t>(text); }

std::string request_token(const http::Request& request) {
  if (const auto token = trim(request.headers.get("X-Nomad-Token")); !token.empty()) return std::string(token);
  const auto header = trim(request.headers.get("Authorization"));
  const auto [scheme, rest] = split_once(header, ' ');
  if (!http::iequals(scheme, "Bearer")) return {};
  return std::string(split_once(trim(rest), ' ').first);
}

Result<> read_query(const Context& context, const http::Request& request, model::QueryOptions& out) {
  const http::Query& query = request.query;
  out.auth_token = request_token(request);
  if (const auto stale = query.find("stale")) {
    if (!stale->empty() && *stale != "true" && *stale != "false") {
      return fail(Code::invalid_argument, "Expect `true` or `false` for `stale` query string parameter");
    }
    out.allow_stale = *stale != "false";
  }
  out.prefix = query.get("prefix");
  out.namespace_ = query.get("namespace");
  if (out.namespace_.empty()) out.namespace_ = "default";
  if (const auto text = query.get("per_page"); !text.empty()) {
    const auto value = parse_number<std::int32_t>(text);
    if (!value) return fail(Code::invalid_argument, "Expect a number for `per_page` query string parameter");
    out.per_page = *value;
  }
  out.next_token = query.get("next_token");
  out.filter = query.get("filter");
  out.reverse = query.get("reverse") == "true";
  if (const auto text = query.get("wait"); !text.empty()) {
    const auto wait = parse_duration(text);
    if (!wait) return fail(Code::invalid_argument, "Invalid wait time");
    out.max_query_time = *wait;
  }
  if (const auto text = query.get("index"); !text.empty()) {
    const auto index = parse_unsigned(text);
    if (!index) return fail(Code::invalid_argument, "Invalid index");
    out.min_query_index = *index;
  }
  // Said here, so that a call to another agent knows how long it may take.
  if (out.max_query_time.count() <= 0 || out.max_query_time > longest_wait) out.max_query_time = longest_wait;
  if (out.min_query_index == 0) out.max_query_time = {};
  out.region = context.options.region;
  return check_region(context, query.get("region"));
}

Result<> read_list_query(const Context& context, const http::Request& request, model::ListRequest& out) {
  DROVER_TRY(read_query(context, request, out));
  out.all_namespaces = out.namespace_ == "*";
  return {};
}

Result<> read_write(const Context& context, const http::Request& request, model::WriteRequest& out) {
  out.auth_token = request_token(request);
  if (const auto name = request.query.get("namespace"); !name.empty()) out.namespace_ = name;
  const auto region = request.query.get("region");
  DROVER_TRY(check_region(context, region.empty() ? std::string_view(out.region) : region));
  out.region = context.options.region;
  return {};
}

Result<std::optional<bool>> read_bool(const http::Query& query, std::string_view name) {
  const auto text = query.get(name);
  if (text.empty()) return std::optional<bool>{};
  const auto value = parse_bool(text);
  if (!value) {
    return fail(Code::internal, "Failed to parse value of {} ({}) as a bool: strconv.ParseBool: parsing {}: invalid syntax", quote(name), text,
                quote(text));
  }
  return value;
}

bool read_flag(const http::Query& query, std::string_view name) { return parse_bool(query.get(name)).value_or(false); }

Result<> read_node_fields(const http::Request& request, model::ListRequest& out) {
  const auto read = [&](std::string_view name, bool& field) -> Result<> {
    const auto wanted = read_bool(request.query, name);
    if (!wanted) return fail(Code::invalid_argument, "Failed to parse node list fields: {}", wanted.error().message());
    field = wanted->value_or(false);
    return {};
  };
  DROVER_TRY(read("resources", out.include_resources));
  return read("os", out.include_os);
}

Result<std::optional<std::int64_t>> read_int(const http::Query& query, std::string_view name) {
  const auto text = query.get(name);
  if (text.empty()) return std::optional<std::int64_t>{};
  const auto value = parse_number<std::int64_t>(text);
  if (!value) {
    return fail(Code::internal, "Failed to parse value of {} ({}) as an int: strconv.Atoi: parsing {}: invalid syntax", quote(name), text,
                quote(text));
  }
  return value;
}

std::optional<Error> wrong_outer_type(std::string_view text, std::string_view go_type) {
  const auto start = text.find_first_not_of(" \t\r\n");
  if (start == std::string_view::npos) return Error(Code::invalid_argument, "EOF");
  const char first = text[start];
  std::string_view kind;
  if (first == '[') kind = "array";
  else if (first == '"') kind = "string";
  else if (first == 't' || first == 'f') kind = "bool";
  else if (first == '-' || (first >= '0' && first <= '9')) kind = "number";
  if (kind.empty() || !nlohmann::json::accept(text)) return std::nullopt;
  return Error(Code::invalid_argument, fmt::format("json: cannot unmarshal {} into Go value of type {}", kind, go_type));
}

Result<> read_body(const http::Request& request, const model::Type& type, void* out, std::string_view go_type, model::Json* document) {
  if (request.body.empty()) return fail(Code::invalid_argument, "Request body is empty");
  if (auto wrong = wrong_outer_type(request.body, go_type)) return fail(std::move(*wrong));
  model::Json json;
  if (std::string complaint = model::parse_json(request.body, json); !complaint.empty()) return fail(Code::invalid_argument, "{}", complaint);
  if (auto read = model::from_json_value(json, type, out); !read) {
    return fail(type_error(Error(Code::invalid_argument, read.error().message()), go_type));
  }
  if (document != nullptr) *document = std::move(json);
  return {};
}

}  // namespace drover::api
