// Model values to and from JSON (the HTTP API's form) and MessagePack (log, snapshot, RPC, client state).
//
// For the types listed in codec_*.cc; another type is a link error. JSON: Go field names, nanosecond integers, base64 bytes,
// null for nil (http-api 1.10). Decoding is case-insensitive and ignores unknown members. MessagePack: a map of the fields
// that are not zero, so that fields may be added; unknown ones are skipped.
#pragma once

#include <string>
#include <string_view>

#include "lib/model/reflect.h"
#include "lib/model/types.h"
#include "sdk/base/error.h"

namespace drover::model {

void append_json(std::string& out, const Type& type, const void* value);
[[nodiscard]] Result<> from_json(std::string_view text, const Type& type, void* value);
[[nodiscard]] Result<> from_json_value(const Json& json, const Type& type, void* value);
void append_msgpack(std::string& out, const Type& type, const void* value);
[[nodiscard]] Result<> from_msgpack(std::string_view bytes, const Type& type, void* value);

// Appends the JSON text of `value`. Invalid UTF-8 is written as U+FFFD.
template <class T>
void append_json(std::string& out, const T& value) { append_json(out, type_of<T>(), &value); }

// Replaces the fields of `value` that the text names. Errors name the field: "Job.TaskGroups: expected a list".
template <class T>
[[nodiscard]] Result<> from_json(std::string_view text, T& value) { return from_json(text, type_of<T>(), &value); }
template <class T>
[[nodiscard]] Result<> from_json_value(const Json& json, T& value) { return from_json_value(json, type_of<T>(), &value); }

template <class T>
void append_msgpack(std::string& out, const T& value) { append_msgpack(out, type_of<T>(), &value); }
template <class T>
[[nodiscard]] Result<> from_msgpack(std::string_view bytes, T& value) { return from_msgpack(bytes, type_of<T>(), &value); }

template <class T>
[[nodiscard]] std::string to_json(const T& value) {
  std::string out;
  append_json(out, type_of<T>(), &value);
  return out;
}
template <class T>
[[nodiscard]] std::string to_msgpack(const T& value) {
  std::string out;
  append_msgpack(out, type_of<T>(), &value);
  return out;
}

}  // namespace drover::model
