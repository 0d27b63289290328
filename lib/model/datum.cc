#include "lib/model/datum.h"

#include <nlohmann/json.hpp>

#include "lib/model/node.h"
#include "lib/model/types.h"

namespace drover::model {
namespace {

using bexpr::Datum;
using DatumPtr = std::unique_ptr<Datum>;

bexpr::Kind kind_of(const Type& type) {
  switch (type.kind) {
    case Kind::boolean: return bexpr::Kind::boolean;
    case Kind::text: return bexpr::Kind::string;
    case Kind::floating: return bexpr::Kind::floating;
    case Kind::unsigned_integer: return bexpr::Kind::unsigned_integer;
    case Kind::integer: case Kind::duration: return bexpr::Kind::integer;
    case Kind::list: case Kind::bytes: return bexpr::Kind::list;
    case Kind::map: return bexpr::Kind::map;
    case Kind::pointer: return kind_of(*type.element);
    case Kind::time: case Kind::any: case Kind::structure: return bexpr::Kind::structure;
  }
  return bexpr::Kind::nil;
}

class NilDatum final : public Datum {
 public:
  [[nodiscard]] bexpr::Kind kind() const override { return bexpr::Kind::nil; }
};

class ScalarDatum final : public Datum {
 public:
  ScalarDatum(const Type& type, const void* value) : type_(type), value_(value) {}
  [[nodiscard]] bexpr::Kind kind() const override { return kind_of(type_); }
  [[nodiscard]] std::string_view text() const override { return *static_cast<const std::string*>(value_); }
  [[nodiscard]] std::int64_t integer() const override {
    return type_.kind == Kind::duration ? static_cast<const Duration*>(value_)->count() : integer_of(type_, value_);
  }
  [[nodiscard]] std::uint64_t unsigned_integer() const override { return unsigned_of(type_, value_); }
  [[nodiscard]] double floating() const override { return floating_of(type_, value_); }
  [[nodiscard]] bool boolean() const override { return *static_cast<const bool*>(value_); }

 private:
  const Type& type_;
  const void* value_;
};

// Free-form configuration. Numbers are floats, as Go's decoder leaves them.
class JsonDatum final : public Datum {
 public:
  explicit JsonDatum(const Json& json) : json_(json) {}
  [[nodiscard]] bexpr::Kind kind() const override {
    switch (json_.type()) {
      case Json::value_t::string: return bexpr::Kind::string;
      case Json::value_t::boolean: return bexpr::Kind::boolean;
      case Json::value_t::array: return bexpr::Kind::list;
      case Json::value_t::object: return bexpr::Kind::map;
      case Json::value_t::number_float: case Json::value_t::number_integer: case Json::value_t::number_unsigned: return bexpr::Kind::floating;
      default: return bexpr::Kind::nil;
    }
  }
  [[nodiscard]] std::string_view text() const override { return json_.get_ref<const std::string&>(); }
  [[nodiscard]] double floating() const override { return json_.get<double>(); }
  [[nodiscard]] bool boolean() const override { return json_.get<bool>(); }
  [[nodiscard]] std::size_t size() const override { return json_.size(); }
  [[nodiscard]] DatumPtr field(std::string_view name) const override {
    if (!json_.is_object()) return nullptr;
    const auto at = json_.find(std::string(name));
    return at == json_.end() ? nullptr : std::make_unique<JsonDatum>(*at);
  }
  [[nodiscard]] DatumPtr element(std::size_t index) const override {
    return json_.is_array() && index < json_.size() ? std::make_unique<JsonDatum>(json_[index]) : nullptr;
  }
  [[nodiscard]] std::vector<std::string> keys() const override {
    std::vector<std::string> out;
    if (json_.is_object()) {
      for (const auto& [key, value] : json_.items()) out.push_back(key);
    }
    return out;
  }

 private:
  const Json& json_;
};

constexpr Type byte_type{.kind = Kind::unsigned_integer, .size = 1};
constexpr Type text_type{.kind = Kind::text};

class BytesDatum final : public Datum {
 public:
  explicit BytesDatum(const Bytes& value) : value_(value) {}
  [[nodiscard]] bexpr::Kind kind() const override { return bexpr::Kind::list; }
  [[nodiscard]] std::size_t size() const override { return value_.data().size(); }
  [[nodiscard]] bool is_nil() const override { return value_.is_nil(); }
  [[nodiscard]] bexpr::Kind element_kind() const override { return bexpr::Kind::unsigned_integer; }
  [[nodiscard]] DatumPtr element(std::size_t index) const override {
    if (index >= size()) return nullptr;
    return std::make_unique<ScalarDatum>(byte_type, value_.data().data() + index);
  }

 private:
  const Bytes& value_;
};

class ListDatum final : public Datum {
 public:
  ListDatum(const Type& type, const void* value) : type_(type), value_(value) {}
  [[nodiscard]] bexpr::Kind kind() const override { return bexpr::Kind::list; }
  [[nodiscard]] std::size_t size() const override { return type_.count(value_); }
  [[nodiscard]] bool is_nil() const override { return type_.is_nil(value_); }
  [[nodiscard]] bexpr::Kind element_kind() const override { return kind_of(*type_.element); }
  [[nodiscard]] DatumPtr element(std::size_t index) const override {
    return index < size() ? to_datum(*type_.element, type_.at(value_, index)) : nullptr;
  }

 private:
  const Type& type_;
  const void* value_;
};

class MapDatum final : public Datum {
 public:
  MapDatum(const Type& type, const void* value) : type_(type), value_(value) {}
  [[nodiscard]] bexpr::Kind kind() const override { return bexpr::Kind::map; }
  [[nodiscard]] std::size_t size() const override { return type_.count(value_); }
  [[nodiscard]] bool is_nil() const override { return type_.is_nil(value_); }
  [[nodiscard]] bexpr::Kind element_kind() const override { return kind_of(*type_.element); }
  [[nodiscard]] DatumPtr field(std::string_view name) const override {
    const void* found = type_.find(value_, name);
    return found == nullptr ? nullptr : to_datum(*type_.element, found);
  }
  [[nodiscard]] std::vector<std::string> keys() const override {
    std::vector<std::string> out;
    type_.each(value_, [&](const std::string& key, const void*) { out.push_back(key); });
    return out;
  }

 private:
  const Type& type_;
  const void* value_;
};

class StructDatum final : public Datum {
 public:
  StructDatum(const Type& type, const void* value) : type_(type), value_(value) {}
  [[nodiscard]] bexpr::Kind kind() const override { return bexpr::Kind::structure; }
  [[nodiscard]] DatumPtr field(std::string_view name) const override {
    static const std::string hidden;
    // A regular expression over a node's credential would give it away letter by letter.
    if (&type_ == &type_of<Node>() && name == "SecretID") return std::make_unique<ScalarDatum>(text_type, &hidden);
    for (const Field& field : type_.fields()) {
      if (field.name == name) return to_datum(*field.type, field.in(value_));
    }
    return nullptr;
  }

 private:
  const Type& type_;
  const void* value_;
};

// A point in time is a struct whose fields nobody can name.
class TimeDatum final : public Datum {
 public:
  [[nodiscard]] bexpr::Kind kind() const override { return bexpr::Kind::structure; }
};

}  // namespace

std::unique_ptr<Datum> to_datum(const Type& type, const void* value) {
  switch (type.kind) {
    case Kind::pointer:
      if (const void* inner = type.get(value)) return to_datum(*type.element, inner);
      return std::make_unique<NilDatum>();
    case Kind::list: return std::make_unique<ListDatum>(type, value);
    case Kind::map: return std::make_unique<MapDatum>(type, value);
    case Kind::bytes: return std::make_unique<BytesDatum>(*static_cast<const Bytes*>(value));
    case Kind::any: return std::make_unique<JsonDatum>(static_cast<const Any*>(value)->json());
    case Kind::time: return std::make_unique<TimeDatum>();
    case Kind::structure: return std::make_unique<StructDatum>(type, value);
    default: return std::make_unique<ScalarDatum>(type, value);
  }
}

}  // namespace drover::model
