// Types and values of expressions: strings, numbers, bools, lists, sets, maps, tuples, objects; each may be null or unknown.
//
// Both are immutable and share their contents, so copying is cheap. "dynamic" is the type of null and of values that could not be
// computed; an unknown value stands where an error was already reported. Sets are sorted and hold each element once.
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

#include "lib/hcl/number.h"

namespace drover::hcl {

enum class Kind : std::uint8_t { dynamic, string, number, boolean, list, set, map, tuple, object };

class Type {
 public:
  Type() = default;  // dynamic
  [[nodiscard]] static Type dynamic() { return {}; }
  [[nodiscard]] static Type string() { return Type(Kind::string); }
  [[nodiscard]] static Type number() { return Type(Kind::number); }
  [[nodiscard]] static Type boolean() { return Type(Kind::boolean); }
  [[nodiscard]] static Type list(Type element);
  [[nodiscard]] static Type set(Type element);
  [[nodiscard]] static Type map(Type element);
  [[nodiscard]] static Type tuple(std::vector<Type> elements);
  [[nodiscard]] static Type object(std::map<std::string, Type, std::less<>> attributes);

  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] bool is_dynamic() const { return kind_ == Kind::dynamic; }
  [[nodiscard]] bool is_primitive() const { return kind_ == Kind::string || kind_ == Kind::number || kind_ == Kind::boolean; }
  [[nodiscard]] bool is_collection() const { return kind_ == Kind::list || kind_ == Kind::set || kind_ == Kind::map; }
  // Of a list, set or map.
  [[nodiscard]] const Type& element() const;
  [[nodiscard]] const std::vector<Type>& elements() const;                               // of a tuple
  [[nodiscard]] const std::map<std::string, Type, std::less<>>& attributes() const;      // of an object
  [[nodiscard]] bool has_dynamic() const;
  // "list of string", "object", "dynamic".
  [[nodiscard]] std::string friendly_name() const;
  // The same for a type that values shall fit: "any type" instead of "dynamic".
  [[nodiscard]] std::string constraint_name() const;
  friend bool operator==(const Type& a, const Type& b);

 private:
  explicit Type(Kind kind) : kind_(kind) {}
  struct Detail;
  std::shared_ptr<const Detail> detail_;
  Kind kind_ = Kind::dynamic;
};

class Value {
 public:
  using List = std::vector<Value>;
  using Map = std::map<std::string, Value, std::less<>>;

  Value() = default;  // unknown of dynamic type
  [[nodiscard]] static Value unknown(Type type = {}) { return Value(std::move(type), Unknown{}); }
  [[nodiscard]] static Value null(Type type = {}) { return Value(std::move(type), Null{}); }
  [[nodiscard]] static Value string(std::string text);
  [[nodiscard]] static Value number(Number number) { return Value(Type::number(), std::move(number)); }
  [[nodiscard]] static Value boolean(bool value) { return Value(Type::boolean(), value); }
  [[nodiscard]] static Value tuple(List elements);
  [[nodiscard]] static Value object(Map attributes);
  [[nodiscard]] static Value list(Type element, List elements);
  [[nodiscard]] static Value set(Type element, List elements);
  [[nodiscard]] static Value map(Type element, Map elements);

  [[nodiscard]] const Type& type() const { return type_; }
  [[nodiscard]] Kind kind() const { return type_.kind(); }
  [[nodiscard]] bool is_null() const { return std::holds_alternative<Null>(data_); }
  [[nodiscard]] bool is_known() const { return !std::holds_alternative<Unknown>(data_); }
  // Known all the way down.
  [[nodiscard]] bool is_wholly_known() const;

  // The caller has checked kind, null and known.
  [[nodiscard]] const std::string& as_string() const { return *std::get<std::shared_ptr<const std::string>>(data_); }
  [[nodiscard]] const Number& as_number() const { return std::get<Number>(data_); }
  [[nodiscard]] bool as_bool() const { return std::get<bool>(data_); }
  [[nodiscard]] const List& as_list() const { return *std::get<std::shared_ptr<const List>>(data_); }  // list, set, tuple
  [[nodiscard]] const Map& as_map() const { return *std::get<std::shared_ptr<const Map>>(data_); }     // map, object

  [[nodiscard]] bool is_sequence() const { return kind() == Kind::list || kind() == Kind::set || kind() == Kind::tuple; }
  [[nodiscard]] bool is_mapping() const { return kind() == Kind::map || kind() == Kind::object; }
  [[nodiscard]] bool can_iterate() const { return is_sequence() || is_mapping(); }

  // Same type and same contents; nulls of one type are equal.
  friend bool operator==(const Value& a, const Value& b) { return compare(a, b) == 0 && a.type_ == b.type_; }
  // A total order, used for sets: by kind, then by content.
  friend int compare(const Value& a, const Value& b);

 private:
  struct Null {};
  struct Unknown {};
  using Data = std::variant<Unknown, Null, bool, Number, std::shared_ptr<const std::string>, std::shared_ptr<const List>,
                            std::shared_ptr<const Map>>;
  Value(Type type, Data data) : type_(std::move(type)), data_(std::move(data)) {}

  Type type_;
  Data data_;
};

[[nodiscard]] int compare(const Value& a, const Value& b);

}  // namespace drover::hcl
