#include "lib/gotemplate/value.h"

namespace drover::gotemplate {

Value Value::nil(std::string type) {
  Value out;
  out.kind_ = Kind::nil;
  out.type_ = std::move(type);
  return out;
}

Value Value::integer(std::int64_t value, std::string type) {
  Value out;
  out.kind_ = Kind::integer;
  out.data_ = value;
  out.type_ = std::move(type);
  return out;
}

Value Value::unsigned_integer(std::uint64_t value, std::string type) {
  Value out;
  out.kind_ = Kind::unsigned_integer;
  out.data_ = value;
  out.type_ = std::move(type);
  return out;
}

Value Value::floating(double value) {
  Value out;
  out.kind_ = Kind::floating;
  out.data_ = value;
  return out;
}

Value Value::bytes(std::string value) {
  Value out(std::move(value));
  out.kind_ = Kind::bytes;
  return out;
}

Value Value::list(std::vector<Value> items, std::string type) {
  Value out;
  out.kind_ = Kind::list;
  out.data_ = std::make_shared<const ListData>(ListData{std::move(type), std::move(items), false});
  return out;
}

Value Value::map(std::map<std::string, Value, std::less<>> entries, std::string type) {
  Value out;
  out.kind_ = Kind::map;
  out.data_ = std::make_shared<const MapData>(MapData{std::move(type), std::move(entries), false});
  return out;
}

Value Value::nil_list(std::string type) {
  Value out;
  out.kind_ = Kind::list;
  out.data_ = std::make_shared<const ListData>(ListData{std::move(type), {}, true});
  return out;
}

Value Value::nil_map(std::string type) {
  Value out;
  out.kind_ = Kind::map;
  out.data_ = std::make_shared<const MapData>(MapData{std::move(type), {}, true});
  return out;
}

Value Value::structure(std::shared_ptr<const StructData> data, bool pointer) {
  Value out;
  out.kind_ = Kind::structure;
  out.data_ = std::move(data);
  out.pointer_ = pointer;
  return out;
}

Value Value::object(std::shared_ptr<const Object> object) {
  Value out;
  out.kind_ = Kind::object;
  out.data_ = std::move(object);
  return out;
}

std::string Value::type() const {
  switch (kind_) {
    case Kind::absent: return "";
    case Kind::nil: case Kind::integer: case Kind::unsigned_integer: return type_;
    case Kind::boolean: return "bool";
    case Kind::floating: return "float64";
    case Kind::string: return "string";
    case Kind::bytes: return "[]uint8";
    case Kind::list: return list().type;
    case Kind::map: return map().type;
    case Kind::structure: return (pointer_ ? "*" : "") + structure().type;
    case Kind::object: return object().type();
  }
  return "";
}

const Value* Value::member(std::string_view name) const {
  if (kind_ == Kind::map) {
    const auto at = map().entries.find(name);
    return at == map().entries.end() ? nullptr : &at->second;
  }
  if (kind_ == Kind::structure) {
    for (const auto& [field, value] : structure().fields) {
      if (field == name) return &value;
    }
  }
  return nullptr;
}

bool Value::truth() const {
  switch (kind_) {
    case Kind::absent: case Kind::nil: return false;
    case Kind::boolean: return boolean();
    case Kind::integer: return integer() != 0;
    case Kind::unsigned_integer: return unsigned_integer() != 0;
    case Kind::floating: return floating() != 0;
    case Kind::string: case Kind::bytes: return !text().empty();
    case Kind::list: return !list().items.empty();
    case Kind::map: return !map().entries.empty();
    case Kind::structure: return true;
    case Kind::object: return object().data().truth();
  }
  return false;
}

}  // namespace drover::gotemplate
