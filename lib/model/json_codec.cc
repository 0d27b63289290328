// JSON of every described type: walks its table of fields (reflect.h).
#include <nlohmann/json.hpp>

#include "lib/model/codec.h"
#include "lib/model/json_complaint.h"
#include "lib/model/json_text.h"
#include "sdk/base/encoding.h"
#include "sdk/base/text.h"

namespace drover::model {
namespace {

template <class T>
const T& as(const void* value) { return *static_cast<const T*>(value); }
template <class T>
T& as(void* value) { return *static_cast<T*>(value); }

void write(std::string& out, const Type& type, const void* value);

void write_fields(std::string& out, const Type& type, const void* value) {
  out.push_back('{');
  bool first = true;
  for (const Field& field : type.fields()) {
    const void* member = field.in(value);
    const bool optional = type.omits_zero || field.presence == Presence::omit_empty;
    if (optional && is_empty(*field.type, member)) continue;
    if (!first) out.push_back(',');
    first = false;
    out += field.json_key;
    if (field.presence == Presence::null_zero && is_zero(*field.type, member)) out += "null";
    else write(out, *field.type, member);
  }
  out.push_back('}');
}

void write_list(std::string& out, const Type& type, const void* value) {
  if (type.is_nil(value)) {
    out += "null";
    return;
  }
  out.push_back('[');
  for (std::size_t i = 0, count = type.count(value); i < count; ++i) {
    if (i != 0) out.push_back(',');
    write(out, *type.element, type.at(value, i));
  }
  out.push_back(']');
}

void write_map(std::string& out, const Type& type, const void* value) {
  if (type.is_nil(value)) {
    out += "null";
    return;
  }
  const char* separator = "{";
  if (type.count(value) == 0) out += separator;
  type.each(value, [&](const std::string& key, const void* item) {
    out += separator;
    separator = ",";
    append_json_string(out, key);
    out.push_back(':');
    write(out, *type.element, item);
  });
  out.push_back('}');
}

void write_time(std::string& out, const Time& time) {
  out.push_back('"');
  out += time.is_zero() ? "0001-01-01T00:00:00Z" : format_rfc3339(time.unix_nanos());
  out.push_back('"');
}

void write(std::string& out, const Type& type, const void* value) {
  switch (type.kind) {
    case Kind::boolean: out += as<bool>(value) ? "true" : "false"; break;
    case Kind::integer: append_json_number(out, integer_of(type, value)); break;
    case Kind::unsigned_integer: append_json_number(out, unsigned_of(type, value)); break;
    case Kind::floating: append_json_number(out, floating_of(type, value)); break;
    case Kind::text: append_json_string(out, as<std::string>(value)); break;
    case Kind::duration: append_json_number(out, static_cast<std::int64_t>(as<Duration>(value).count())); break;
    case Kind::time: write_time(out, as<Time>(value)); break;
    case Kind::bytes:
      if (as<Bytes>(value).is_nil()) out += "null";
      else append_json_string(out, base64_encode(as<Bytes>(value).data()));
      break;
    case Kind::any: out += as<Any>(value).json().dump(-1, ' ', false, Json::error_handler_t::replace); break;
    case Kind::list: write_list(out, type, value); break;
    case Kind::map: write_map(out, type, value); break;
    case Kind::pointer:
      if (const void* inner = type.get(value)) write(out, *type.element, inner);
      else out += "null";
      break;
    case Kind::structure: write_fields(out, type, value); break;
  }
}

// Where in the document a value stands, for errors; costs nothing until one is made.
struct Place {
  const Place* outer = nullptr;
  std::string_view name;

  [[nodiscard]] std::string text() const {
    if (outer == nullptr) return std::string(name);
    const std::string before = outer->text();
    return before.empty() ? std::string(name) : before + "." + std::string(name);
  }
};

Unexpected mismatch(const Json& json, const Place& place, const char* expected) {
  const std::string where = place.text();
  return fail(Code::invalid_argument, "{}: expected {}, found {}", where.empty() ? "document" : where, expected, json.type_name());
}

Result<> read(const Json& json, const Type& type, void* value, const Place& place);

bool same_name(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

// The field of a member by its exact name, then without regard to case (encoding/json's rule). `next` is where the search
// starts: writers keep the order of declaration.
const Field* find_field(const std::vector<Field>& fields, std::string_view name, std::size_t& next) {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const std::size_t at = next + i < fields.size() ? next + i : next + i - fields.size();
    if (fields[at].name != name) continue;
    next = at + 1 == fields.size() ? 0 : at + 1;
    return &fields[at];
  }
  for (const Field& field : fields) {
    if (same_name(field.name, name)) return &field;
  }
  return nullptr;
}

Result<> read_fields(const Json& json, const Type& type, void* value, const Place& place) {
  if (!json.is_object()) return mismatch(json, place, "an object");
  const std::vector<Field>& fields = type.fields();
  std::size_t next = 0;
  for (auto at = json.begin(); at != json.end(); ++at) {
    const Field* field = find_field(fields, at.key(), next);
    if (field == nullptr) continue;
    const Place here{&place, field->name};
    DROVER_TRY(read(*at, *field->type, field->in(value), here));
  }
  return {};
}

Result<> read_integer(const Json& json, const Type& type, void* value, const Place& place) {
  const bool is_signed = type.kind == Kind::integer;
  const auto store = [&](auto number) {
    if (is_signed) return std::in_range<std::int64_t>(number) && set_integer(type, value, static_cast<std::int64_t>(number));
    return std::in_range<std::uint64_t>(number) && set_unsigned(type, value, static_cast<std::uint64_t>(number));
  };
  if (json.is_number_unsigned()) {
    if (store(json.get<std::uint64_t>())) return {};
    return mismatch(json, place, "a smaller number");
  }
  if (json.is_number_integer()) {
    if (store(json.get<std::int64_t>())) return {};
    return mismatch(json, place, "a number in range");
  }
  if (json.is_number_float()) {
    const auto number = json.get<double>();
    const bool in_range = number >= -0x1p63 && number < 0x1p63;
    if (in_range && static_cast<double>(static_cast<std::int64_t>(number)) == number && store(static_cast<std::int64_t>(number))) return {};
  }
  return mismatch(json, place, "an integer");
}

constexpr Type nanoseconds{.kind = Kind::integer, .size = sizeof(std::int64_t)};

Result<> read_duration(const Json& json, Duration& value, const Place& place) {
  if (json.is_string()) {
    const auto parsed = parse_duration(json.get_ref<const std::string&>());
    if (!parsed) return fail(parsed.error(), "{}", place.text());
    value = *parsed;
    return {};
  }
  std::int64_t nanos = 0;
  DROVER_TRY(read_integer(json, nanoseconds, &nanos, place));
  value = Duration(nanos);
  return {};
}

Result<> read_time(const Json& json, Time& value, const Place& place) {
  if (!json.is_string()) return mismatch(json, place, "an RFC 3339 time");
  const std::string& text = json.get_ref<const std::string&>();
  if (text.starts_with("0001-01-01T00:00:00")) {
    value = Time{};
    return {};
  }
  const auto parsed = parse_rfc3339(text);
  if (!parsed) return fail(parsed.error(), "{}", place.text());
  value = Time(*parsed);
  return {};
}

Result<> read_list(const Json& json, const Type& type, void* value, const Place& place) {
  if (!json.is_array()) return mismatch(json, place, "a list");
  type.open(value);
  for (const Json& item : json) DROVER_TRY(read(item, *type.element, type.append(value), place));
  return {};
}

Result<> read_map(const Json& json, const Type& type, void* value, const Place& place) {
  if (!json.is_object()) return mismatch(json, place, "an object");
  type.open(value);
  for (const auto& [key, item] : json.items()) {
    const Place here{&place, key};
    DROVER_TRY(read(item, *type.element, type.insert(value, key), here));
  }
  return {};
}

Result<> read_null(const Type& type, void* value) {
  // Null leaves scalars and structs alone and clears what can be null (encoding/json).
  const bool nullable = type.kind == Kind::list || type.kind == Kind::map || type.kind == Kind::pointer || type.kind == Kind::bytes ||
                        type.kind == Kind::any;
  if (nullable) set_zero(type, value);
  return {};
}

Result<> read(const Json& json, const Type& type, void* value, const Place& place) {
  if (json.is_null()) return read_null(type, value);
  switch (type.kind) {
    case Kind::boolean:
      if (!json.is_boolean()) return mismatch(json, place, "true or false");
      as<bool>(value) = json.get<bool>();
      return {};
    case Kind::integer: case Kind::unsigned_integer: return read_integer(json, type, value, place);
    case Kind::floating:
      if (!json.is_number()) return mismatch(json, place, "a number");
      set_floating(type, value, json.get<double>());
      return {};
    case Kind::text:
      if (!json.is_string()) return mismatch(json, place, "a string");
      as<std::string>(value) = json.get_ref<const std::string&>();
      return {};
    case Kind::duration: return read_duration(json, as<Duration>(value), place);
    case Kind::time: return read_time(json, as<Time>(value), place);
    case Kind::bytes: {
      if (!json.is_string()) return mismatch(json, place, "a base64 string");
      auto decoded = base64_decode(json.get_ref<const std::string&>());
      if (!decoded) return fail(decoded.error(), "{}", place.text());
      as<Bytes>(value) = Bytes(std::move(*decoded));
      return {};
    }
    case Kind::any: as<Any>(value) = Any(json); return {};
    case Kind::list: return read_list(json, type, value, place);
    case Kind::map: return read_map(json, type, value, place);
    case Kind::pointer: return read(json, *type.element, type.make(value), place);
    case Kind::structure: return read_fields(json, type, value, place);
  }
  return {};
}

}  // namespace

void append_json(std::string& out, const Type& type, const void* value) { write(out, type, value); }

Result<> from_json_value(const Json& json, const Type& type, void* value) { return read(json, type, value, Place{}); }

Result<> from_json(std::string_view text, const Type& type, void* value) {
  Json json;
  if (!parse_json(text, json).empty()) return fail(Code::invalid_argument, "the text is not valid JSON");
  return read(json, type, value, Place{});
}

}  // namespace drover::model
