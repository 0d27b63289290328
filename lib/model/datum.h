// What a filter expression sees of a model value: the stored object by its Go field names (http-api 1.8).
//
// The Datum borrows the value, which must outlive it. Instantiated for the types that lists filter by; others are a link error.
#pragma once

#include <memory>

#include "lib/bexpr/datum.h"

namespace drover::model {

template <class T>
[[nodiscard]] std::unique_ptr<bexpr::Datum> to_datum(const T& value);

}  // namespace drover::model
