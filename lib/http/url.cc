#include "lib/http/url.h"

#include <charconv>

#include "sdk/base/text.h"

namespace drover::http {

namespace {
int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// False on a bad escape.
bool unescape(std::string_view text, bool plus_is_space, std::string& out) {
  out.clear();
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size()) return false;
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high < 0 || low < 0) return false;
      out.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    } else {
      out.push_back(plus_is_space && c == '+' ? ' ' : c);
    }
  }
  return true;
}

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~';
}

Result<std::uint16_t> parse_port(std::string_view text, std::string_view whole) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) {
    return fail(Code::invalid_argument, "address \"{}\": port \"{}\" is not a number from 0 to 65535", whole, text);
  }
  return port;
}
}  // namespace

Result<std::string> percent_decode(std::string_view text) {
  std::string out;
  if (text.find('%') == std::string_view::npos) return std::string(text);
  if (!unescape(text, false, out)) return fail(Code::invalid_argument, "decoding {}: invalid URL escape", quote(text));
  return out;
}

std::string percent_encode(std::string_view text, bool keep_slash) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (is_unreserved(c) || (keep_slash && c == '/')) {
      out.push_back(c);
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out.push_back('%');
      out.push_back(digits[byte >> 4]);
      out.push_back(digits[byte & 15]);
    }
  }
  return out;
}

std::string clean_path(std::string_view path) {
  std::vector<std::string_view> parts;
  const bool slash = !path.empty() && path.back() == '/';
  bool ends_in_dots = false;
  std::size_t at = 0;
  while (at <= path.size()) {
    auto next = path.find('/', at);
    if (next == std::string_view::npos) next = path.size();
    const auto part = path.substr(at, next - at);
    ends_in_dots = part == "." || part == "..";
    if (part == "..") {
      if (!parts.empty()) parts.pop_back();
    } else if (!part.empty() && part != ".") {
      parts.push_back(part);
    }
    at = next + 1;
  }
  std::string out;
  for (const auto part : parts) out.append("/").append(part);
  if (out.empty() || (slash && !ends_in_dots)) out.push_back('/');
  return out;
}

Query Query::parse(std::string_view raw) {
  Query out;
  while (!raw.empty()) {
    const auto end = raw.find('&');
    const auto pair = raw.substr(0, end);
    raw.remove_prefix(end == std::string_view::npos ? raw.size() : end + 1);
    if (pair.empty() || pair.find(';') != std::string_view::npos) continue;
    const auto equals = pair.find('=');
    std::string name;
    std::string value;
    if (!unescape(pair.substr(0, equals), true, name)) continue;
    if (equals != std::string_view::npos && !unescape(pair.substr(equals + 1), true, value)) continue;
    out.pairs_.emplace_back(std::move(name), std::move(value));
  }
  return out;
}

std::string_view Query::get(std::string_view name) const { return find(name).value_or(std::string_view()); }

std::optional<std::string_view> Query::find(std::string_view name) const {
  for (const auto& [key, value] : pairs_) {
    if (key == name) return std::string_view(value);
  }
  return std::nullopt;
}

std::vector<std::string> Query::all(std::string_view name) const {
  std::vector<std::string> out;
  for (const auto& [key, value] : pairs_) {
    if (key == name) out.push_back(value);
  }
  return out;
}

void Query::set(std::string_view name, std::string value) {
  std::erase_if(pairs_, [&](const auto& pair) { return pair.first == name; });
  pairs_.emplace_back(std::string(name), std::move(value));
}

std::string Query::encode() const {
  std::string out;
  for (const auto& [key, value] : pairs_) {
    if (!out.empty()) out.push_back('&');
    out.append(percent_encode(key)).append("=").append(percent_encode(value));
  }
  return out;
}

Result<Address> Address::parse(std::string_view text) {
  const std::string_view whole = text;
  Address out;
  if (text.starts_with("unix://")) {
    out.kind = Kind::unix_socket;
    out.path = std::string(text.substr(7));
    if (out.path.empty()) return fail(Code::invalid_argument, "address \"{}\": the path of the socket is missing", whole);
    return out;
  }
  out.port = 80;
  if (text.starts_with("http://")) {
    text.remove_prefix(7);
  } else if (text.starts_with("https://")) {
    text.remove_prefix(8);
    out.kind = Kind::https;
    out.port = 443;
  } else if (text.find("://") != std::string_view::npos) {
    return fail(Code::invalid_argument, "address \"{}\": the scheme must be http, https or unix", whole);
  }
  const auto slash = text.find('/');
  if (slash != std::string_view::npos) {
    auto path = text.substr(slash);
    while (!path.empty() && path.back() == '/') path.remove_suffix(1);
    out.path = std::string(path);
    text = text.substr(0, slash);
  }
  if (const auto at = text.rfind('@'); at != std::string_view::npos) text.remove_prefix(at + 1);
  std::string_view port;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return fail(Code::invalid_argument, "address \"{}\": \"]\" is missing", whole);
    out.host = std::string(text.substr(1, end - 1));
    text.remove_prefix(end + 1);
    if (text.starts_with(':')) port = text.substr(1);
  } else if (const auto colon = text.find(':'); colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos) {
    out.host = std::string(text.substr(0, colon));
    port = text.substr(colon + 1);
  } else {
    out.host = std::string(text);
  }
  if (out.host.empty()) return fail(Code::invalid_argument, "address \"{}\": the host is missing", whole);
  if (!port.empty()) {
    const auto number = parse_port(port, whole);
    if (!number) return fail(number.error());
    out.port = *number;
  }
  return out;
}

std::string Address::authority() const {
  if (kind == Kind::unix_socket) return "localhost";
  const bool v6 = host.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", v6 ? "[" : "", host, v6 ? "]" : "", port);
}

}  // namespace drover::http
