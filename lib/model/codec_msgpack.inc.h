// The MessagePack codec's templates; included only by codec_*.cc, which instantiate them.
//
// Structs are maps from field name to value without zero fields, in declaration order. Reading walks the fields once in
// the same order and falls back to a search when a writer of another version ordered them differently. Any is a JSON text.
#pragma once

#include <nlohmann/json.hpp>

#include "lib/model/codec.h"
#include "lib/model/msgpack.h"
#include "lib/model/traits.h"

namespace drover::model::msgpack_codec {

template <class T>
void write(msgpack::Writer& out, const T& value);

struct FieldCounter {
  std::uint32_t count = 0;
  template <class T, class... Flags>
  void operator()(const char*, const T& value, Flags...) {
    if (!is_zero(value)) ++count;
  }
};

struct FieldWriter {
  msgpack::Writer& out;
  template <class T, class... Flags>
  void operator()(const char* name, const T& value, Flags...) {
    if (is_zero(value)) return;
    out.string(name);
    write(out, value);
  }
};

template <class T>
void write(msgpack::Writer& out, const T& value) {
  if constexpr (std::is_same_v<T, bool>) out.boolean(value);
  else if constexpr (std::is_floating_point_v<T>) out.number(static_cast<double>(value));
  else if constexpr (std::is_unsigned_v<T>) out.number(static_cast<std::uint64_t>(value));
  else if constexpr (std::is_integral_v<T>) out.number(static_cast<std::int64_t>(value));
  else if constexpr (std::is_same_v<T, std::string>) out.string(value);
  else if constexpr (std::is_same_v<T, Duration>) out.number(static_cast<std::int64_t>(value.count()));
  else if constexpr (std::is_same_v<T, Time>) {
    if (value.is_zero()) out.nil();
    else out.number(value.unix_nanos());
  } else if constexpr (std::is_same_v<T, Bytes>) {
    if (value.is_nil()) out.nil();
    else out.binary(value.data());
  } else if constexpr (std::is_same_v<T, Any>) {
    if (value.is_null()) out.nil();
    else out.string(value.json().dump(-1, ' ', false, Json::error_handler_t::replace));
  } else if constexpr (is_list<T>) {
    if (value.is_nil()) return out.nil();
    out.array(value.size());
    for (const auto& item : value) write(out, item);
  } else if constexpr (is_map<T>) {
    if (value.is_nil()) return out.nil();
    out.map(value.size());
    for (const auto& [key, item] : value) {
      out.string(key);
      write(out, item);
    }
  } else if constexpr (is_box<T> || is_optional<T> || is_shared<T>) {
    if (value) write(out, *value);
    else out.nil();
  } else {
    FieldCounter counter;
    T::describe(value, counter);
    out.map(counter.count);
    FieldWriter fields{out};
    T::describe(value, fields);
  }
}

template <class T>
bool read(msgpack::Reader& in, T& value);

struct FieldReader {
  msgpack::Reader& in;
  std::uint32_t left;
  std::string_view key;
  bool ok = true;
  bool matched = false;

  void advance() {
    if (left == 0 || !ok) return;
    ok = in.string(key);
  }
  template <class T, class... Flags>
  void operator()(const char* name, T& value, Flags...) {
    if (!ok || left == 0 || key != name) return;
    matched = true;
    ok = read(in, value);
    --left;
    advance();
  }
};

template <class T>
bool read(msgpack::Reader& in, T& value) {
  if (in.take_nil()) {
    value = T{};
    return true;
  }
  if constexpr (std::is_same_v<T, bool>) return in.boolean(value);
  else if constexpr (std::is_floating_point_v<T>) {
    double number = 0;
    if (!in.number(number)) return false;
    value = static_cast<T>(number);
    return true;
  } else if constexpr (std::is_unsigned_v<T>) {
    std::uint64_t number = 0;
    if (!in.number(number)) return false;
    value = static_cast<T>(number);
    return true;
  } else if constexpr (std::is_integral_v<T>) {
    std::int64_t number = 0;
    if (!in.number(number)) return false;
    value = static_cast<T>(number);
    return true;
  } else if constexpr (std::is_same_v<T, std::string>) {
    std::string_view text;
    if (!in.string(text)) return false;
    value = text;
    return true;
  } else if constexpr (std::is_same_v<T, Duration> || std::is_same_v<T, Time>) {
    std::int64_t nanos = 0;
    if (!in.number(nanos)) return false;
    value = T(nanos);
    return true;
  } else if constexpr (std::is_same_v<T, Bytes>) {
    std::string_view data;
    if (!in.binary(data)) return false;
    value = Bytes(std::string(data));
    return true;
  } else if constexpr (std::is_same_v<T, Any>) {
    std::string_view text;
    if (!in.string(text)) return false;
    Json json = Json::parse(text, nullptr, false);
    if (json.is_discarded()) return false;
    value = Any(std::move(json));
    return true;
  } else if constexpr (is_list<T>) {
    std::uint32_t size = 0;
    if (!in.array(size)) return false;
    value.clear();
    value.allocate();
    for (std::uint32_t i = 0; i < size; ++i) {
      typename T::value_type item{};
      if (!read(in, item)) return false;
      value.push_back(std::move(item));
    }
    return true;
  } else if constexpr (is_map<T>) {
    std::uint32_t size = 0;
    if (!in.map(size)) return false;
    value.clear();
    value.allocate();
    for (std::uint32_t i = 0; i < size; ++i) {
      std::string_view key;
      if (!in.string(key) || !read(in, value[std::string(key)])) return false;
    }
    return true;
  } else if constexpr (is_box<T>) {
    return read(in, value.ensure());
  } else if constexpr (is_optional<T>) {
    return read(in, value.emplace());
  } else if constexpr (is_shared<T>) {
    auto inner = std::make_shared<std::remove_const_t<typename T::element_type>>();
    if (!read(in, *inner)) return false;
    value = std::move(inner);
    return true;
  } else {
    std::uint32_t size = 0;
    if (!in.map(size) || !in.enter()) return false;
    FieldReader fields{in, size, {}};
    fields.advance();
    while (fields.ok && fields.left != 0) {
      fields.matched = false;
      T::describe(value, fields);
      if (!fields.ok || fields.left == 0 || fields.matched) continue;
      // A field of a newer version.
      fields.ok = in.skip();
      --fields.left;
      fields.advance();
    }
    in.leave();
    return fields.ok;
  }
}

}  // namespace drover::model::msgpack_codec
