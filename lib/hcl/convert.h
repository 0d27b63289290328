// Conversion between types, and the type several types have in common.
//
// Strings, numbers and bools convert where the text is unambiguous; sequences to lists and sets; objects to maps and to objects with
// fewer attributes. Error texts are facts users compare: "a number is required", "string required, but have tuple".
#pragma once

#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "lib/hcl/value.h"

namespace drover::hcl {

[[nodiscard]] tl::expected<Value, std::string> convert(const Value& value, const Type& type);
// Why no value of `got` converts to `want`.
[[nodiscard]] std::string mismatch(const Type& got, const Type& want);
// Whether some values of `from` convert to `to`.
[[nodiscard]] bool convertible(const Type& from, const Type& to);
// The type all can be converted to; nothing when there is none.
[[nodiscard]] std::optional<Type> unify(const std::vector<Type>& types);

}  // namespace drover::hcl
