#include "server/api/answer.h"

#include <charconv>

namespace drover::api {
namespace {

void add_number(http::Headers& headers, std::string_view name, std::uint64_t value) {
  char buffer[24];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  headers.add(name, std::string_view(buffer, static_cast<std::size_t>(end - buffer)));
}

void add_meta(http::Headers& headers, const model::QueryMeta& meta) {
  add_number(headers, "X-Nomad-Index", meta.index);
  add_number(headers, "X-Nomad-Lastcontact", static_cast<std::uint64_t>(meta.last_contact.count() / 1'000'000));
  headers.add("X-Nomad-Knownleader", meta.known_leader ? "true" : "false");
  if (!meta.next_token.empty()) headers.add("X-Nomad-Nexttoken", meta.next_token);
}

int status_of(const Error& error) {
  if (error.http_status() != 0) return error.http_status();
  const std::string_view text = error.message();
  // Some statuses follow the end of the text, wherever the error came from (http-api 1.9).
  for (const std::string_view end : {"Permission denied", "ACL token not found"}) {
    if (text.ends_with(end)) return 403;
  }
  switch (error.code()) {
    case Code::invalid_argument: return 400;
    case Code::unauthenticated: return 401;
    case Code::permission_denied: return 403;
    case Code::not_found: return 404;
    case Code::too_large: return 413;
    case Code::resource_exhausted: return 429;
    case Code::unimplemented: return 501;
    default: return 500;
  }
}

}  // namespace

http::Response json_answer(const http::Request& request, std::string body) {
  return http::Response::json(wants_pretty(request) ? indent_json(body) : std::move(body));
}

http::Response read_answer(const http::Request& request, const model::QueryMeta& meta, std::string body) {
  auto out = json_answer(request, std::move(body));
  add_meta(out.headers, meta);
  return out;
}

http::Response write_answer(const http::Request& request, std::uint64_t index, std::string body) {
  auto out = json_answer(request, std::move(body));
  add_number(out.headers, "X-Nomad-Index", index);
  return out;
}

http::Response missing(const model::QueryMeta& meta, std::string_view text) {
  auto out = http::Response::text(404, std::string(text));
  add_meta(out.headers, meta);
  return out;
}

http::Response error_answer(const Error& error) {
  auto out = http::Response::text(status_of(error), error.message());
  // Too much at the moment: whoever comes back at once makes it worse.
  if (out.status == 429 || out.status == 503) out.headers.add("Retry-After", "1");
  return out;
}

http::Response empty_answer(std::uint64_t index) {
  http::Response out;
  if (index != 0) add_number(out.headers, "X-Nomad-Index", index);
  return out;
}

bool wants_pretty(const http::Request& request) {
  const auto value = request.query.find("pretty");
  return value && *value != "0";
}

std::string indent_json(std::string_view text) {
  std::string out;
  out.reserve(text.size() * 2);
  std::size_t depth = 0;
  const auto line = [&] {
    out.push_back('\n');
    out.append(depth * 4, ' ');
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') {
      const std::size_t start = i++;
      while (i < text.size() && text[i] != '"') i += text[i] == '\\' ? 2 : 1;
      out.append(text.substr(start, i - start + 1));
    } else if ((c == '{' || c == '[') && i + 1 < text.size() && (text[i + 1] == '}' || text[i + 1] == ']')) {
      out.push_back(c);
      out.push_back(text[++i]);
    } else if (c == '{' || c == '[') {
      out.push_back(c);
      ++depth;
      line();
    } else if (c == '}' || c == ']') {
      --depth;
      line();
      out.push_back(c);
    } else if (c == ',') {
      out.push_back(c);
      line();
    } else if (c == ':') {
      out += ": ";
    } else {
      out.push_back(c);
    }
  }
  out.push_back('\n');
  return out;
}

}  // namespace drover::api
