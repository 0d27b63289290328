// The values a template sees: Go's kinds as far as text/template tells them apart, with the name of the Go type.
//
// A Value is small and cheap to copy; lists, maps and structs are shared and immutable. `absent` is what a missing map entry or
// a nil interface gives (prints `<no value>`), `nil` a nil pointer (prints `<nil>`). An Object lets a caller give a value methods.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "sdk/base/error.h"

namespace drover::gotemplate {

enum class Kind : std::uint8_t { absent, nil, boolean, integer, unsigned_integer, floating, string, bytes, list, map, structure, object };

class Value;

struct ListData {
  std::string type;  // "[]string"
  std::vector<Value> items;
  bool nil = false;  // differs from empty in JSON only
};

struct MapData {
  std::string type;  // "map[string]string"
  std::map<std::string, Value, std::less<>> entries;
  bool nil = false;
};

struct StructData {
  std::string type;  // "api.Job"
  std::vector<std::pair<std::string, Value>> fields;  // in their order
};

// A value with methods. `data` is what it is otherwise: printed, ranged over, tested.
class Object {
 public:
  virtual ~Object() = default;
  [[nodiscard]] virtual std::string type() const = 0;
  [[nodiscard]] virtual Value data() const = 0;
  // Calls a method; nothing when there is none of that name.
  [[nodiscard]] virtual std::optional<Result<Value>> call(std::string_view method, const std::vector<Value>& arguments) const = 0;
};

class Value {
 public:
  Value() = default;
  Value(bool value) : data_(value), kind_(Kind::boolean) {}                          // NOLINT(google-explicit-constructor)
  Value(std::string value) : data_(std::move(value)), kind_(Kind::string) {}         // NOLINT(google-explicit-constructor)
  Value(std::string_view value) : Value(std::string(value)) {}                       // NOLINT(google-explicit-constructor)
  Value(const char* value) : Value(std::string(value)) {}                            // NOLINT(google-explicit-constructor)

  static Value nil(std::string type);
  // `type` names the Go type where it is not the plain one ("int32", "time.Duration").
  static Value integer(std::int64_t value, std::string type = "int");
  static Value unsigned_integer(std::uint64_t value, std::string type = "uint64");
  static Value floating(double value);
  static Value bytes(std::string value);
  static Value list(std::vector<Value> items, std::string type = "[]interface {}");
  static Value map(std::map<std::string, Value, std::less<>> entries, std::string type = "map[string]interface {}");
  static Value nil_list(std::string type);
  static Value nil_map(std::string type);
  // `pointer`: the value is held by pointer, as most are; shows in the type's name and in print.
  static Value structure(std::shared_ptr<const StructData> data, bool pointer = false);
  static Value object(std::shared_ptr<const Object> object);

  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] bool is_pointer() const { return pointer_; }
  // As Go prints a type with %T; empty for absent.
  [[nodiscard]] std::string type() const;

  [[nodiscard]] bool boolean() const { return std::get<bool>(data_); }
  [[nodiscard]] std::int64_t integer() const { return std::get<std::int64_t>(data_); }
  [[nodiscard]] std::uint64_t unsigned_integer() const { return std::get<std::uint64_t>(data_); }
  [[nodiscard]] double floating() const { return std::get<double>(data_); }
  [[nodiscard]] const std::string& text() const { return std::get<std::string>(data_); }  // of a string or bytes
  [[nodiscard]] const ListData& list() const { return *std::get<std::shared_ptr<const ListData>>(data_); }
  [[nodiscard]] const MapData& map() const { return *std::get<std::shared_ptr<const MapData>>(data_); }
  [[nodiscard]] const StructData& structure() const { return *std::get<std::shared_ptr<const StructData>>(data_); }
  [[nodiscard]] const Object& object() const { return *std::get<std::shared_ptr<const Object>>(data_); }

  // The value itself, or what an object is otherwise.
  [[nodiscard]] Value plain() const { return kind_ == Kind::object ? object().data() : *this; }
  // Field of a struct, entry of a map; nullptr when there is none.
  [[nodiscard]] const Value* member(std::string_view name) const;
  // Whether `if` takes it for true.
  [[nodiscard]] bool truth() const;
  [[nodiscard]] bool is_number() const { return kind_ == Kind::integer || kind_ == Kind::unsigned_integer || kind_ == Kind::floating; }

 private:
  std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, std::shared_ptr<const ListData>,
               std::shared_ptr<const MapData>, std::shared_ptr<const StructData>, std::shared_ptr<const Object>> data_;
  std::string type_;  // of numbers and nil, when it is not the plain one
  Kind kind_ = Kind::absent;
  bool pointer_ = false;
};

}  // namespace drover::gotemplate
