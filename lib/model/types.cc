#include "lib/model/types.h"

#include <nlohmann/json.hpp>

namespace drover::model {

Any::Any(Json value) : value_(value.is_null() ? nullptr : std::make_shared<const Json>(std::move(value))) {}

const Json& Any::json() const {
  static const Json null;
  return value_ ? *value_ : null;
}

bool operator==(const Any& a, const Any& b) { return a.value_ == b.value_ || a.json() == b.json(); }

}  // namespace drover::model
