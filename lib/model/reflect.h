// What a model type consists of, as a value at run time: the fields of a struct with their offsets, the element of a list.
//
// Made once a type from its `describe` (reflect.inc.h), so that codecs, filters and the like are ordinary functions that walk
// a table instead of a template for every type. A `Type` lives as long as the program and may be read from any thread. The
// void pointers must point at an object of exactly that type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::model {

enum class Kind : unsigned char {
  boolean, integer, unsigned_integer, floating, text, duration, time, bytes, any, list, map, pointer, structure
};

// When a JSON object shows a field (types.h).
enum class Presence : unsigned char { always, omit_empty, null_zero };

struct Type;

struct Field {
  std::string_view name;
  std::string json_key;  // `"Name":`
  std::size_t offset = 0;
  const Type* type = nullptr;
  Presence presence = Presence::always;

  [[nodiscard]] const void* in(const void* object) const { return static_cast<const char*>(object) + offset; }
  [[nodiscard]] void* in(void* object) const { return static_cast<char*>(object) + offset; }
};

// Functions of a kind that the others lack are null.
struct Type {
  Kind kind;
  unsigned char size;           // bytes of an integer or floating number
  bool omits_zero;              // structure: JSON shows no zero field at all
  const Type* element;          // list, map, pointer

  // structure: in order of declaration
  const std::vector<Field>& (*fields)();

  // list, map, pointer: makes it null
  void (*clear)(void*);

  // list and map; is_nil tells null from an empty one, open() makes it empty and not null
  std::size_t (*count)(const void*);
  bool (*is_nil)(const void*);
  void (*open)(void*);
  const void* (*at)(const void*, std::size_t index);
  void* (*append)(void*);  // a new last element; invalidates pointers to the others
  void (*each)(const void*, const std::function<void(const std::string& key, const void* value)>&);
  const void* (*find)(const void*, std::string_view key);
  void* (*insert)(void*, std::string_view key);  // the value of that key, made if absent

  // pointer: box, optional, shared
  const void* (*get)(const void*);
  void* (*make)(void*);  // the value to fill in, made if absent; a shared one is always made anew
};

// Instantiated for the types listed in codec_*.cc; using another type is a link error that says which line to add there.
template <class T>
[[nodiscard]] const Type& type_of();

// Go's zero value, for structs every member zero. A list or map that is allocated but empty is not zero: it must survive.
[[nodiscard]] bool is_zero(const Type& type, const void* value);
// Go's `omitempty`: also an empty list or map that is allocated.
[[nodiscard]] bool is_empty(const Type& type, const void* value);

// Assigns the zero value.
void set_zero(const Type& type, void* value);

[[nodiscard]] std::int64_t integer_of(const Type& type, const void* value);
[[nodiscard]] std::uint64_t unsigned_of(const Type& type, const void* value);
[[nodiscard]] double floating_of(const Type& type, const void* value);
// Each returns false when the number does not fit.
[[nodiscard]] bool set_integer(const Type& type, void* value, std::int64_t number);
[[nodiscard]] bool set_unsigned(const Type& type, void* value, std::uint64_t number);
void set_floating(const Type& type, void* value, double number);

}  // namespace drover::model
