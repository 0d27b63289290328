#include "lib/http/router.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "sdk/base/text.h"

namespace drover::http {

namespace {
struct Segment {
  enum class Kind : std::uint8_t { literal, one, rest };
  Kind kind = Kind::literal;
  std::string text;  // literal text or parameter name
};

struct Method {
  std::string name;  // `*` is any
  Handler handler;
  RouteOptions options;
};

struct Route {
  std::string pattern;
  std::vector<Segment> segments;
  std::size_t literals = 0;
  std::ptrdiff_t rest = -1;  // index of the `{name...}` segment
  std::vector<Method> methods;
  Cors cors = Cors::off;
  int wrong_method_status = 405;
  std::string wrong_method_text = "Invalid method";
};

using Words = std::vector<std::string_view>;

Words split_path(std::string_view path) {
  Words out;
  out.reserve(8);
  std::size_t at = path.starts_with('/') ? 1 : 0;
  for (;;) {
    const auto next = path.find('/', at);
    out.push_back(path.substr(at, next == std::string_view::npos ? next : next - at));
    if (next == std::string_view::npos) return out;
    at = next + 1;
  }
}

// The part of the path that words `first` to `last` (exclusive) cover.
std::string_view covered(const Words& words, std::size_t first, std::size_t last) {
  const char* begin = words[first].data();
  const char* end = words[last - 1].data() + words[last - 1].size();
  return {begin, static_cast<std::size_t>(end - begin)};
}

bool segment_matches(const Segment& segment, std::string_view word) {
  return segment.kind != Segment::Kind::literal || segment.text == word;
}

bool matches(const Route& route, const Words& words) {
  const auto count = route.segments.size();
  if (route.rest < 0) {
    if (words.size() != count) return false;
    for (std::size_t i = 0; i < count; ++i) {
      if (!segment_matches(route.segments[i], words[i])) return false;
    }
    return true;
  }
  const auto before = static_cast<std::size_t>(route.rest);
  const auto after = count - before - 1;
  if (words.size() < before + 1 + after) return false;
  for (std::size_t i = 0; i < before; ++i) {
    if (!segment_matches(route.segments[i], words[i])) return false;
  }
  for (std::size_t i = 0; i < after; ++i) {
    if (!segment_matches(route.segments[count - 1 - i], words[words.size() - 1 - i])) return false;
  }
  return true;
}

void bind_params(const Route& route, const Words& words, Request& request) {
  const auto count = route.segments.size();
  for (std::size_t i = 0; i < count; ++i) {
    const auto& segment = route.segments[i];
    if (segment.kind == Segment::Kind::literal) continue;
    const auto from_end = count - 1 - i;
    if (segment.kind == Segment::Kind::rest) {
      request.params.emplace_back(segment.text, std::string(covered(words, i, words.size() - from_end)));
    } else {
      const bool behind = route.rest >= 0 && i > static_cast<std::size_t>(route.rest);
      request.params.emplace_back(segment.text, std::string(words[behind ? words.size() - 1 - from_end : i]));
    }
  }
}

// PUT and POST are one method (http-api 1.2).
std::string_view canonical_method(std::string_view method) { return method == "POST" ? std::string_view("PUT") : method; }

const Method* find_method(const Route& route, std::string_view method) {
  const auto wanted = canonical_method(method);
  for (const auto& entry : route.methods) {
    if (entry.name == wanted || entry.name == "*") return &entry;
  }
  return nullptr;
}

bool cors_allows(Cors cors, std::string_view method) {
  switch (cors) {
    case Cors::off: return false;
    case Cors::get: return method == "GET";
    case Cors::head_get: return method == "GET" || method == "HEAD";
    case Cors::head_get_put_delete:
      return method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE";
  }
  return false;
}

Response preflight(Cors cors, const Request& request) {
  Response out;
  out.status = 204;
  out.headers.add("Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
  const auto method = request.headers.get("Access-Control-Request-Method");
  if (!cors_allows(cors, method) || !request.headers.has("Origin")) return out;
  out.headers.add("Access-Control-Allow-Credentials", "true");
  if (const auto wanted = request.headers.get("Access-Control-Request-Headers"); !wanted.empty()) {
    out.headers.add("Access-Control-Allow-Headers", wanted);
  }
  out.headers.add("Access-Control-Allow-Methods", method);
  out.headers.add("Access-Control-Allow-Origin", "*");
  return out;
}

// Go's redirect: a short page for GET, only the head for other methods.
Response go_redirect(const Request& request, std::string path) {
  if (const auto query = request.raw_query(); !query.empty()) path.append("?").append(query);
  auto out = Response::redirect(path);
  if (request.method == "GET" || request.method == "HEAD") {
    out.headers.add("Content-Type", "text/html; charset=utf-8");
    auto shown = replace_all(replace_all(path, "&", "&amp;"), "\"", "&#34;");
    shown = replace_all(replace_all(shown, "<", "&lt;"), ">", "&gt;");
    out.body = fmt::format("<a href=\"{}\">Temporary Redirect</a>.\n\n", shown);
  }
  return out;
}

bool is_clean(std::string_view path) {
  if (!path.starts_with('/')) return false;
  for (auto at = path.find('/'); at != std::string_view::npos; at = path.find('/', at + 1)) {
    const auto rest = path.substr(at + 1);
    if (rest.starts_with('/') || rest == "." || rest.starts_with("./") || rest == ".." || rest.starts_with("../")) return false;
  }
  return true;
}
}  // namespace

struct Router::Impl {
  // By the first two words of the path, which every pattern of the API has as literals; others are under "".
  std::unordered_map<std::string, std::vector<std::unique_ptr<Route>>> groups;
  std::unordered_set<std::string> subtrees;
  Headers response_headers;

  static std::string group_key(const Words& words) {
    std::string key(words[0]);
    if (words.size() > 1) key.append("/").append(words[1]);
    return key;
  }

  const Route* find(const Words& words) const {
    if (const auto group = groups.find(group_key(words)); group != groups.end()) {
      for (const auto& route : group->second) {
        if (matches(*route, words)) return route.get();
      }
    }
    if (const auto group = groups.find(std::string()); group != groups.end()) {
      for (const auto& route : group->second) {
        if (matches(*route, words)) return route.get();
      }
    }
    return nullptr;
  }

  Route& route(std::string_view pattern) {
    auto made = std::make_unique<Route>();
    made->pattern = std::string(pattern);
    const auto words = split_path(pattern);
    for (const auto word : words) {
      Segment segment;
      if (word.starts_with('{') && word.ends_with("...}")) {
        segment = {Segment::Kind::rest, std::string(word.substr(1, word.size() - 5))};
        DROVER_CHECK(made->rest < 0);
        made->rest = static_cast<std::ptrdiff_t>(made->segments.size());
      } else if (word.starts_with('{') && word.ends_with('}')) {
        segment = {Segment::Kind::one, std::string(word.substr(1, word.size() - 2))};
      } else {
        segment = {Segment::Kind::literal, std::string(word)};
        ++made->literals;
      }
      made->segments.push_back(std::move(segment));
    }
    std::string root;
    bool literal_head = words.size() >= 2 || made->literals == words.size();
    for (std::size_t i = 0; i < made->segments.size() && made->segments[i].kind == Segment::Kind::literal; ++i) {
      root.append("/").append(made->segments[i].text);
    }
    for (std::size_t i = 0; i < std::min<std::size_t>(2, made->segments.size()); ++i) {
      literal_head = literal_head && made->segments[i].kind == Segment::Kind::literal;
    }
    if (made->literals < made->segments.size() && !root.empty()) subtrees.insert(root);
    auto& group = groups[literal_head ? group_key(words) : std::string()];
    for (const auto& existing : group) {
      if (existing->pattern == pattern) return *existing;
    }
    // Most literal words first; among equals, one without `{x...}` first.
    const auto before = [](const std::unique_ptr<Route>& a, const std::unique_ptr<Route>& b) {
      if (a->literals != b->literals) return a->literals > b->literals;
      return (a->rest < 0) > (b->rest < 0);
    };
    auto& out = *made;
    group.insert(std::upper_bound(group.begin(), group.end(), made, before), std::move(made));
    return out;
  }
};

Router::Router() : impl_(std::make_unique<Impl>()) {}
Router::~Router() = default;
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;

void Router::add(std::string_view methods, std::string_view pattern, Handler handler, RouteOptions options) {
  auto& route = impl_->route(pattern);
  if (options.cors != Cors::off) route.cors = options.cors;
  for (const auto& name : split(methods, ' ')) {
    if (name.empty()) continue;
    const auto method = canonical_method(name);
    const bool known = std::any_of(route.methods.begin(), route.methods.end(), [&](const auto& entry) { return entry.name == method; });
    // "PUT POST" names one method twice; the second word is no error.
    if (known && method == "PUT") continue;
    DROVER_CHECK(!known);
    route.methods.push_back({std::string(method), handler, options});
  }
}

void Router::on_wrong_method(std::string_view pattern, int status, std::string text) {
  auto& route = impl_->route(pattern);
  route.wrong_method_status = status;
  route.wrong_method_text = std::move(text);
}

void Router::set_response_headers(Headers headers) { impl_->response_headers = std::move(headers); }

std::uint64_t Router::max_body_bytes(std::string_view method, std::string_view path) const {
  const auto* route = impl_->find(split_path(path));
  if (route == nullptr) return 0;
  const auto* entry = find_method(*route, method);
  return entry == nullptr ? 0 : entry->options.max_body_bytes;
}

std::shared_ptr<BodySink> Router::body_sink(const Request& head) const {
  const auto* route = impl_->find(split_path(head.path));
  const auto* entry = route == nullptr ? nullptr : find_method(*route, head.method);
  return entry == nullptr || !entry->options.sink ? nullptr : entry->options.sink(head);
}

Async<Response> Router::handle(Request request) const {
  if (request.path == "*") co_return Response();
  // Encoded slashes and dots belong to an id: what is cleaned is the path as sent.
  if (const auto raw = request.raw_path(); !is_clean(raw)) co_return go_redirect(request, clean_path(raw));
  const auto words = split_path(request.path);
  const auto* route = impl_->find(words);
  if (route == nullptr) {
    // A browser that knows only the address is shown the user interface (http-api 1.1).
    if (request.path == "/") co_return go_redirect(request, "/ui/");
    if (impl_->subtrees.contains(request.path)) co_return go_redirect(request, std::string(request.raw_path()) + "/");
    Response out;
    out.status = 404;
    co_return out;
  }
  const auto cors = route->cors;
  const bool shown = cors != Cors::off && request.headers.has("Origin") && cors_allows(cors, request.method);
  if (cors != Cors::off && request.method == "OPTIONS" && request.headers.has("Access-Control-Request-Method")) {
    co_return preflight(cors, request);
  }
  const auto* method = find_method(*route, request.method);
  Response out;
  bool api = true;
  if (method == nullptr) {
    out = Response::text(route->wrong_method_status, route->wrong_method_text);
    if (out.body.empty()) out.headers.clear();
  } else {
    bind_params(*route, words, request);
    api = method->options.api;
    auto pending = method->handler(std::move(request));
    out = co_await std::move(pending);
  }
  if (cors != Cors::off) out.headers.set("Vary", "Origin");
  if (shown) {
    out.headers.set("Access-Control-Allow-Credentials", "true");
    out.headers.set("Access-Control-Allow-Origin", "*");
  }
  const auto& extra = impl_->response_headers;
  for (std::size_t i = 0; api && i < extra.size(); ++i) {
    const auto [name, value] = extra.at(i);
    if (!out.headers.has(name)) out.headers.add(name, value);
  }
  co_return out;
}

}  // namespace drover::http
