#include "lib/model/datum.h"

#include <nlohmann/json.hpp>

#include "lib/model/alloc.h"
#include "lib/model/deployment.h"
#include "lib/model/eval.h"
#include "lib/model/job.h"
#include "lib/model/node.h"
#include "lib/model/traits.h"

namespace drover::model {
namespace {

using bexpr::Datum;
using bexpr::Kind;
using DatumPtr = std::unique_ptr<Datum>;

template <class T>
constexpr Kind kind_of() {
  if constexpr (std::is_same_v<T, bool>) return Kind::boolean;
  else if constexpr (std::is_same_v<T, std::string>) return Kind::string;
  else if constexpr (std::is_floating_point_v<T>) return Kind::floating;
  else if constexpr (std::is_unsigned_v<T>) return Kind::unsigned_integer;
  else if constexpr (std::is_integral_v<T> || std::is_same_v<T, Duration>) return Kind::integer;
  else if constexpr (is_list<T> || std::is_same_v<T, Bytes>) return Kind::list;
  else if constexpr (is_map<T>) return Kind::map;
  else if constexpr (is_box<T> || is_optional<T> || is_shared<T>) return kind_of<std::remove_cvref_t<decltype(*std::declval<const T&>())>>();
  else return Kind::structure;
}

class NilDatum final : public Datum {
 public:
  [[nodiscard]] Kind kind() const override { return Kind::nil; }
};

class ScalarDatum final : public Datum {
 public:
  template <class T>
  explicit ScalarDatum(const T& value) : kind_(kind_of<T>()) {
    if constexpr (std::is_same_v<T, std::string>) text_ = value;
    else if constexpr (std::is_same_v<T, bool>) boolean_ = value;
    else if constexpr (std::is_same_v<T, Duration>) integer_ = value.count();
    else if constexpr (std::is_floating_point_v<T>) floating_ = static_cast<double>(value);
    else if constexpr (std::is_unsigned_v<T>) unsigned_ = value;
    else integer_ = static_cast<std::int64_t>(value);
  }
  [[nodiscard]] Kind kind() const override { return kind_; }
  [[nodiscard]] std::string_view text() const override { return text_; }
  [[nodiscard]] std::int64_t integer() const override { return integer_; }
  [[nodiscard]] std::uint64_t unsigned_integer() const override { return unsigned_; }
  [[nodiscard]] double floating() const override { return floating_; }
  [[nodiscard]] bool boolean() const override { return boolean_; }

 private:
  Kind kind_;
  bool boolean_ = false;
  std::int64_t integer_ = 0;
  std::uint64_t unsigned_ = 0;
  double floating_ = 0;
  std::string_view text_;
};

template <class T>
DatumPtr make(const T& value);

// Free-form configuration. Numbers are floats, as Go's decoder leaves them.
class JsonDatum final : public Datum {
 public:
  explicit JsonDatum(const Json& json) : json_(json) {}
  [[nodiscard]] Kind kind() const override {
    switch (json_.type()) {
      case Json::value_t::string: return Kind::string;
      case Json::value_t::boolean: return Kind::boolean;
      case Json::value_t::array: return Kind::list;
      case Json::value_t::object: return Kind::map;
      case Json::value_t::number_float: case Json::value_t::number_integer: case Json::value_t::number_unsigned: return Kind::floating;
      default: return Kind::nil;
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

class BytesDatum final : public Datum {
 public:
  explicit BytesDatum(const Bytes& value) : value_(value) {}
  [[nodiscard]] Kind kind() const override { return Kind::list; }
  [[nodiscard]] std::size_t size() const override { return value_.data().size(); }
  [[nodiscard]] bool is_nil() const override { return value_.is_nil(); }
  [[nodiscard]] Kind element_kind() const override { return Kind::unsigned_integer; }
  [[nodiscard]] DatumPtr element(std::size_t index) const override {
    if (index >= size()) return nullptr;
    return std::make_unique<ScalarDatum>(static_cast<unsigned char>(value_.data()[index]));
  }

 private:
  const Bytes& value_;
};

template <class T>
class ListDatum final : public Datum {
 public:
  explicit ListDatum(const List<T>& value) : value_(value) {}
  [[nodiscard]] Kind kind() const override { return Kind::list; }
  [[nodiscard]] std::size_t size() const override { return value_.size(); }
  [[nodiscard]] bool is_nil() const override { return value_.is_nil(); }
  [[nodiscard]] Kind element_kind() const override { return kind_of<T>(); }
  [[nodiscard]] DatumPtr element(std::size_t index) const override { return index < size() ? make<T>(value_[index]) : nullptr; }

 private:
  const List<T>& value_;
};

template <class T>
class MapDatum final : public Datum {
 public:
  explicit MapDatum(const Map<T>& value) : value_(value) {}
  [[nodiscard]] Kind kind() const override { return Kind::map; }
  [[nodiscard]] std::size_t size() const override { return value_.size(); }
  [[nodiscard]] bool is_nil() const override { return value_.is_nil(); }
  [[nodiscard]] Kind element_kind() const override { return kind_of<T>(); }
  [[nodiscard]] DatumPtr field(std::string_view name) const override {
    const T* found = value_.get(name);
    return found == nullptr ? nullptr : make(*found);
  }
  [[nodiscard]] std::vector<std::string> keys() const override {
    std::vector<std::string> out;
    for (const auto& [key, item] : value_) out.push_back(key);
    return out;
  }

 private:
  const Map<T>& value_;
};

struct Finder {
  std::string_view name;
  DatumPtr found = nullptr;
  template <class T, class... Flags>
  void operator()(const char* field, const T& value, Flags...) {
    if (!found && name == field) found = make(value);
  }
};

template <class T>
class StructDatum final : public Datum {
 public:
  explicit StructDatum(const T& value) : value_(value) {}
  [[nodiscard]] Kind kind() const override { return Kind::structure; }
  [[nodiscard]] DatumPtr field(std::string_view name) const override {
    if constexpr (std::is_same_v<T, Node>) {
      // A regular expression over a node's credential would give it away letter by letter.
      static const std::string hidden;
      if (name == "SecretID") return std::make_unique<ScalarDatum>(hidden);
    }
    Finder finder{name};
    T::describe(value_, finder);
    return std::move(finder.found);
  }

 private:
  const T& value_;
};

// A point in time is a struct whose fields nobody can name.
class TimeDatum final : public Datum {
 public:
  [[nodiscard]] Kind kind() const override { return Kind::structure; }
};

template <class T>
DatumPtr make(const T& value) {
  if constexpr (is_box<T> || is_optional<T> || is_shared<T>) {
    if (!value) return std::make_unique<NilDatum>();
    return make(*value);
  } else if constexpr (is_list<T>) {
    return std::make_unique<ListDatum<typename T::value_type>>(value);
  } else if constexpr (is_map<T>) {
    return std::make_unique<MapDatum<typename T::mapped_type>>(value);
  } else if constexpr (std::is_same_v<T, Bytes>) {
    return std::make_unique<BytesDatum>(value);
  } else if constexpr (std::is_same_v<T, Any>) {
    return std::make_unique<JsonDatum>(value.json());
  } else if constexpr (std::is_same_v<T, Time>) {
    return std::make_unique<TimeDatum>();
  } else if constexpr (Described<T>) {
    return std::make_unique<StructDatum<T>>(value);
  } else {
    return std::make_unique<ScalarDatum>(value);
  }
}

}  // namespace

template <class T>
DatumPtr to_datum(const T& value) { return make(value); }

template DatumPtr to_datum(const Job&);
template DatumPtr to_datum(const Evaluation&);
template DatumPtr to_datum(const Allocation&);
template DatumPtr to_datum(const Deployment&);
template DatumPtr to_datum(const Node&);
template DatumPtr to_datum(const NodePool&);

}  // namespace drover::model
