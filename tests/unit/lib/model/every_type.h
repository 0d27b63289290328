// Every type that has a codec, as a list: made from lib/model/codec_*.cc when the tests are built, so that a new type is in it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lib/model/reflect.h"

namespace drover::model {

struct Listed {
  std::string name;
  const Type* type;
  std::shared_ptr<void> (*make)();

  template <class T>
  static Listed of(const char* name) {
    return {name, &type_of<T>(), [] { return std::static_pointer_cast<void>(std::make_shared<T>()); }};
  }
};

[[nodiscard]] const std::vector<Listed>& every_type();

}  // namespace drover::model
