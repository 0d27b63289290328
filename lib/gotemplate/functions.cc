// Go's own template functions.
#include <fmt/format.h>

#include <algorithm>

#include "lib/gotemplate/print.h"
#include "lib/gotemplate/template.h"

namespace drover::gotemplate {
namespace {
using Arguments = std::vector<Value>;

Result<Value> length(const Arguments& arguments) {
  const Value value = arguments[0].plain();
  switch (value.kind()) {
    case Kind::string: case Kind::bytes: return Value::integer(static_cast<std::int64_t>(value.text().size()));
    case Kind::list: return Value::integer(static_cast<std::int64_t>(value.list().items.size()));
    case Kind::map: return Value::integer(static_cast<std::int64_t>(value.map().entries.size()));
    case Kind::absent: return fail(Code::invalid_argument, "len of untyped nil");
    case Kind::nil: return fail(Code::invalid_argument, "len of nil pointer");
    default: return fail(Code::invalid_argument, "len of type {}", value.type());
  }
}

// The zero value of a map's or list's elements, by the name of its type.
Value zero_of(std::string_view type) {
  const std::string_view element = type.substr(std::min(type.size(), type.find(']') == std::string_view::npos ? 0 : type.find(']') + 1));
  if (element == "string") return Value("");
  if (element == "bool") return Value(false);
  if (element == "int" || element == "int64") return Value::integer(0, std::string(element));
  return {};
}

Result<std::size_t> position(const Value& index, std::size_t limit) {
  std::int64_t at = 0;
  if (index.kind() == Kind::integer) at = index.integer();
  else if (index.kind() == Kind::unsigned_integer) at = static_cast<std::int64_t>(index.unsigned_integer());
  else if (index.kind() == Kind::absent) return fail(Code::invalid_argument, "cannot index slice/array with nil");
  else return fail(Code::invalid_argument, "cannot index slice/array with type {}", index.type());
  if (at < 0 || static_cast<std::size_t>(at) > limit) return fail(Code::invalid_argument, "index out of range: {}", at);
  return static_cast<std::size_t>(at);
}

Result<Value> index(const Arguments& arguments) {
  Value value = arguments[0].plain();
  if (value.kind() == Kind::absent) return fail(Code::invalid_argument, "index of untyped nil");
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const Value at = arguments[i].plain();
    switch (value.kind()) {
      case Kind::list: {
        auto place = position(at, value.list().items.size());
        if (!place) return fail(place.error());
        if (*place == value.list().items.size()) return fail(Code::invalid_argument, "index out of range: {}", *place);
        Value item = value.list().items[*place].plain();
        value = std::move(item);
        break;
      }
      case Kind::string: case Kind::bytes: {
        auto place = position(at, value.text().size());
        if (!place) return fail(place.error());
        if (*place == value.text().size()) return fail(Code::invalid_argument, "index out of range: {}", *place);
        value = Value::unsigned_integer(static_cast<unsigned char>(value.text()[*place]), "uint8");
        break;
      }
      case Kind::map: {
        if (at.kind() != Kind::string) return fail(Code::invalid_argument, "value has type {}; should be string", at.type());
        const Value* found = value.member(at.text());
        Value item = found != nullptr ? found->plain() : zero_of(value.map().type);
        value = std::move(item);
        break;
      }
      case Kind::nil: return fail(Code::invalid_argument, "index of nil pointer");
      default: return fail(Code::invalid_argument, "can't index item of type {}", value.type());
    }
  }
  return value;
}

Result<Value> slice(const Arguments& arguments) {
  const Value value = arguments[0].plain();
  if (value.kind() == Kind::absent) return fail(Code::invalid_argument, "slice of untyped nil");
  if (arguments.size() > 4) return fail(Code::invalid_argument, "too many slice indexes: {}", arguments.size() - 1);
  const bool text = value.kind() == Kind::string || value.kind() == Kind::bytes;
  if (!text && value.kind() != Kind::list) return fail(Code::invalid_argument, "can't slice item of type {}", value.type());
  if (value.kind() == Kind::string && arguments.size() == 4) return fail(Code::invalid_argument, "cannot 3-index slice a string");
  const std::size_t size = text ? value.text().size() : value.list().items.size();
  std::size_t from = 0, to = size;
  if (arguments.size() > 1) {
    auto at = position(arguments[1].plain(), size);
    if (!at) return fail(at.error());
    from = *at;
  }
  if (arguments.size() > 2) {
    auto at = position(arguments[2].plain(), size);
    if (!at) return fail(at.error());
    to = *at;
  }
  if (from > to) return fail(Code::invalid_argument, "invalid slice index: {} > {}", from, to);
  if (value.kind() == Kind::string) return Value(value.text().substr(from, to - from));
  if (text) return Value::bytes(value.text().substr(from, to - from));
  const auto& items = value.list().items;
  return Value::list({items.begin() + static_cast<std::ptrdiff_t>(from), items.begin() + static_cast<std::ptrdiff_t>(to)}, value.list().type);
}

std::string escape_html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '\0': out += "\xef\xbf\xbd"; break;
      case '"': out += "&#34;"; break;
      case '\'': out += "&#39;"; break;
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string escape_js(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '\\': out += "\\\\"; break;
      case '\'': out += "\\'"; break;
      case '"': out += "\\\""; break;
      case '<': case '>': case '&': case '=': out += fmt::format("\\u{:04X}", static_cast<unsigned>(c)); break;
      default:
        if (static_cast<unsigned char>(c) < ' ') out += fmt::format("\\u{:04X}", static_cast<unsigned>(c));
        else out += c;
    }
  }
  return out;
}

std::string escape_query(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || std::string_view("-_.~").find(c) != std::string_view::npos;
    if (plain) out += c;
    else if (c == ' ') out += '+';
    else out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

template <std::string (*escape)(std::string_view)>
Result<Value> escaped(const Arguments& arguments) {
  return Value(escape(print(arguments)));
}

enum class Basic { boolean, integer, unsigned_integer, floating, string, other };

Basic basic(const Value& value) {
  switch (value.kind()) {
    case Kind::boolean: return Basic::boolean;
    case Kind::integer: return Basic::integer;
    case Kind::unsigned_integer: return Basic::unsigned_integer;
    case Kind::floating: return Basic::floating;
    case Kind::string: return Basic::string;
    default: return Basic::other;
  }
}

bool is_unset(const Value& value) { return value.kind() == Kind::absent || value.kind() == Kind::nil; }

Result<bool> same(const Value& a, const Value& b) {
  if (is_unset(a) || is_unset(b)) return is_unset(a) && is_unset(b);
  const Basic kind = basic(a), other = basic(b);
  if (kind == Basic::other && (a.kind() == Kind::list || a.kind() == Kind::map || a.kind() == Kind::bytes)) {
    return fail(Code::invalid_argument, "non-comparable type {}: {}", to_text(a), a.type());
  }
  if (kind != other) {
    if (kind == Basic::integer && other == Basic::unsigned_integer) return a.integer() >= 0 && static_cast<std::uint64_t>(a.integer()) == b.unsigned_integer();
    if (kind == Basic::unsigned_integer && other == Basic::integer) return b.integer() >= 0 && static_cast<std::uint64_t>(b.integer()) == a.unsigned_integer();
    return fail(Code::invalid_argument, "incompatible types for comparison");
  }
  switch (kind) {
    case Basic::boolean: return a.boolean() == b.boolean();
    case Basic::integer: return a.integer() == b.integer();
    case Basic::unsigned_integer: return a.unsigned_integer() == b.unsigned_integer();
    case Basic::floating: return a.floating() == b.floating();
    case Basic::string: return a.text() == b.text();
    case Basic::other: return a.type() == b.type() && to_text(a) == to_text(b);
  }
  return false;
}

Result<Value> equal(const Arguments& arguments) {
  if (arguments.size() < 2) return fail(Code::invalid_argument, "missing argument for comparison");
  const Value first = arguments[0].plain();
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    auto matches = same(first, arguments[i].plain());
    if (!matches) return fail(matches.error());
    if (*matches) return Value(true);
  }
  return Value(false);
}

Result<Value> unequal(const Arguments& arguments) {
  auto matches = same(arguments[0].plain(), arguments[1].plain());
  if (!matches) return fail(matches.error());
  return Value(!*matches);
}

Result<bool> less(const Value& a, const Value& b) {
  const Basic kind = basic(a), other = basic(b);
  if (kind == Basic::other || kind == Basic::boolean) return fail(Code::invalid_argument, "invalid type for comparison");
  if (kind != other) {
    if (kind == Basic::integer && other == Basic::unsigned_integer) return a.integer() < 0 || static_cast<std::uint64_t>(a.integer()) < b.unsigned_integer();
    if (kind == Basic::unsigned_integer && other == Basic::integer) return b.integer() >= 0 && a.unsigned_integer() < static_cast<std::uint64_t>(b.integer());
    return fail(Code::invalid_argument, "incompatible types for comparison");
  }
  switch (kind) {
    case Basic::integer: return a.integer() < b.integer();
    case Basic::unsigned_integer: return a.unsigned_integer() < b.unsigned_integer();
    case Basic::floating: return a.floating() < b.floating();
    default: return a.text() < b.text();
  }
}

// lt, le, gt, ge of two values; gt and ge are lt and le with the other two.
template <bool Swap, bool OrEqual>
Result<Value> ordered(const Arguments& arguments) {
  const Value a = arguments[Swap ? 1 : 0].plain(), b = arguments[Swap ? 0 : 1].plain();
  auto below = less(a, b);
  if (!below) return fail(below.error());
  if (*below || !OrEqual) return Value(*below);
  auto matches = same(a, b);
  if (!matches) return fail(matches.error());
  return Value(*matches);
}

Result<Value> call(const Arguments& arguments) {
  return fail(Code::invalid_argument, "non-function {} of type {}", to_text(arguments[0]), arguments[0].type());
}
}  // namespace

const Functions& builtin_functions() {
  static const Functions table{
      // and and or stop at the first value that decides; the executor sees to that and calls them never.
      {"and", {[](const Arguments& a) -> Result<Value> { return a.back(); }, {"", "..."}}},
      {"or", {[](const Arguments& a) -> Result<Value> { return a.back(); }, {"", "..."}}},
      {"not", {[](const Arguments& a) -> Result<Value> { return Value(!a[0].truth()); }, {""}}},
      {"len", {length, {""}}},
      {"index", {index, {"", "..."}}},
      {"slice", {slice, {"", "..."}}},
      {"print", {[](const Arguments& a) -> Result<Value> { return Value(print(a)); }, {"..."}}},
      {"printf", {[](const Arguments& a) -> Result<Value> { return Value(print_format(a[0].text(), Arguments(a.begin() + 1, a.end()))); }, {"string", "..."}}},
      {"println",
       {[](const Arguments& a) -> Result<Value> {
          std::string out;
          for (const Value& value : a) out += (out.empty() ? "" : " ") + (value.kind() == Kind::absent ? "<nil>" : to_text(value));
          return Value(out + "\n");
        },
        {"..."}}},
      {"html", {escaped<escape_html>, {"..."}}},
      {"js", {escaped<escape_js>, {"..."}}},
      {"urlquery", {escaped<escape_query>, {"..."}}},
      {"call", {call, {"", "..."}}},
      {"eq", {equal, {"", "..."}}},
      {"ne", {unequal, {"", ""}}},
      {"lt", {ordered<false, false>, {"", ""}}},
      {"le", {ordered<false, true>, {"", ""}}},
      {"gt", {ordered<true, false>, {"", ""}}},
      {"ge", {ordered<true, true>, {"", ""}}},
  };
  return table;
}

}  // namespace drover::gotemplate
