#include "lib/http/parser.h"

#include <array>
#include <charconv>
#include <cstring>

namespace drover::http {

namespace {
constexpr std::size_t max_chunk_line = 4096;
constexpr std::size_t max_trailer = 64 * 1024;

constexpr std::array<bool, 256> make_token_table() {
  std::array<bool, 256> out{};
  for (const char c : std::string_view("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")) {
    out[static_cast<unsigned char>(c)] = true;
  }
  return out;
}
constexpr auto token_table = make_token_table();

bool is_token(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    if (!token_table[static_cast<unsigned char>(c)]) return false;
  }
  return true;
}

bool is_field_value(std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && byte != '\t') || byte == 0x7f) return false;
  }
  return true;
}

std::string_view trim_blanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Cuts one line off, without its end.
std::string_view next_line(std::string_view& text) {
  const auto end = text.find('\n');
  auto line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

Unexpected refuse(int status, std::string_view detail = {}) {
  auto text = fmt::format("{} {}", status, status_text(status));
  if (!detail.empty()) text.append(": ").append(detail);
  return Unexpected(Error(Code::invalid_argument, std::move(text)).with_http_status(status));
}

Result<> parse_fields(std::string_view text, std::uint32_t max_fields, Headers& out) {
  for (;;) {
    const auto line = next_line(text);
    if (line.empty()) return {};
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return refuse(400);
    const auto value = trim_blanks(line.substr(colon + 1));
    if (!is_field_value(value)) return refuse(400);
    if (out.size() >= max_fields) return refuse(431);
    out.add(line.substr(0, colon), value);
  }
}

Result<> parse_body_framing(const Headers& headers, Framing& framing) {
  for (std::size_t i = 0; i < headers.size(); ++i) {
    const auto [name, value] = headers.at(i);
    if (name.size() == 14 && iequals(name, "Content-Length")) {
      std::uint64_t length = 0;
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), length);
      if (value.empty() || error != std::errc() || end != value.data() + value.size()) return refuse(400);
      if (framing.has_length && framing.length != length) return refuse(400);
      framing.has_length = true;
      framing.length = length;
    } else if (name.size() == 17 && iequals(name, "Transfer-Encoding")) {
      if (framing.chunked) return refuse(400);
      if (!iequals(value, "chunked")) return refuse(501, "Unsupported transfer encoding");
      framing.chunked = true;
    } else if (name.size() == 6 && iequals(name, "Expect")) {
      if (!iequals(value, "100-continue")) return refuse(417);
      framing.expect_continue = true;
    }
  }
  // A message that states both may be cut in two places by two readers.
  if (framing.chunked && framing.has_length) return refuse(400);
  framing.keep_alive = framing.minor_version == 1 ? !headers.has_token("Connection", "close")
                                                  : headers.has_token("Connection", "keep-alive");
  return {};
}

// `/path?query`, `*`, or an absolute URI, whose path is taken.
Result<> parse_target(std::string_view target, Request& out) {
  if (!target.starts_with('/')) {
    if (target == "*" && out.method == "OPTIONS") {
      out.target = out.path = "*";
      return {};
    }
    const auto scheme = target.find("://");
    if (scheme == std::string_view::npos) return refuse(400);
    const auto slash = target.find_first_of("/?", scheme + 3);
    if (slash == std::string_view::npos || target[slash] == '?') {
      out.target = "/";
      if (slash != std::string_view::npos) out.target.append(target.substr(slash));
    } else {
      out.target = std::string(target.substr(slash));
    }
  } else {
    out.target = std::string(target);
  }
  auto path = percent_decode(out.raw_path());
  if (!path) return refuse(400);
  out.path = std::move(*path);
  const auto query = out.raw_query();
  if (!query.empty()) out.query = Query::parse(query);
  return {};
}
}  // namespace

std::size_t find_head_end(std::string_view buffer, std::size_t& scanned) {
  std::size_t at = scanned;
  while (at < buffer.size()) {
    const auto* found = static_cast<const char*>(std::memchr(buffer.data() + at, '\n', buffer.size() - at));
    if (found == nullptr) break;
    const auto line_end = static_cast<std::size_t>(found - buffer.data());
    const auto next = line_end + 1;
    if (next < buffer.size() && buffer[next] == '\n') return next + 1;
    if (next + 1 < buffer.size() && buffer[next] == '\r' && buffer[next + 1] == '\n') return next + 2;
    // The blank line may not be complete: look at this line end again when more has come.
    if (next >= buffer.size() || (next + 1 >= buffer.size() && buffer[next] == '\r')) {
      scanned = line_end;
      return std::string_view::npos;
    }
    at = next;
  }
  scanned = buffer.size();
  return std::string_view::npos;
}

Result<Framing> parse_request_head(std::string_view head, std::uint32_t max_fields, Request& out) {
  const auto line = next_line(head);
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return refuse(400);
  const auto version = line.substr(last + 1);
  const auto target = line.substr(first + 1, last - first - 1);
  if (!is_token(line.substr(0, first)) || target.find(' ') != std::string_view::npos || !is_field_value(target)) return refuse(400);
  if (version.size() != 8 || !version.starts_with("HTTP/") || version[6] != '.') return refuse(400);
  Framing framing;
  if (version == "HTTP/1.0") {
    framing.minor_version = 0;
  } else if (version != "HTTP/1.1") {
    if (line.starts_with("PRI ")) return refuse(400);
    return refuse(505, "unsupported protocol version");
  }
  out.method = std::string(line.substr(0, first));
  DROVER_TRY(parse_target(target, out));
  DROVER_TRY(parse_fields(head, max_fields, out.headers));
  DROVER_TRY(parse_body_framing(out.headers, framing));
  if (framing.minor_version == 1 && !out.headers.has("Host")) return refuse(400, "missing required Host header");
  return framing;
}

Result<Framing> parse_response_head(std::string_view head, ResponseHead& out) {
  const auto line = next_line(head);
  Framing framing;
  if (line.starts_with("HTTP/1.0 ")) {
    framing.minor_version = 0;
  } else if (!line.starts_with("HTTP/1.1 ")) {
    return fail(Code::unavailable, "reading the answer: malformed HTTP response {:.40}", line);
  }
  const auto rest = line.substr(9);
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + std::min<std::size_t>(rest.size(), 3), out.status);
  if (error != std::errc() || end != rest.data() + 3) {
    return fail(Code::unavailable, "reading the answer: malformed HTTP status code in {:.40}", line);
  }
  out.reason = std::string(trim_blanks(rest.substr(3)));
  DROVER_TRY(parse_fields(head, 10'000, out.headers));
  if (const auto ok = parse_body_framing(out.headers, framing); !ok) return fail(ok.error(), "reading the answer");
  return framing;
}

Result<> ChunkDecoder::line(std::string_view text) {
  if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
  switch (state_) {
    case State::size: {
      const auto digits = trim_blanks(text.substr(0, text.find(';')));
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), left_, 16);
      if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) {
        return fail(Code::invalid_argument, "malformed chunked encoding");
      }
      state_ = left_ == 0 ? State::trailer : State::data;
      return {};
    }
    case State::data_end:
      if (!text.empty()) return fail(Code::invalid_argument, "malformed chunked encoding");
      state_ = State::size;
      return {};
    default:
      trailer_bytes_ += text.size();
      if (trailer_bytes_ > max_trailer) return fail(Code::invalid_argument, "trailer too large");
      if (text.empty()) state_ = State::done;
      return {};
  }
}

Result<std::size_t> ChunkDecoder::feed(std::string_view input, std::string& out) {
  std::size_t at = 0;
  while (at < input.size() && state_ != State::done) {
    if (state_ == State::data) {
      const auto take = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size() - at));
      out.append(input.substr(at, take));
      at += take;
      left_ -= take;
      if (left_ == 0) state_ = State::data_end;
      continue;
    }
    const auto end = input.find('\n', at);
    const auto part = input.substr(at, end == std::string_view::npos ? end : end - at);
    if (partial_.size() + part.size() > max_chunk_line) return fail(Code::invalid_argument, "chunk line too long");
    if (end == std::string_view::npos) {
      partial_.append(part);
      return input.size();
    }
    at = end + 1;
    if (partial_.empty()) {
      DROVER_TRY(line(part));
    } else {
      partial_.append(part);
      const auto whole = std::move(partial_);
      partial_.clear();
      DROVER_TRY(line(whole));
    }
  }
  return at;
}

}  // namespace drover::http
