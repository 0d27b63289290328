#include "agent/api/parameters.h"

#include <charconv>

#include "sdk/base/text.h"

namespace drover::agent {
namespace {

Result<std::int64_t> to_int(std::string_view name, std::string_view text) {
  std::int64_t out = 0;
  std::string_view digits = text;
  if (digits.size() > 1 && digits.front() == '+') digits.remove_prefix(1);
  const char* end = digits.data() + digits.size();
  const auto [at, problem] = std::from_chars(digits.data(), end, out);
  if (problem == std::errc::result_out_of_range)
    return fail(status_error(400, fmt::format("error parsing {}: strconv.ParseInt: parsing {}: value out of range", name, quote(text))));
  if (problem != std::errc{} || at != end || digits.empty())
    return fail(status_error(400, fmt::format("error parsing {}: strconv.ParseInt: parsing {}: invalid syntax", name, quote(text))));
  return out;
}

}  // namespace

Error status_error(int status, std::string text) {
  const Code code = status == 404 ? Code::not_found : status == 400 ? Code::invalid_argument : Code::internal;
  return Error(code, std::move(text)).with_http_status(status);
}

Error unknown_allocation(std::string_view id) { return status_error(404, fmt::format("Unknown allocation \"{}\"", id)); }

Result<> check_alloc_id(std::string_view id) {
  if (id.empty()) return fail(status_error(400, "must provide a valid alloc id"));
  if (id.size() != 36) return fail(status_error(500, "alloc lookup failed: index error: UUID must be 36 characters"));
  return {};
}

Result<bool> parse_bool_parameter(const http::Request& request, std::string_view name, bool fallback) {
  const std::string_view text = request.query.get(name);
  if (text.empty()) return fallback;
  for (const std::string_view yes : {"1", "t", "T", "TRUE", "true", "True"}) if (text == yes) return true;
  for (const std::string_view no : {"0", "f", "F", "FALSE", "false", "False"}) if (text == no) return false;
  return fail(status_error(400, fmt::format("failed to parse {} field to boolean: strconv.ParseBool: parsing {}: invalid syntax", name, quote(text))));
}

Result<std::int64_t> parse_int_parameter(const http::Request& request, std::string_view name, std::int64_t fallback) {
  const std::string_view text = request.query.get(name);
  if (text.empty()) return fallback;
  return to_int(name, text);
}

Result<std::int64_t> require_int_parameter(const http::Request& request, std::string_view name) { return to_int(name, request.query.get(name)); }

Result<bool> parse_origin(const http::Request& request) {
  const std::string_view origin = request.query.get("origin");
  if (origin.empty() || origin == "start") return false;
  if (origin == "end") return true;
  return fail(status_error(400, "origin must be start or end"));
}

}  // namespace drover::agent
