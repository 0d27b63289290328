// Makes the `Type` of a model type from its `describe`; included only by codec_*.cc, which instantiate.
// DROVER_MODEL_CODEC(T) defines type_of<T>(), and with it what codec.h and datum.h do with a T. The tables of the largest types
// are made in one place each, which says DROVER_MODEL_FIELDS(T); elsewhere they are only referred to.
#pragma once

#include "lib/model/reflect.h"
#include "lib/model/traits.h"

namespace drover::model {
struct Allocation;
struct AllocMetric;
struct Deployment;
struct Evaluation;
struct Job;
struct Node;
struct Service;
struct Task;
struct TaskGroup;
}  // namespace drover::model

namespace drover::model::reflection {

template <class T>
constexpr Type make_type();

// One object a type, so that two pointers are equal exactly when the types are.
template <class T>
inline constexpr Type type_object = make_type<T>();

// Finds where the members of an object lie.
struct FieldCollector {
  const char* object;
  std::vector<Field>& out;

  template <class T>
  void operator()(const char* name, const T& member) { add(name, member, Presence::always); }
  template <class T>
  void operator()(const char* name, const T& member, OmitEmpty) { add(name, member, Presence::omit_empty); }
  template <class T>
  void operator()(const char* name, const T& member, NullZero) { add(name, member, Presence::null_zero); }

  template <class T>
  void add(const char* name, const T& member, Presence presence) {
    add(name, &member, &type_object<T>, presence);
  }
  void add(const char* name, const void* member, const Type* type, Presence presence) {
    const auto offset = static_cast<std::size_t>(static_cast<const char*>(member) - object);
    out.push_back({name, '"' + std::string(name) + "\":", offset, type, presence});
  }
};

template <class T>
const std::vector<Field>& fields_of() {
  static const std::vector<Field> fields = [] {
    std::vector<Field> out;
    const T object{};
    FieldCollector collector{reinterpret_cast<const char*>(&object), out};
    T::describe(object, collector);
    return out;
  }();
  return fields;
}

extern template const std::vector<Field>& fields_of<Allocation>();
extern template const std::vector<Field>& fields_of<AllocMetric>();
extern template const std::vector<Field>& fields_of<Deployment>();
extern template const std::vector<Field>& fields_of<Evaluation>();
extern template const std::vector<Field>& fields_of<Job>();
extern template const std::vector<Field>& fields_of<Node>();
extern template const std::vector<Field>& fields_of<Service>();
extern template const std::vector<Field>& fields_of<Task>();
extern template const std::vector<Field>& fields_of<TaskGroup>();

template <class T>
T& as(void* value) { return *static_cast<T*>(value); }
template <class T>
const T& as(const void* value) { return *static_cast<const T*>(value); }

template <class T>
constexpr void describe_container(Type& type) {
  type.clear = [](void* value) { as<T>(value).set_nil(); };
  type.count = [](const void* value) { return as<T>(value).size(); };
  type.is_nil = [](const void* value) { return as<T>(value).is_nil(); };
  type.open = [](void* value) { as<T>(value).clear(); as<T>(value).allocate(); };
}

template <class T>
constexpr void describe_pointer(Type& type) {
  type.kind = Kind::pointer;
  type.clear = [](void* value) { as<T>(value).reset(); };
  type.element = &type_object<std::remove_cvref_t<decltype(*std::declval<const T&>())>>;
  type.get = [](const void* value) -> const void* { return as<T>(value) ? &*as<T>(value) : nullptr; };
  if constexpr (is_box<T>) {
    type.make = [](void* value) -> void* { return &as<T>(value).ensure(); };
  } else if constexpr (is_optional<T>) {
    type.make = [](void* value) -> void* { return &as<T>(value).emplace(); };
  } else {
    type.make = [](void* value) -> void* {
      auto inner = std::make_shared<std::remove_const_t<typename T::element_type>>();
      void* out = inner.get();
      as<T>(value) = std::move(inner);
      return out;
    };
  }
}

template <class T>
constexpr Type make_type() {
  Type type{};
  if constexpr (std::is_same_v<T, bool>) {
    type.kind = Kind::boolean;
  } else if constexpr (std::is_arithmetic_v<T>) {
    type.kind = std::is_floating_point_v<T> ? Kind::floating : std::is_unsigned_v<T> ? Kind::unsigned_integer : Kind::integer;
    type.size = sizeof(T);
  } else if constexpr (std::is_same_v<T, std::string>) {
    type.kind = Kind::text;
  } else if constexpr (std::is_same_v<T, Duration>) {
    type.kind = Kind::duration;
  } else if constexpr (std::is_same_v<T, Time>) {
    type.kind = Kind::time;
  } else if constexpr (std::is_same_v<T, Bytes>) {
    type.kind = Kind::bytes;
  } else if constexpr (std::is_same_v<T, Any>) {
    type.kind = Kind::any;
  } else if constexpr (is_list<T>) {
    type.kind = Kind::list;
    type.element = &type_object<typename T::value_type>;
    describe_container<T>(type);
    type.at = [](const void* value, std::size_t index) -> const void* { return &as<T>(value)[index]; };
    type.append = [](void* value) -> void* { return &as<T>(value).emplace_back(); };
  } else if constexpr (is_map<T>) {
    type.kind = Kind::map;
    type.element = &type_object<typename T::mapped_type>;
    describe_container<T>(type);
    type.each = [](const void* value, const std::function<void(const std::string&, const void*)>& visit) {
      for (const auto& [key, item] : as<T>(value)) visit(key, &item);
    };
    type.find = [](const void* value, std::string_view key) -> const void* { return as<T>(value).get(key); };
    type.insert = [](void* value, std::string_view key) -> void* { return &as<T>(value)[std::string(key)]; };
  } else if constexpr (is_box<T> || is_optional<T> || is_shared<T>) {
    describe_pointer<T>(type);
  } else {
    type.kind = Kind::structure;
    type.omits_zero = OmitsZero<T>;
    type.fields = fields_of<T>;
  }
  return type;
}

}  // namespace drover::model::reflection

namespace drover::model {
template <class T>
const Type& type_of() { return reflection::type_object<T>; }
}  // namespace drover::model

#define DROVER_MODEL_CODEC(T) template const drover::model::Type& drover::model::type_of<T>();
#define DROVER_MODEL_FIELDS(T) template const std::vector<drover::model::Field>& drover::model::reflection::fields_of<T>();
