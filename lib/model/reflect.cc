#include "lib/model/reflect.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "lib/model/types.h"

namespace drover::model {
namespace {

template <class T>
const T& as(const void* value) { return *static_cast<const T*>(value); }

template <class T, class Number>
bool store(void* value, Number number) {
  if (!std::in_range<T>(number)) return false;
  *static_cast<T*>(value) = static_cast<T>(number);
  return true;
}

}  // namespace

bool is_zero(const Type& type, const void* value) {
  switch (type.kind) {
    case Kind::boolean: return !as<bool>(value);
    case Kind::integer: return integer_of(type, value) == 0;
    case Kind::unsigned_integer: return unsigned_of(type, value) == 0;
    case Kind::floating: return floating_of(type, value) == 0;
    case Kind::text: return as<std::string>(value).empty();
    case Kind::duration: return as<Duration>(value).count() == 0;
    case Kind::time: return as<Time>(value).is_zero();
    case Kind::bytes: return as<Bytes>(value).is_nil();
    case Kind::any: return as<Any>(value).is_null();
    case Kind::list: case Kind::map: return type.is_nil(value);
    case Kind::pointer: {
      const void* inner = type.get(value);
      // One to a null list or map is written as null, and read back as no pointer.
      const bool container = type.element->kind == Kind::list || type.element->kind == Kind::map;
      return inner == nullptr || (container && type.element->is_nil(inner));
    }
    case Kind::structure:
      return std::ranges::all_of(type.fields(), [&](const Field& field) { return is_zero(*field.type, field.in(value)); });
  }
  return true;
}

bool is_empty(const Type& type, const void* value) {
  if (type.kind == Kind::bytes) return as<Bytes>(value).empty();
  if (type.kind == Kind::list || type.kind == Kind::map) return type.count(value) == 0;
  return is_zero(type, value);
}

void set_zero(const Type& type, void* value) {
  switch (type.kind) {
    case Kind::boolean: *static_cast<bool*>(value) = false; break;
    case Kind::integer: case Kind::unsigned_integer: std::memset(value, 0, type.size); break;
    case Kind::floating: set_floating(type, value, 0); break;
    case Kind::text: static_cast<std::string*>(value)->clear(); break;
    case Kind::duration: *static_cast<Duration*>(value) = {}; break;
    case Kind::time: *static_cast<Time*>(value) = {}; break;
    case Kind::bytes: *static_cast<Bytes*>(value) = {}; break;
    case Kind::any: *static_cast<Any*>(value) = {}; break;
    case Kind::list: case Kind::map: case Kind::pointer: type.clear(value); break;
    case Kind::structure:
      for (const Field& field : type.fields()) set_zero(*field.type, field.in(value));
      break;
  }
}

std::int64_t integer_of(const Type& type, const void* value) {
  switch (type.size) {
    case 1: return as<std::int8_t>(value);
    case 2: return as<std::int16_t>(value);
    case 4: return as<std::int32_t>(value);
    default: return as<std::int64_t>(value);
  }
}

std::uint64_t unsigned_of(const Type& type, const void* value) {
  switch (type.size) {
    case 1: return as<std::uint8_t>(value);
    case 2: return as<std::uint16_t>(value);
    case 4: return as<std::uint32_t>(value);
    default: return as<std::uint64_t>(value);
  }
}

double floating_of(const Type& type, const void* value) {
  return type.size == sizeof(float) ? static_cast<double>(as<float>(value)) : as<double>(value);
}

bool set_integer(const Type& type, void* value, std::int64_t number) {
  switch (type.size) {
    case 1: return store<std::int8_t>(value, number);
    case 2: return store<std::int16_t>(value, number);
    case 4: return store<std::int32_t>(value, number);
    default: return store<std::int64_t>(value, number);
  }
}

bool set_unsigned(const Type& type, void* value, std::uint64_t number) {
  switch (type.size) {
    case 1: return store<std::uint8_t>(value, number);
    case 2: return store<std::uint16_t>(value, number);
    case 4: return store<std::uint32_t>(value, number);
    default: return store<std::uint64_t>(value, number);
  }
}

void set_floating(const Type& type, void* value, double number) {
  if (type.size == sizeof(float)) *static_cast<float*>(value) = static_cast<float>(number);
  else *static_cast<double*>(value) = number;
}

}  // namespace drover::model
