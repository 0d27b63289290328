// What a filter expression sees of a model value: the stored object by its Go field names (http-api 1.8).
//
// The Datum borrows the value, which must outlive it.
#pragma once

#include <memory>

#include "lib/bexpr/datum.h"
#include "lib/model/reflect.h"

namespace drover::model {

[[nodiscard]] std::unique_ptr<bexpr::Datum> to_datum(const Type& type, const void* value);

template <class T>
[[nodiscard]] std::unique_ptr<bexpr::Datum> to_datum(const T& value) { return to_datum(type_of<T>(), &value); }

}  // namespace drover::model
