// What holds of a random value of every type that has a codec: JSON and MessagePack give back what they were given. Values are filled over
// the types' tables, so that a type or field is covered as soon as it exists.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "lib/model/codec.h"
#include "sdk/base/clock.h"
#include "tests/unit/lib/model/every_type.h"

using namespace drover;

namespace {

class Filler {
 public:
  explicit Filler(Rng& rng) : rng_(rng) {}

  void fill(const model::Type& type, void* value) {
    using model::Kind;
    switch (type.kind) {
      case Kind::boolean: *static_cast<bool*>(value) = rng_.below(2) == 0; break;
      case Kind::integer: case Kind::unsigned_integer: number(type, value); break;
      case Kind::floating: model::set_floating(type, value, static_cast<double>(rng_.below(1 << 20)) / 64 - 4096); break;
      case Kind::text: *static_cast<std::string*>(value) = text(); break;
      case Kind::duration: *static_cast<model::Duration*>(value) = model::Duration(static_cast<std::int64_t>(rng_.next() >> 2) - (std::int64_t{1} << 60)); break;
      case Kind::time:
        *static_cast<model::Time*>(value) = model::Time(static_cast<std::int64_t>(rng_.below(4'000'000'000)) * 1'000'000'000 + static_cast<std::int64_t>(rng_.below(1'000'000'000)));
        break;
      case Kind::bytes: *static_cast<model::Bytes*>(value) = model::Bytes(text()); break;
      case Kind::any: *static_cast<model::Any*>(value) = model::Any(json(0)); break;
      case Kind::list:
        if (type.is_nil(value) && rng_.below(3) > 0) type.open(value);
        for (std::uint64_t i = length(); i > 0; i--) nested(*type.element, type.append(value));
        break;
      case Kind::map:
        if (type.is_nil(value) && rng_.below(3) > 0) type.open(value);
        for (std::uint64_t i = length(); i > 0; i--) nested(*type.element, type.insert(value, text()));
        break;
      case Kind::pointer:
        if (depth_ < max_depth) {
          void* made = type.make(value);
          nested(*type.element, made);
          // A pointer to nothing is written as nothing.
          const model::Type& element = *type.element;
          if ((element.kind == Kind::list || element.kind == Kind::map) && element.is_nil(made)) element.open(made);
        }
        break;
      case Kind::structure:
        for (const model::Field& field : type.fields()) {
          if (rng_.below(4) != 0) fill(*field.type, field.in(value));
        }
        break;
    }
  }

 private:
  static constexpr int max_depth = 5;

  void nested(const model::Type& type, void* value) {
    depth_++;
    fill(type, value);
    depth_--;
  }
  // Whatever its width: what does not fit is halved until it does.
  void number(const model::Type& type, void* value) {
    std::uint64_t number = rng_.next() >> rng_.below(60);
    if (type.kind == model::Kind::integer) {
      std::int64_t signed_number = static_cast<std::int64_t>(number >> 1) * (rng_.below(2) == 0 ? 1 : -1);
      while (!model::set_integer(type, value, signed_number)) signed_number /= 2;
    } else {
      while (!model::set_unsigned(type, value, number)) number /= 2;
    }
  }
  std::uint64_t length() { return depth_ >= max_depth ? 0 : rng_.below(3); }
  std::string text() {
    static constexpr const char* parts[] = {"a", "Z", "0", " ", "\"", "\\", "\n", "\t", "\x01", "/", "${x}", "é", "世", "😀", "<", "\x7f"};
    std::string out;
    for (std::uint64_t i = rng_.below(6); i > 0; i--) out += parts[rng_.below(std::size(parts))];
    return out;
  }
  model::Json json(int depth) {
    switch (rng_.below(depth > 2 ? 4 : 6)) {
      case 0: return text();
      case 1: return static_cast<std::int64_t>(rng_.below(1 << 30)) - (1 << 29);
      case 2: return rng_.below(2) == 0;
      case 3: return static_cast<double>(rng_.below(1000)) / 8 + 0.125;
      case 4: return model::Json::array({json(depth + 1), json(depth + 1)});
      default: return model::Json{{text(), json(depth + 1)}};
    }
  }

  Rng& rng_;
  int depth_ = 0;
};

std::string json_of(const model::Type& type, const void* value) {
  std::string out;
  model::append_json(out, type, value);
  return out;
}

std::string msgpack_of(const model::Type& type, const void* value) {
  std::string out;
  model::append_msgpack(out, type, value);
  return out;
}

}  // namespace

TEST_CASE("codec: a random value of every described type survives JSON and MessagePack") {
  REQUIRE(model::every_type().size() > 100);
  for (const model::Listed& listed : model::every_type()) {
    INFO(listed.name);
    Rng rng(11);
    for (int round = 0; round < 20; round++) {
      const std::shared_ptr<void> value = listed.make();
      Filler(rng).fill(*listed.type, value.get());
      // Texts are compared: values that share an object compare its address.
      const std::string json = json_of(*listed.type, value.get());
      const std::shared_ptr<void> read = listed.make();
      const auto from_json = model::from_json(json, *listed.type, read.get());
      REQUIRE_MESSAGE(from_json, json << ": " << (from_json ? "" : from_json.error().message()));
      CHECK(json_of(*listed.type, read.get()) == json);
      const std::string packed = msgpack_of(*listed.type, value.get());
      const std::shared_ptr<void> unpacked = listed.make();
      REQUIRE(model::from_msgpack(packed, *listed.type, unpacked.get()));
      CHECK(msgpack_of(*listed.type, unpacked.get()) == packed);
      CHECK(json_of(*listed.type, unpacked.get()) == json);
    }
  }
}
