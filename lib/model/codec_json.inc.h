// The JSON codec's templates; included only by codec_*.cc, which instantiate them.
#pragma once

#include <nlohmann/json.hpp>

#include "lib/model/codec.h"
#include "lib/model/json_text.h"
#include "lib/model/traits.h"
#include "sdk/base/encoding.h"
#include "sdk/base/text.h"

namespace drover::model::json_codec {

template <class T>
void write(std::string& out, const T& value);

struct FieldWriter {
  std::string& out;
  bool omit_zero;
  bool first = true;

  template <class T>
  void operator()(const char* name, const T& value) {
    if (omit_zero && is_empty(value)) return;
    put(name, value);
  }
  template <class T>
  void operator()(const char* name, const T& value, OmitEmpty) {
    if (!is_empty(value)) put(name, value);
  }
  template <class T>
  void operator()(const char* name, const T& value, NullZero) {
    if (value.is_zero()) put(name, std::optional<T>());
    else put(name, value);
  }
  template <class T>
  void put(const char* name, const T& value) {
    if (!first) out.push_back(',');
    first = false;
    out.push_back('"');
    out += name;
    out += "\":";
    write(out, value);
  }
};

template <class T>
void write(std::string& out, const T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    out += value ? "true" : "false";
  } else if constexpr (std::is_floating_point_v<T>) {
    append_json_number(out, static_cast<double>(value));
  } else if constexpr (std::is_unsigned_v<T>) {
    append_json_number(out, static_cast<std::uint64_t>(value));
  } else if constexpr (std::is_integral_v<T>) {
    append_json_number(out, static_cast<std::int64_t>(value));
  } else if constexpr (std::is_same_v<T, std::string>) {
    append_json_string(out, value);
  } else if constexpr (std::is_same_v<T, Duration>) {
    append_json_number(out, static_cast<std::int64_t>(value.count()));
  } else if constexpr (std::is_same_v<T, Time>) {
    out.push_back('"');
    out += value.is_zero() ? "0001-01-01T00:00:00Z" : format_rfc3339(value.unix_nanos());
    out.push_back('"');
  } else if constexpr (std::is_same_v<T, Bytes>) {
    if (value.is_nil()) out += "null";
    else append_json_string(out, base64_encode(value.data()));
  } else if constexpr (std::is_same_v<T, Any>) {
    out += value.json().dump(-1, ' ', false, Json::error_handler_t::replace);
  } else if constexpr (is_list<T>) {
    if (value.is_nil()) {
      out += "null";
      return;
    }
    out.push_back('[');
    bool first = true;
    for (const auto& item : value) {
      if (!first) out.push_back(',');
      first = false;
      write(out, item);
    }
    out.push_back(']');
  } else if constexpr (is_map<T>) {
    if (value.is_nil()) {
      out += "null";
      return;
    }
    out.push_back('{');
    bool first = true;
    for (const auto& [key, item] : value) {
      if (!first) out.push_back(',');
      first = false;
      append_json_string(out, key);
      out.push_back(':');
      write(out, item);
    }
    out.push_back('}');
  } else if constexpr (is_box<T> || is_optional<T> || is_shared<T>) {
    if (value) write(out, *value);
    else out += "null";
  } else {
    out.push_back('{');
    FieldWriter fields{out, OmitsZero<T>};
    T::describe(value, fields);
    out.push_back('}');
  }
}

template <class T>
Result<> read(const Json& json, T& value, const std::string& where);

inline bool same_name(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

// Looks each field up by its exact name first, then without regard to case (encoding/json's rule).
struct FieldReader {
  const Json& json;
  const std::string& where;
  Result<> result = {};

  template <class T, class... Flags>
  void operator()(const char* name, T& value, Flags...) {
    if (!result) return;
    auto at = json.find(name);
    if (at == json.end()) {
      for (at = json.begin(); at != json.end() && !same_name(at.key(), name); ++at) {}
    }
    if (at != json.end()) result = read(*at, value, where.empty() ? std::string(name) : where + "." + name);
  }
};

inline Unexpected mismatch(const Json& json, const std::string& where, const char* expected) {
  return fail(Code::invalid_argument, "{}: expected {}, found {}", where.empty() ? "document" : where, expected, json.type_name());
}

template <class T>
Result<> read_integer(const Json& json, T& value, const std::string& where) {
  if (json.is_number_unsigned()) {
    const auto number = json.get<std::uint64_t>();
    value = static_cast<T>(number);
    if (static_cast<std::uint64_t>(value) != number || value < T{}) return mismatch(json, where, "a smaller number");
    return {};
  }
  if (json.is_number_integer()) {
    const auto number = json.get<std::int64_t>();
    value = static_cast<T>(number);
    if (static_cast<std::int64_t>(value) != number || (std::is_unsigned_v<T> && number < 0)) return mismatch(json, where, "a number in range");
    return {};
  }
  if (json.is_number_float()) {
    const auto number = json.get<double>();
    value = static_cast<T>(number);
    if (static_cast<double>(value) == number) return {};
  }
  return mismatch(json, where, "an integer");
}

template <class T>
Result<> read(const Json& json, T& value, const std::string& where) {
  if (json.is_null()) {
    // Null leaves scalars alone and clears what can be null (encoding/json).
    if constexpr (is_list<T> || is_map<T>) value.set_nil();
    else if constexpr (is_box<T> || is_optional<T> || is_shared<T> || std::is_same_v<T, Bytes> || std::is_same_v<T, Any>) value = T{};
    return {};
  }
  if constexpr (std::is_same_v<T, bool>) {
    if (!json.is_boolean()) return mismatch(json, where, "true or false");
    value = json.get<bool>();
  } else if constexpr (std::is_floating_point_v<T>) {
    if (!json.is_number()) return mismatch(json, where, "a number");
    value = json.get<T>();
  } else if constexpr (std::is_integral_v<T>) {
    return read_integer(json, value, where);
  } else if constexpr (std::is_same_v<T, std::string>) {
    if (!json.is_string()) return mismatch(json, where, "a string");
    value = json.get_ref<const std::string&>();
  } else if constexpr (std::is_same_v<T, Duration>) {
    if (json.is_string()) {
      const auto parsed = parse_duration(json.get_ref<const std::string&>());
      if (!parsed) return fail(parsed.error(), "{}", where);
      value = *parsed;
      return {};
    }
    std::int64_t nanos = 0;
    DROVER_TRY(read_integer(json, nanos, where));
    value = Duration(nanos);
  } else if constexpr (std::is_same_v<T, Time>) {
    if (!json.is_string()) return mismatch(json, where, "an RFC 3339 time");
    const std::string& text = json.get_ref<const std::string&>();
    if (text.starts_with("0001-01-01T00:00:00")) {
      value = Time{};
      return {};
    }
    const auto parsed = parse_rfc3339(text);
    if (!parsed) return fail(parsed.error(), "{}", where);
    value = Time(*parsed);
  } else if constexpr (std::is_same_v<T, Bytes>) {
    if (!json.is_string()) return mismatch(json, where, "a base64 string");
    auto decoded = base64_decode(json.get_ref<const std::string&>());
    if (!decoded) return fail(decoded.error(), "{}", where);
    value = Bytes(std::move(*decoded));
  } else if constexpr (std::is_same_v<T, Any>) {
    value = Any(json);
  } else if constexpr (is_list<T>) {
    if (!json.is_array()) return mismatch(json, where, "a list");
    value.clear();
    value.allocate();
    value.reserve(json.size());
    for (const Json& item : json) {
      typename T::value_type element{};
      DROVER_TRY(read(item, element, where));
      value.push_back(std::move(element));
    }
  } else if constexpr (is_map<T>) {
    if (!json.is_object()) return mismatch(json, where, "an object");
    value.clear();
    value.allocate();
    for (const auto& [key, item] : json.items()) DROVER_TRY(read(item, value[key], where + "." + key));
  } else if constexpr (is_box<T>) {
    return read(json, value.ensure(), where);
  } else if constexpr (is_optional<T>) {
    return read(json, value.emplace(), where);
  } else if constexpr (is_shared<T>) {
    auto inner = std::make_shared<std::remove_const_t<typename T::element_type>>();
    DROVER_TRY(read(json, *inner, where));
    value = std::move(inner);
  } else {
    if (!json.is_object()) return mismatch(json, where, "an object");
    FieldReader fields{json, where};
    T::describe(value, fields);
    return std::move(fields.result);
  }
  return {};
}

}  // namespace drover::model::json_codec
