// MessagePack of every described type: walks its table of fields (reflect.h).
//
// Structs are maps from field name to value without zero fields, in order of declaration. A reader expects that order and
// searches when a writer of another version kept another. Any is a JSON text.
#include <bitset>
#include <nlohmann/json.hpp>

#include "lib/model/codec.h"
#include "lib/model/json_complaint.h"
#include "lib/model/msgpack.h"

namespace drover::model {
namespace {

template <class T>
const T& as(const void* value) { return *static_cast<const T*>(value); }
template <class T>
T& as(void* value) { return *static_cast<T*>(value); }

void write(msgpack::Writer& out, const Type& type, const void* value);

void write_fields(msgpack::Writer& out, const Type& type, const void* value) {
  const std::vector<Field>& fields = type.fields();
  std::bitset<128> present;
  for (std::size_t i = 0; i < fields.size(); ++i) present.set(i, !is_zero(*fields[i].type, fields[i].in(value)));
  out.map(present.count());
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (!present.test(i)) continue;
    out.string(fields[i].name);
    write(out, *fields[i].type, fields[i].in(value));
  }
}

void write(msgpack::Writer& out, const Type& type, const void* value) {
  switch (type.kind) {
    case Kind::boolean: return out.boolean(as<bool>(value));
    case Kind::integer: return out.number(integer_of(type, value));
    case Kind::unsigned_integer: return out.number(unsigned_of(type, value));
    case Kind::floating: return out.number(floating_of(type, value));
    case Kind::text: return out.string(as<std::string>(value));
    case Kind::duration: return out.number(static_cast<std::int64_t>(as<Duration>(value).count()));
    case Kind::time: return as<Time>(value).is_zero() ? out.nil() : out.number(as<Time>(value).unix_nanos());
    case Kind::bytes: return as<Bytes>(value).is_nil() ? out.nil() : out.binary(as<Bytes>(value).data());
    case Kind::any:
      if (as<Any>(value).is_null()) return out.nil();
      return out.string(as<Any>(value).json().dump(-1, ' ', false, Json::error_handler_t::replace));
    case Kind::list: {
      if (type.is_nil(value)) return out.nil();
      const std::size_t count = type.count(value);
      out.array(count);
      for (std::size_t i = 0; i < count; ++i) write(out, *type.element, type.at(value, i));
      return;
    }
    case Kind::map:
      if (type.is_nil(value)) return out.nil();
      out.map(type.count(value));
      type.each(value, [&](const std::string& key, const void* item) {
        out.string(key);
        write(out, *type.element, item);
      });
      return;
    case Kind::pointer:
      if (const void* inner = type.get(value)) return write(out, *type.element, inner);
      return out.nil();
    case Kind::structure: return write_fields(out, type, value);
  }
}

bool read(msgpack::Reader& in, const Type& type, void* value);

bool read_fields(msgpack::Reader& in, const Type& type, void* value) {
  std::uint32_t size = 0;
  if (!in.map(size) || !in.enter()) return false;
  const std::vector<Field>& fields = type.fields();
  std::size_t next = 0;
  for (; size != 0; --size) {
    std::string_view key;
    if (!in.string(key)) return false;
    std::size_t tried = 0;
    while (tried < fields.size() && fields[next].name != key) {
      next = next + 1 == fields.size() ? 0 : next + 1;
      ++tried;
    }
    const bool known = tried < fields.size();
    // What is not known is a field of a newer version.
    if (known ? !read(in, *fields[next].type, fields[next].in(value)) : !in.skip()) return false;
  }
  in.leave();
  return true;
}

bool read_any(msgpack::Reader& in, Any& value) {
  std::string_view text;
  if (!in.string(text)) return false;
  Json json;
  if (!parse_json(text, json).empty()) return false;
  value = Any(std::move(json));
  return true;
}

bool read_list(msgpack::Reader& in, const Type& type, void* value) {
  std::uint32_t size = 0;
  if (!in.array(size)) return false;
  type.open(value);
  for (; size != 0; --size) {
    if (!read(in, *type.element, type.append(value))) return false;
  }
  return true;
}

bool read_map(msgpack::Reader& in, const Type& type, void* value) {
  std::uint32_t size = 0;
  if (!in.map(size)) return false;
  type.open(value);
  for (; size != 0; --size) {
    std::string_view key;
    if (!in.string(key) || !read(in, *type.element, type.insert(value, key))) return false;
  }
  return true;
}

bool read(msgpack::Reader& in, const Type& type, void* value) {
  if (in.take_nil()) {
    set_zero(type, value);
    return true;
  }
  std::string_view text;
  switch (type.kind) {
    case Kind::boolean: return in.boolean(as<bool>(value));
    case Kind::integer: {
      std::int64_t number = 0;
      return in.number(number) && set_integer(type, value, number);
    }
    case Kind::unsigned_integer: {
      std::uint64_t number = 0;
      return in.number(number) && set_unsigned(type, value, number);
    }
    case Kind::floating: {
      double number = 0;
      if (!in.number(number)) return false;
      set_floating(type, value, number);
      return true;
    }
    case Kind::text:
      if (!in.string(text)) return false;
      as<std::string>(value) = text;
      return true;
    case Kind::duration: case Kind::time: {
      std::int64_t nanos = 0;
      if (!in.number(nanos)) return false;
      if (type.kind == Kind::time) as<Time>(value) = Time(nanos);
      else as<Duration>(value) = Duration(nanos);
      return true;
    }
    case Kind::bytes:
      if (!in.binary(text)) return false;
      as<Bytes>(value) = Bytes(std::string(text));
      return true;
    case Kind::any: return read_any(in, as<Any>(value));
    case Kind::list: return read_list(in, type, value);
    case Kind::map: return read_map(in, type, value);
    case Kind::pointer: return read(in, *type.element, type.make(value));
    case Kind::structure: return read_fields(in, type, value);
  }
  return false;
}

}  // namespace

void append_msgpack(std::string& out, const Type& type, const void* value) {
  msgpack::Writer writer(out);
  write(writer, type, value);
}

Result<> from_msgpack(std::string_view bytes, const Type& type, void* value) {
  msgpack::Reader reader(bytes);
  if (!read(reader, type, value) || !reader.at_end()) {
    return fail(Code::invalid_argument, "the bytes are not a MessagePack value of the expected type");
  }
  return {};
}

}  // namespace drover::model
